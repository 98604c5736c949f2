// @ts-check
import { byId, count, make } from "./elements.js";

/** @typedef {import("../messages.ts").ErrorRow} Row */

const KEPT = 50;

/** The errors of the program, the last one first. */
export class Errors {
  #list = byId("errors-list");
  /** @type {Map<string, Row>} */
  #rows = new Map();

  /** @param {readonly Row[]} rows all that the server knows */
  begin(rows) {
    this.#rows.clear();
    this.#list.replaceChildren();
    this.add(rows);
  }

  /** @param {readonly Row[]} rows new ones, and others that have occurred again */
  add(rows) {
    for (const row of [...rows].sort((a, b) => a.lastAt - b.lastAt)) {
      this.#rows.set(row.id, row);
      const before = document.getElementById(`error-${row.id}`);
      // An error that is read stays where it is.
      if (before?.contains(document.activeElement) || before?.querySelector("details[open]"))
        fill(before, row);
      else {
        before?.remove();
        this.#list.prepend(entryOf(row));
      }
    }
    while (this.#list.children.length > KEPT) {
      const last = this.#list.lastElementChild;
      this.#rows.delete(last?.id.slice("error-".length) ?? "");
      last?.remove();
    }
    const total = [...this.#rows.values()].reduce((sum, row) => sum + row.count, 0);
    byId("errors-count").textContent =
      total === 0 ? "" : `${count(total)} in ${count(this.#rows.size)} kinds`;
    this.#list.nextElementSibling?.classList.toggle("shown", this.#rows.size === 0);
  }
}

/** @param {Row} row */
function entryOf(row) {
  const stack = make("details", {}, make("summary", {}, "Stack"), make("pre", { tabindex: "0" }, row.stack));
  const entry = make(
    "li",
    { class: "error", id: `error-${row.id}` },
    make("b", {}, row.text),
    make("p", { class: "note" }),
    row.stack === "" ? "" : stack,
  );
  fill(entry, row);
  return entry;
}

/**
 * @param {HTMLElement} entry
 * @param {Row} row
 */
function fill(entry, { worker, where, count: times, firstAt, lastAt }) {
  const of = worker === 0 ? "" : `worker ${worker} · `;
  const at = where === "" ? of : `${of}${where} · `;
  const since = times === 1 ? "" : ` · ${count(times)} times since ${clock(firstAt)}`;
  const note = entry.querySelector(".note");
  if (note) note.textContent = `${at}${clock(lastAt)}${since}`;
}

/** @param {number} at in milliseconds since 1970 */
function clock(at) {
  return new Date(at).toTimeString().slice(0, 8);
}
