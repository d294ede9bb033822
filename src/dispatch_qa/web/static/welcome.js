// The empty page: what this is, what it holds, and questions to begin with.

import { address, el, many, say } from "./dom.js";
import { offerAdding } from "./adding.js";
import { open } from "./source.js";

// What the shipped dispatch answers, asked by people who do not read French.
const SHIPPED = [
  ["en", "Which British firms attended?"],
  ["fr", "Combien de producteurs d’armes étaient au forum ?"],
  ["de", "Um wie viel soll die Waffenproduktion 2024 wachsen?"],
  ["uk", "Що передбачає угода з Rheinmetall?"],
  ["ar", "مع من ستتعاون أوكرانيا لإنتاج قذائف عيار 155 ملم؟"],
  ["zh", "谁编辑了这篇报道？"],
];
// What any wire copy may answer.
const ANY = [
  ["en", "Who signed an agreement?"],
  ["fr", "Qui a pris la parole ?"],
  ["de", "Was ist am Freitag geschehen?"],
  ["es", "¿Cuántas personas murieron?"],
  ["ar", "أين عُقد الاجتماع؟"],
  ["zh", "谁发表了声明？"],
];

export async function welcome(talk, ask) {
  const masthead = el("header", { class: "masthead" },
    el("h1", {}, say("title")), el("p", { class: "tagline" }, say("tagline")));
  const section = el("section", { class: "welcome" });
  talk.prepend(masthead, section);
  const response = await fetch(address("desk")).catch(() => null);
  if (!response?.ok) return;
  const desk = await response.json();
  if (desk.may_add) offerAdding(masthead);
  if (!desk.passages) {
    section.append(el("p", {}, say("empty")), el("pre", {}, el("code", {}, desk.command)));
    return;
  }
  const holds = say("holds", { dispatches: many("dispatch", desk.dispatches), passages: many("passage", desk.passages) });
  const examples = (desk.shipped ? SHIPPED : ANY).map(([lang, text]) =>
    el("li", {}, el("button", { type: "button", class: "example", lang, dir: "auto", onclick: () => ask(text, true) }, text)));
  section.append(el("h2", {}, say("try")), el("ul", { class: "examples" }, examples),
    el("p", { class: "facts" }, holds));
  if (desk.first) {
    section.append(el("p", {}, el("button", { type: "button", class: "quiet", onclick: () => open(desk.first) }, say("read_whole"))));
    if (matchMedia("(min-width: 960px)").matches) open(desk.first, { focus: false });
  }
}
