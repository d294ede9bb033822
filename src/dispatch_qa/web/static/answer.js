// An answer: the question, the words that answer with their [n], and a card for each passage.

import { address, announce, api, el, language, points, say, tongue } from "./dom.js";
import { bold, dispatch, facts, joined, open, titleOf } from "./source.js";
import { describe } from "./preview.js";

// Draw a payload. `ask` asks a question, as it is or on its own.
export function draw(payload, ask) {
  const heading = el("h2", { class: "asked", dir: "auto", tabindex: "-1" }, payload.asked);
  const turn = el("section", { class: "turn", "aria-label": say("answer") }, heading);
  if (payload.error) {
    turn.append(el("p", { class: "alert", role: "alert" }, payload.error),
      el("button", { type: "button", class: "retry", onclick: () => ask(payload.asked) }, say("retry")));
    return turn;
  }
  if (payload.read !== payload.asked) turn.append(reading(payload, ask));
  const narrowed = Object.entries(payload.where).map(([name, value]) => say(name, { value }));
  if (narrowed.length) turn.append(el("p", { class: "facts narrowed" }, `${say("only")} ${narrowed.join(", ")}`));
  const cards = payload.citations.map((citation) => card(payload, citation, turn));
  if (payload.supported) {
    turn.append(spoken(payload, turn));
    turn.append(el("h3", {}, say("passages_cited")));
  } else {
    turn.append(el("p", { class: "refusal" }, say("refusal")));
    if (payload.nowhere.length) {
      const quoted = payload.nowhere.map((phrase) => `"${phrase}"`);
      turn.append(el("p", { class: "note" }, say("nowhere", { phrases: new Intl.ListFormat(language).format(quoted) })));
    }
    if (cards.length) turn.append(el("h3", {}, say("nearest")));
  }
  turn.append(el("ol", { class: payload.supported ? "cards" : "cards apart" }, cards));
  for (const one of payload.left_out) {
    turn.append(el("p", { class: "alert left-out" }, say("left_out", { id: one.dispatch_id, reason: say(`left_${one.kind}`, one) })));
  }
  return turn;
}

// How a follow-up was read, and a way to have it read otherwise.
function reading(payload, ask) {
  const box = el("input", { type: "text", dir: "auto", value: payload.read, "aria-label": say("read_as"), maxlength: 2000 });
  const form = el("form", { class: "reading", hidden: true, onsubmit: (event) => {
    event.preventDefault();
    if (box.value.trim()) ask(box.value, true);
  } }, box, el("button", { type: "submit" }, say("ask")));
  const shown = el("p", { class: "reading" }, say("read_as"), " ", el("q", { dir: "auto" }, payload.read), " ",
    el("button", { type: "button", class: "quiet", onclick: () => {
      shown.hidden = true;
      form.hidden = false;
      box.focus();
    } }, say("change")), " ",
    el("button", { type: "button", class: "quiet", onclick: () => ask(payload.asked, true) }, say("ask_alone")));
  return el("div", {}, shown, form);
}

// The words that answer, once, then the sentence in which they stand; each passage with its number.
function spoken(payload, turn) {
  const block = el("div", { class: "spoken" });
  payload.citations.forEach((citation, at) => {
    const sentence = bold(points(citation.evidence.quote), citation, citation.evidence.start);
    const short = citation.leads ? el("span", { class: "quote words", ...tongue(citation.language) }, citation.answer.quote) : null;
    if (at === 1) block.append(el("h3", {}, say("also")));
    block.append(el("p", { class: at === 0 ? "lead" : null },
      short, short ? [" ", number(payload, citation, turn), " "] : null,
      el("span", { class: short ? "quote sentence" : "quote", ...tongue(citation.language) }, sentence),
      short ? null : [" ", number(payload, citation, turn)]));
  });
  return block;
}

// What was asked, of which store where there are several, at what place, and what the copy was narrowed to.
export function fragment(payload, place = {}) {
  const store = payload.store ? { in: payload.store } : {};
  return new URLSearchParams({ q: payload.read, ...store, ...place, ...payload.where }).toString();
}

export function permalink(payload, citation) {
  const url = new URL(location.href);
  const { start, end } = citation.evidence;
  const sha = payload.sources[citation.dispatch_id].sha256.slice(0, 12);
  url.hash = fragment(payload, { d: citation.dispatch_id, s: `${start}-${end}`, h: sha });
  return url.href;
}

