// Asking, around Gradio's own sending: blank questions, waiting, Stop, and a server that is gone or full.

import { announce, el, say } from "./dom.js";

let waiting = null;
let talk = null;
let turned = null;

const box = () => document.querySelector("#question textarea");
const sendButton = () => document.querySelector("#question .submit-button");
const stopButton = () => document.querySelector("#question .stop-button");

export function build(column) {
  talk = column;
  // Before Gradio's own listeners, which sit deeper.
  addEventListener("keydown", (event) => {
    if (event.target === box() && event.key === "Enter" && !event.shiftKey && !event.isComposing) sending(event);
  }, true);
  addEventListener("click", (event) => {
    const button = event.target.closest?.("button");
    if (button && button === sendButton()) sending(event);
    if (button && button === stopButton()) stopped();
  }, true);
  watchNetwork();
  // The direction is the question's; Gradio would set it for all.
  const area = box();
  const direct = () => { if (area.dir !== "auto") area.dir = "auto"; };
  new MutationObserver(direct).observe(area, { attributeFilter: ["dir"] });
  direct();
  area.setAttribute("aria-label", say("your_question"));
  sendButton().setAttribute("aria-label", say("ask"));
  stopButton().setAttribute("aria-label", say("stop"));
  foldOptions();
  area.closest("#question").before(skipLink());
}

// From the question's box, one step back leads to the newest answer, and not through every card.
function skipLink() {
  return el("button", { type: "button", class: "quiet skip", onclick: () => {
    const turn = [...document.querySelectorAll("#chat .turn")].at(-1);
    (turn?.querySelector("a.cite") ?? turn?.querySelector(".asked"))?.focus();
  } }, say("to_answer"));
}

function foldOptions() {
  const options = document.getElementById("options");
  const button = el("button", { type: "button", class: "quiet", id: "options-button", "aria-controls": "options",
    "aria-expanded": "false", onclick: () => {
      const open = options.classList.toggle("unfolded");
      button.setAttribute("aria-expanded", String(open));
    } }, say("options"));
  options.before(button);
}

// Ask from the script: the question goes through the same box. `alone`: not as a follow-up, this once. `where`: what
// the copy is narrowed to, in place of what stands in the options; `store`: the one to ask, where there are several.
export async function ask(question, alone = false, where = null, store = null) {
  if (store) await choose(store);
  fill(box(), question);
  if (where) {
    for (const filter of document.querySelectorAll(".filter")) {
      fill(filter.querySelector("textarea, input"), where[filter.id.replace("only-", "")] ?? "");
    }
  }
  const check = document.querySelector("#alone input");
  if (alone && !check.checked) {
    check.click();
    turned = check;
  }
  // Gradio takes the new values in with its next tick.
  setTimeout(() => sendButton().click(), 50);
}

// In Gradio's list of choices, as a reader would: it only makes the list where it is looked at. A name that it does not
// have changes nothing.
async function choose(name) {
  const field = document.querySelector("#store input");
  if (!field || field.value === name) return;
  if (!document.querySelector("#options.unfolded")) document.getElementById("options-button").click();
  field.focus();
  let choice = null;
  for (let frame = 0; frame < 60 && !choice; frame++) {
    await new Promise(requestAnimationFrame);
    choice = [...document.querySelectorAll("[role=option]")].find((one) => one.ariaLabel === name);
  }
  choice?.dispatchEvent(new MouseEvent("mousedown", { bubbles: true }));
  field.blur();
}

function fill(field, value) {
  field.value = value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

function sending(event) {
  const question = box().value;
  if (!question.trim()) {
    event.preventDefault();
    event.stopImmediatePropagation();
    note(el("p", { class: "hint", role: "alert" }, say("blank")));
    box().focus();
    return;
  }
  if (waiting) {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  waiting = question;
  sessionStorage.removeItem(KEPT);
  document.body.classList.add("asking");
  note(el("section", { class: "turn pending" }, el("h2", { class: "asked", dir: "auto" }, question),
    el("p", { class: "busy" }, say("reading"))));
}

// An answer was drawn.
export function answered() {
  settle();
  note(null);
}

function stopped() {
  if (!waiting) return;
  settle();
  note(el("p", { class: "hint" }, say("stopped")));
  announce(say("stopped"));
}

function failed(key) {
  if (!waiting) return;
  const question = waiting;
  settle();
  if (key === "gone") keep(question);
  tell(question, key);
}

function tell(question, key) {
  note(el("section", { class: "turn", role: "alert" }, el("h2", { class: "asked", dir: "auto" }, question),
    el("p", { class: "alert" }, say(key)),
    el("button", { type: "button", class: "retry", onclick: () => ask(question) }, say("retry"))));
}

function settle() {
  waiting = null;
  document.body.classList.remove("asking");
  turned?.click();
  turned = null;
}

// What stands at the end of the conversation while there is no answer.
function note(node) {
  talk.querySelector("#dqa-note")?.remove();
  if (!node) return;
  node.id = "dqa-note";
  talk.insertBefore(node, document.getElementById("composer"));
  node.scrollIntoView({ block: "nearest" });
}

// Gradio tells of failures in toasts that vanish; what its requests come to is told here, and stays.
function watchNetwork() {
  const plain = window.fetch;
  window.fetch = async (...given) => {
    const joins = String(given[0]?.url ?? given[0]).includes("/queue/join");
    if (!joins) return plain(...given);
    try {
      const response = await plain(...given);
      if (!response.ok) failed(response.status === 503 || response.status === 429 ? "busy" : "failed");
      return response;
    } catch {
      failed("gone");
      // Gradio would take a lost connection for the end, and refuse to send again until the page is reloaded.
      return Response.json({ detail: "gone" }, { status: 503 });
    }
  };
  // A server that goes away while it works is noticed by asking for something small.
  setInterval(() => {
    if (waiting) plain(new URL("page/icon.svg", document.baseURI), { cache: "no-store" }).catch(() => failed("gone"));
  }, 2000);
}

// When an answer is cut off, Gradio reloads the page as soon as the server is back; the question outlives that.
const KEPT = "dispatch-qa-question";

function keep(question) {
  sessionStorage.setItem(KEPT, question);
}

export function restore() {
  const question = sessionStorage.getItem(KEPT);
  sessionStorage.removeItem(KEPT);
  if (!question) return;
  fill(box(), question);
  tell(question, "gone");
}
