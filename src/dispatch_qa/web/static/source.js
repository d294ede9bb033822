// The source: a dispatch in full, in its own language, standing at the marked evidence.

import { address, el, languageName, points, say, tongue } from "./dom.js";

const kept = new Map();
let pane = null;
let comeFrom = null;

export function build(column) {
  pane = el("aside", { id: "dqa-source", "aria-label": say("source"), tabindex: "0" });
  pane.append(el("p", { class: "hollow" }, say("source_empty")));
  pane.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && comeFrom) goBack();
  });
  column.append(pane);
}

// A dispatch as JSON, fetched once a page; again after a failure, and where another text was cited than was fetched.
export async function dispatch(id, store = "", sha = null) {
  const key = `${store}\n${id}`;
  const before = await kept.get(key)?.catch(() => null);
  if (!before || (sha && before.sha256 !== sha)) {
    const asked = fetch(address("dispatch", { id, store })).then(async (response) => {
      if (response.status === 404) throw new Error(say("gone_dispatch", { id }));
      if (!response.ok) throw new Error(say("failed"));
      return response.json();
    });
    asked.catch(() => kept.delete(key));
    kept.set(key, asked);
  }
  return kept.get(key);
}

// Show a dispatch; with a citation, stand at its evidence. `opener` is the [n] to which the reader goes back.
export async function open(id, { citation = null, opener = null, store = "", focus = true, note = "" } = {}) {
  let found;
  try {
    found = await dispatch(id, store, citation?.sha256);
  } catch (error) {
    complain(error.message);
    return;
  }
  if (citation?.sha256 && citation.sha256 !== found.sha256) {
    citation = null;
    note = say("changed_dispatch");
  }
  comeFrom = opener;
  pane.replaceChildren(bar(citation), header(found, note), body(found, citation));
  const mark = pane.querySelector("mark");
  if (focus || wideEnough()) stand(mark ?? pane, focus);
}

export function complain(message) {
  comeFrom = null;
  pane.replaceChildren(el("p", { class: "alert", role: "alert" }, message));
  pane.scrollIntoView({ block: "nearest" });
}

function goBack() {
  const opener = comeFrom;
  opener.scrollIntoView({ block: "center" });
  opener.focus();
}

function wideEnough() {
  return getComputedStyle(pane).overflowY === "auto";
}

function stand(target, focus) {
  if (wideEnough()) {
    // The pane scrolls by itself: the conversation stays where it is.
    const top = target.getBoundingClientRect().top - pane.getBoundingClientRect().top + pane.scrollTop;
    pane.scrollTop = target === pane ? 0 : top - pane.clientHeight / 3;
  } else target.scrollIntoView({ block: target === pane ? "start" : "center" });
  if (focus) (target === pane ? pane : target).focus({ preventScroll: true });
}

export function titleOf(source) {
  return source.headline ?? source.slug ?? source.id;
}

// Agency, date, language: what is known of it, the rest is said to be unknown.
export function facts(source) {
  const date = source.filed_at ? new Date(source.filed_at) : null;
  const dated = date && !Number.isNaN(date.valueOf())
    ? el("time", { datetime: source.filed_at }, date.toLocaleDateString(navigator.language, { dateStyle: "long" }))
    : source.dateline ?? say("undated");
  return [source.agency ?? say("unsigned"), dated, languageName(source.language)].filter(Boolean);
}

export function joined(parts) {
  return parts.flatMap((part, at) => (at ? [" · ", part] : [part]));
}

// Stays in sight while the source scrolls.
function bar(citation) {
  return el("div", { class: "bar-row" },
    el("p", { class: "kicker" }, say("source")),
    comeFrom && citation
      ? el("button", { type: "button", class: "quiet back", onclick: goBack }, say("back", { n: citation.number }))
      : null);
}

function header(found, note) {
  const status = { withheld: "withdrawn", canceled: "withdrawn", corrected: "corrected" }[found.status];
  return el("header", {},
    el("h2", { ...tongue(found.headline || found.slug ? found.language : "und") }, titleOf(found)),
    el("p", { class: "facts" }, joined(facts(found)), status ? el("strong", {}, ` · ${say(status)}`) : null),
    found.byline ? el("p", { class: "facts", ...tongue(found.language) }, found.byline) : null,
    note ? el("p", { class: "alert" }, note) : null);
}

// The text in paragraphs, the cited passage tinted, its evidence marked. The marked text is text[start:end].
function body(found, citation) {
  const text = points(found.text);
  const article = el("article", { class: "copy", ...tongue(found.language) });
  for (const [start, end] of paragraphs(found.text, text, citation)) {
    article.append(el("p", {}, ...marked(text, start, end, citation)));
  }
  return article;
}

// Spans of paragraphs, parted by blank lines, in code points; a passage is never cut in two.
function paragraphs(raw, text, citation) {
  const spans = [];
  let at = 0;
  for (const piece of raw.split(/(\n[^\S\n]*\n\s*)/)) {
    const size = points(piece).length;
    if (piece.trim()) spans.push([at, at + size]);
    at += size;
  }
  const whole = !citation || spans.some(([start, end]) => start <= citation.start && citation.end <= end);
  return whole ? spans : [[0, text.length]];
}

function marked(text, start, end, citation) {
  if (!citation || citation.start < start || citation.end > end) return [text.slice(start, end)];
  return [
    text.slice(start, citation.start),
    el("span", { class: "passage" }, ...evidence(text, citation)),
    text.slice(citation.end, end),
  ];
}

// The evidence with the words that answer in bold; `text` begins at `from` of the dispatch.
export function bold(text, citation, from = 0) {
  const { start, end } = citation.evidence;
  const cut = (a, b) => text.slice(a - from, b - from);
  const words = citation.answer;
  if (!words) return [cut(start, end)];
  return [cut(start, words.start), el("strong", {}, cut(words.start, words.end)), cut(words.end, end)];
}

// A passage with its evidence marked; `text` has the dispatch's offsets.
export function evidence(text, citation) {
  const { start, end } = citation.evidence;
  return [
    text.slice(citation.start, start),
    el("mark", { tabindex: "-1" }, bold(text, citation)),
    text.slice(end, citation.end),
  ];
}