function number(payload, citation, turn) {
  const source = payload.sources[citation.dispatch_id];
  const link = el("a", {
    class: "cite",
    href: permalink(payload, citation),
    "data-number": citation.number,
    "aria-label": say("citation", { n: citation.number, title: titleOf(source) }),
    onclick: (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      open(citation.dispatch_id, { citation, opener: link, store: payload.store });
    },
  }, `[${citation.number}]`);
  describe(link, source, citation);
  light(link, turn, citation.number);
  return link;
}

// Card and number light each other up.
function light(node, turn, n) {
  const set = (on) => () => {
    for (const other of turn.querySelectorAll(`[data-number="${n}"]`)) other.classList.toggle("lit", on);
  };
  for (const [event, on] of [["mouseenter", true], ["focusin", true], ["mouseleave", false], ["focusout", false]]) {
    node.addEventListener(event, set(on));
  }
}

function card(payload, citation, turn) {
  const source = payload.sources[citation.dispatch_id];
  const item = el("li", { class: "card", "data-number": citation.number });
  const more = el("div", { class: "more", "aria-live": "off" });
  const title = el("h4", tongue(source.headline || source.slug ? source.language : "und"), titleOf(source));
  const show = el("button", { type: "button", class: "quiet", onclick: () =>
    open(citation.dispatch_id, { citation, opener: show, store: payload.store }) }, say("open_source"));
  const place = onPage(citation) + say("paragraph", { paragraph: citation.paragraph });
  item.append(...[
    el("div", { class: "row" },
      payload.supported ? el("span", { class: "n", "aria-hidden": "true" }, citation.number) : null, title),
    el("p", { class: "facts" }, joined([...facts(source), place])),
    excerpt(payload, citation),
    citation.said_by ? el("p", { class: "facts" }, `${say("said_by")} `, el("span", tongue(citation.language), citation.said_by.quote)) : null,
    citation.note ? el("p", { class: "alert" }, citation.note) : null,
    citation.copies.length ? carriers(payload, citation) : null,
    el("p", { class: "fit" }, meter(citation.fit), `${say(citation.fit)} (${(citation.probability ?? citation.score).toFixed(2)})`),
    el("div", { class: "actions" }, show, copyButton(payload, citation, source),
      toggle("around", more, () => around(payload, citation)),
      toggle("why", more, () => why(payload, citation)),
      thumbs(payload, citation)),
    more,
  ].filter(Boolean));
  light(item, turn, citation.number);
  return item;
}

// Who else carried these words; each one opens.
function carriers(payload, citation) {
  const each = citation.copies.map((id) => {
    const button = el("button", { type: "button", class: "quiet", onclick: () => open(id, { opener: button, store: payload.store }) }, id);
    return button;
  });
  return el("p", { class: "facts" }, say("copies"), " ", each.flatMap((one, at) => (at ? [", ", one] : [one])));
}

// The passage, where it holds more than the evidence that stands in the answer already.
function excerpt(payload, citation) {
  if (payload.supported && citation.quote === citation.evidence.quote) return null;
  const text = points(citation.quote);
  const [start, end] = [citation.evidence.start - citation.start, citation.evidence.end - citation.start];
  return el("blockquote", tongue(citation.language),
    text.slice(0, start), el("mark", {}, bold(text, citation, citation.start)), text.slice(end, text.length));
}

// By retrieval alone, or as the reader finds it.
const FITS = [["fits badly", "hardly answers"], ["fits loosely", "may answer"], ["fits well", "likely answers"],
  ["fits very well", "very likely answers"]];

// Fit as a bar; the words beside it say the same.
function meter(fit) {
  const bar = el("span", { class: "bar", "aria-hidden": "true" });
  bar.style.setProperty("--filled", `${25 * (1 + FITS.findIndex((words) => words.includes(fit)))}%`);
  return bar;
}

// A button that opens something in place, and closes it again.
function toggle(key, more, make) {
  let shown = null;
  const button = el("button", { type: "button", class: "quiet", "aria-expanded": "false", onclick: async () => {
    if (shown) {
      shown.remove();
      shown = null;
    } else {
      shown = await make();
      more.append(shown);
    }
    button.setAttribute("aria-expanded", String(Boolean(shown)));
  } }, say(key));
  return button;
}

const AROUND = 400;

