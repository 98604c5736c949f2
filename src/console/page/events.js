// @ts-check
import { byId, count, make } from "./elements.js";

/** @typedef {import("../messages.ts").EventRow} Row */

/** Events that are kept; older ones are forgotten. */
const KEPT = 300;

/** The stream of events, the newest first. */
export class Events {
  #list = byId("events-list");
  #filter = byId("events-filter", HTMLInputElement);
  #pause = byId("events-pause");
  /** The events that have arrived while it is paused. @type {HTMLElement[] | undefined} */
  #waiting;

  constructor() {
    this.#filter.addEventListener("input", () => {
      for (const row of this.#list.children) this.#sift(/** @type {HTMLElement} */ (row));
    });
    this.#pause.addEventListener("click", () => this.#toggle());
    byId("events-clear").addEventListener("click", () => {
      this.#list.replaceChildren();
      if (this.#waiting) this.#waiting = [];
      this.#label();
    });
  }

  /**
   * @param {readonly Row[]} rows
   * @param {number} skipped how many more there were
   */
  add(rows, skipped) {
    const made = rows.map(({ at, worker, kind, text }) =>
      line(new Date(at), kind, worker === 0 ? text : `worker ${worker}: ${text}`),
    );
    if (skipped > 0)
      made.push(line(new Date(), "sampled", `${count(skipped)} more came too fast and are not shown`));
    if (this.#waiting) {
      this.#waiting.push(...made);
      this.#waiting.splice(0, this.#waiting.length - KEPT);
      this.#label();
    } else this.#put(made);
  }

  /** @param {HTMLElement[]} made */
  #put(made) {
    for (const row of made) this.#sift(row);
    this.#list.prepend(...made.reverse());
    while (this.#list.children.length > KEPT) this.#list.lastElementChild?.remove();
  }

  /** @param {HTMLElement} row is hidden when it does not match */
  #sift(row) {
    row.hidden = !(row.textContent ?? "").toLowerCase().includes(this.#filter.value.trim().toLowerCase());
  }

  #toggle() {
    const waiting = this.#waiting;
    this.#waiting = waiting ? undefined : [];
    if (waiting) this.#put(waiting);
    this.#label();
  }

  #label() {
    const paused = this.#waiting !== undefined;
    this.#pause.setAttribute("aria-pressed", String(paused));
    this.#pause.textContent = paused ? `Paused, ${count(this.#waiting?.length ?? 0)} wait` : "Pause";
  }
}

/**
 * @param {Date} at
 * @param {string} kind
 * @param {string} text
 */
function line(at, kind, text) {
  const time = at.toTimeString().slice(0, 8);
  return make(
    "div",
    { "data-kind": kind },
    make("time", {}, time),
    " ",
    make("b", {}, kind),
    " ",
    make("span", {}, text),
  );
}
