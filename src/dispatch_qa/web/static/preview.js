// What stands behind a [n], shown beside it on hover and focus: title, date, sentence.

import { el, tongue } from "./dom.js";
import { facts, joined, titleOf } from "./source.js";

let box = null;
let leaving = 0;

export function describe(link, source, citation) {
  link.addEventListener("mouseenter", () => show(link, source, citation));
  link.addEventListener("focus", () => show(link, source, citation));
  link.addEventListener("mouseleave", leave);
  link.addEventListener("blur", hide);
}

function show(link, source, citation) {
  hide();
  box = el("div", { class: "preview", role: "tooltip", id: "dqa-preview" },
    el("strong", tongue(source.headline || source.slug ? source.language : "und"), titleOf(source)),
    el("p", { class: "facts" }, joined(facts(source))),
    el("p", { class: "quote", ...tongue(citation.language) }, citation.evidence.quote));
  // The pointer may go into it, to read or to select.
  box.addEventListener("mouseenter", () => clearTimeout(leaving));
  box.addEventListener("mouseleave", leave);
  document.body.append(box);
  link.setAttribute("aria-describedby", box.id);
  const at = link.getBoundingClientRect();
  const size = box.getBoundingClientRect();
  const left = Math.max(8, Math.min(at.left, document.documentElement.clientWidth - size.width - 8));
  const below = at.bottom + size.height + 8 < innerHeight;
  box.style.left = `${left}px`;
  box.style.top = `${below ? at.bottom + 4 : Math.max(8, at.top - size.height - 4)}px`;
}

function leave() {
  clearTimeout(leaving);
  leaving = setTimeout(hide, 200);
}

export function hide() {
  clearTimeout(leaving);
  box?.remove();
  box = null;
  for (const link of document.querySelectorAll("a.cite[aria-describedby]")) link.removeAttribute("aria-describedby");
}

addEventListener("keydown", (event) => {
  if (event.key === "Escape") hide();
});