// The sentences before and after: slices of the dispatch, cut where sentences begin and end.
async function around(payload, citation) {
  let found;
  try {
    found = await dispatch(citation.dispatch_id, payload.store, citation.sha256);
  } catch (error) {
    return el("p", { class: "alert" }, error.message);
  }
  if (found.sha256 !== citation.sha256) return el("p", { class: "alert" }, say("changed_dispatch"));
  const text = points(found.text);
  const before = nearest(text.slice(Math.max(0, citation.start - AROUND), citation.start), found.language, true);
  const after = nearest(text.slice(citation.end, citation.end + AROUND), found.language, false);
  return el("blockquote", { class: "around", ...tongue(found.language) },
    before.trimStart(), el("span", { class: "passage" }, citation.quote), after.trimEnd());
}

// The two sentences of a text that are nearest to its end, or to its beginning, with the white space between.
function nearest(text, code, toEnd) {
  const known = code && code !== "und" && Intl.Segmenter.supportedLocalesOf([code]).length ? code : "en";
  const parts = Array.from(new Intl.Segmenter(known, { granularity: "sentence" }).segment(text), (part) => part.segment);
  if (toEnd) parts.reverse();
  const taken = [];
  for (let sentences = 0; parts.length && sentences < 2; sentences += taken.at(-1).trim() ? 1 : 0) taken.push(parts.shift());
  if (toEnd) taken.reverse();
  return taken.join("");
}

async function why(payload, citation) {
  const asked = { question: payload.read, id: citation.dispatch_id, start: citation.start, store: payload.store, where: payload.where };
  const response = await send(address("why"), asked);
  const told = response?.ok ? await response.json() : null;
  if (!told) return el("p", { class: "alert" }, say(response ? "failed" : "gone"));
  const { dense, sentence, lexical } = told.parts;
  return el("p", { class: "why" }, say("why_told", {
    rank: told.rank, score: told.score.toFixed(2), dense: dense.toFixed(2), sentence: sentence.toFixed(2),
    lexical: Math.round(lexical * 100),
  }), citation.probability === null ? null : ` ${say("why_read", { probability: citation.probability.toFixed(2) })}`);
}

// Post JSON; null where the server cannot be reached.
function send(url, body) {
  return fetch(url, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }).catch(() => null);
}

// Where a paged format has the evidence.
function onPage(citation) {
  return citation.page ? `${say("page", { page: citation.page })}, ` : "";
}

function copyButton(payload, citation, source) {
  const button = el("button", { type: "button", class: "quiet", onclick: async () => {
    const { start, end, quote } = citation.evidence;
    const told = [titleOf(source), source.agency, source.filed_at ?? source.dateline].filter(Boolean).join(", ");
    const place = onPage(citation) + say("place", { paragraph: citation.paragraph, start, end });
    await copy(`“${quote}”\n${told}, ${place}\n${permalink(payload, citation)}`);
    button.textContent = say("copied");
    announce(say("copied"));
    setTimeout(() => { button.textContent = say("copy"); }, 2000);
  } }, say("copy"));
  return button;
}

async function copy(text) {
  // Browsers give the clipboard to secure origins; loopback is one, a plain address in a network is not.
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = el("textarea", { class: "unseen" });
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

const SVG = "http://www.w3.org/2000/svg";
const THUMB = "M2 9h3v8H2zM5 9l4-7c1.6 0 2.4 1.2 2 2.8L10.4 8H16c1 0 1.7.9 1.4 1.9l-1.7 5.8c-.2.8-.9 1.3-1.7 1.3H5";

function thumb(up) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  for (const [key, value] of [["viewBox", "0 0 20 19"], ["aria-hidden", "true"]]) svg.setAttribute(key, value);
  path.setAttribute("d", THUMB);
  if (!up) path.setAttribute("transform", "rotate(180 10 9.5)");
  svg.append(path);
  return svg;
}

function thumbs(payload, citation) {
  const said = el("span", { class: "thanks", role: "status" });
  const pair = [["useful", true], ["useless", false]].map(([key, relevant]) => {
    const button = el("button", { type: "button", class: "quiet thumb", "aria-label": say(key), title: say(key),
      "aria-pressed": "false", onclick: async () => {
        const { dispatch_id, start, end } = citation;
        const body = { question: payload.read, dispatch_id, start, end, relevant, where: payload.where };
        const sent = await send(api("feedback"), body);
        for (const other of pair) other.setAttribute("aria-pressed", String(other === button && Boolean(sent?.ok)));
        said.textContent = say(sent?.ok ? "thanks" : "not_noted");
      } }, thumb(relevant));
    return button;
  });
  return el("span", { class: "thumbs" }, pair, said);
}
