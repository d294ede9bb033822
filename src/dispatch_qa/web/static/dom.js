// What the other scripts share: elements out of text, words in the reader's language, spans in code points.

// Text of dispatches and readers only ever goes through here, as text nodes: nothing is parsed as markup.
export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

const french = (navigator.languages?.[0] ?? navigator.language ?? "en").toLowerCase().startsWith("fr");
export const language = french ? "fr" : "en";
let words = {};

export async function loadWords() {
  words = (await (await fetch(address("words.json"))).json())[language];
}

export function say(key, values = {}) {
  return (words[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

export function many(key, n) {
  return n === 1 ? say(`${key}_one`) : say(`${key}_many`, { n: n.toLocaleString(language) });
}

// Relative to where Gradio says that the page lies, so that it works under a root path.
export function address(name, query = {}) {
  return under(`page/${name}`, query);
}

export function api(name, query = {}) {
  return under(`api/v1/${name}`, query);
}

function under(path, query) {
  const url = new URL(path, document.baseURI);
  for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
  return url;
}

const RTL = new Set(["ar", "arc", "ckb", "dv", "fa", "he", "ks", "ps", "sd", "ug", "ur", "yi"]);

// The attributes of an element that holds words of a dispatch.
export function tongue(code) {
  return code && code !== "und" ? { lang: code, dir: RTL.has(code) ? "rtl" : "ltr" } : { lang: "", dir: "auto" };
}

export function languageName(code) {
  if (!code || code === "und") return "";
  return new Intl.DisplayNames([language], { type: "language" }).of(code) ?? code;
}

// Offsets count code points; JavaScript counts UTF-16 units.
export function points(text) {
  const units = Array.from(text);
  return { length: units.length, slice: (start, end) => units.slice(start, end).join("") };
}

export function wide() {
  return matchMedia("(min-width: 960px)").matches;
}

// One polite live region for the whole page: what it says is read once.
export function announce(text) {
  let region = document.getElementById("dqa-status");
  if (!region) {
    region = el("p", { id: "dqa-status", role: "status", "aria-live": "polite", class: "unseen" });
    document.body.append(region);
  }
  region.textContent = text;
}
