// Adding copy from the page: files chosen or dropped, and what became of each.

import { api, el, say } from "./dom.js";

export function offerAdding(masthead) {
  const results = el("ul", { class: "added", role: "status" });
  const files = el("input", { type: "file", multiple: true, class: "unseen", id: "dqa-files", tabindex: "-1", "aria-label": say("add"),
    onchange: () => take([...files.files], results) });
  const button = el("button", { type: "button", class: "quiet", title: say("add_hint"), onclick: () => files.click() }, say("add"));
  masthead.append(el("p", { class: "adding" }, button, files), results);
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    take([...event.dataTransfer.files], results);
  });
}

// One after the other: the store takes one at a time.
async function take(files, results) {
  for (const file of files) {
    const line = el("li", {}, say("adding", { name: file.name }));
    results.append(line);
    const response = await fetch(api("add", { name: file.name }), {
      method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: file,
    }).catch(() => null);
    const told = await response?.json().catch(() => null);
    const why = told?.error?.message ?? say(response ? "failed" : "gone");
    if (response?.ok) line.textContent = say(told.outcome, { name: file.name, ids: told.ids.join(", ") });
    else line.textContent = why.startsWith(file.name) ? why : `${file.name}: ${why}`;
    line.classList.toggle("refused", !response?.ok);
  }
}
