// The page's start: waits for Gradio's parts, draws each answer that comes, opens what a permalink names.

import { draw, fragment } from "./answer.js";
import * as asking from "./ask.js";
import { announce, el, language, loadWords, many, say, wide } from "./dom.js";
import { hide } from "./preview.js";
import * as source from "./source.js";
import { welcome } from "./welcome.js";

document.documentElement.lang = language;
let link = permalinkAsked();

// A permalink is all fragment: what was asked stays out of the addresses that servers and proxies write down.
function permalinkAsked() {
  // What else it holds is what the copy was narrowed to.
  const { q: question, in: store, d: id, s: place, h: sha, ...where } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  if (!question?.trim()) return null;
  const [start, end] = (place ?? "").split("-").map(Number);
  return { question, store, id, start, end, sha, where };
}

function present(name) {
  return new Promise((resolve) => {
    const look = () => {
      const node = document.querySelector(name);
      if (node) resolve(node);
      else requestAnimationFrame(look);
    };
    look();
  });
}

function unpack(anchor) {
  const packed = anchor.getAttribute("href").slice(1).replaceAll("-", "+").replaceAll("_", "/");
  const bytes = Uint8Array.from(atob(packed), (char) => char.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes));
}

// Draw what Gradio has rendered and is not drawn yet. Gradio may render a message anew; then it is drawn anew.
function drawNew(log) {
  for (const anchor of log.querySelectorAll("a.dqa-data:not([data-drawn])")) {
    anchor.setAttribute("data-drawn", "");
    const message = anchor.closest(".message-content");
    message.querySelector(":scope > .turn")?.remove();
    message.firstElementChild.hidden = true;
    // Gradio's label would read out the packed answer.
    message.closest("[aria-label]")?.removeAttribute("aria-label");
    const payload = unpack(anchor);
    const turn = draw(payload, asking.ask);
    message.append(turn);
    if (anchor.closest(".message-row") === [...log.querySelectorAll(".bot-row")].at(-1)) arrived(payload, turn);
  }
}

function arrived(payload, turn) {
  asking.answered();
  asking.restore();
  hide();
  document.body.classList.add("talking");
  turn.scrollIntoView({ block: "start" });
  if (payload.error) return;
  announce(payload.supported ? many("announce", payload.citations.length) : say("announce_not"));
  if (!link) history.replaceState(null, "", `#${fragment(payload)}`);
  const followed = link;
  link = null;
  if (followed?.id && followed.start < followed.end) follow(followed, payload, turn);
  else if (payload.supported && wide()) {
    const [citation] = payload.citations;
    source.open(citation.dispatch_id, { citation, opener: turn.querySelector("a.cite"), focus: false, store: payload.store });
  }
}

// Stand where the permalink stood, also where the ranking has changed since.
async function follow({ id, start, end, sha }, payload, turn) {
  const same = payload.citations.find((one) => one.dispatch_id === id && one.evidence.start === start && one.evidence.end === end);
  const opener = same ? turn.querySelector(`a.cite[data-number="${same.number}"]`) : null;
  const citation = same ?? { number: "", start, end, evidence: { start, end } };
  let note = "";
  try {
    const found = await source.dispatch(id, payload.store);
    if (sha && !found.sha256.startsWith(sha)) note = say("changed_dispatch");
  } catch (error) {
    source.complain(error.message);
    return;
  }
  source.open(id, { citation: note ? null : citation, opener, note, store: payload.store });
}

function quieten(log) {
  // One announcement an answer, ours; Gradio's log would read out every change.
  if (log.getAttribute("aria-live") !== "off") log.setAttribute("aria-live", "off");
}

await loadWords();
const [talk, column] = await Promise.all([present("#talk"), present("#source")]);
// Gradio makes its parts one after the other.
await Promise.all(["#question textarea", "#question .stop-button", "#alone input"].map(present));
announce("");
source.build(column);
asking.build(talk);
welcome(talk, asking.ask);
const chat = await present("#chat");
const redraw = () => {
  const log = chat.querySelector('[role="log"]');
  if (log) quieten(log);
  drawNew(chat);
};
new MutationObserver(redraw).observe(chat, { childList: true, subtree: true });
redraw();
if (link) asking.ask(link.question, true, link.where, link.store);
else asking.restore();
addEventListener("hashchange", () => {
  link = permalinkAsked();
  if (link) asking.ask(link.question, true, link.where, link.store);
});
document.body.classList.add("ready");
