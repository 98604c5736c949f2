// @ts-check
import { byId, count, duration, make } from "./elements.js";

/** @typedef {import("../messages.ts").Totals} Totals */

/** @type {[Exclude<keyof Totals, "errorCodes">, string, (value: number) => string][]} */
const TOTALS = [
  ["uptimeSeconds", "Up", duration],
  ["connections", "Connections", count],
  ["requests", "Requests", count],
  ["messagesReceived", "Messages in", count],
  ["messagesSent", "Messages out", count],
  ["messagesDropped", "Dropped", count],
  ["refusedConnections", "Refused", count],
  ["errors", "Errors", count],
  ["clientMistakes", "Bad input", count],
  ["disconnects", "Lost clients", count],
  ["consoles", "Consoles", count],
];

/** Figures since the server was made. */
export class TotalFigures {
  /** @type {Map<keyof Totals, HTMLElement>} */
  #values = new Map();

  constructor() {
    for (const [key, name] of TOTALS) {
      const value = make("dd", { id: `total-${key}` }, "–");
      byId("totals").append(make("div", {}, make("dt", {}, name), value));
      this.#values.set(key, value);
    }
  }

  /** @param {Totals} totals */
  show(totals) {
    for (const [key, , format] of TOTALS) {
      const value = this.#values.get(key);
      if (value) value.textContent = format(totals[key]);
    }
    this.#values.get("errors")?.toggleAttribute("data-bad", totals.errors > 0);
    const codes = Object.entries(totals.errorCodes).map(([code, number]) => `${code} ${count(number)}`);
    byId("error-codes").textContent = codes.length > 0 ? `By code: ${codes.join(", ")}.` : "";
  }
}
