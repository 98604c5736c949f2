// @ts-check
import { byId, bytes, count, duration, make, notify } from "./elements.js";

/** @typedef {import("../messages.ts").ConnectionRow} Row */
/** @typedef {import("./live.js").Live} Live */

const LABELS = ["Id", "Kind", "Remote", "Serves", "Age", "Received", "Sent", "Buffered"];
const FIRST_NUMBER = 4;

/** The table of connections. Rows stay the same elements while their connection lives, so that focus stays, too. */
export class Connections {
  /** @type {Map<string, { row: HTMLTableRowElement, cells: HTMLElement[] }>} */
  #shown = new Map();
  #body = byId("connections-rows");
  #filter = byId("connections-filter", HTMLInputElement);
  /** @type {Live} */
  #live;

  /** @param {Live} live */
  constructor(live) {
    this.#live = live;
    this.#filter.addEventListener("input", () => this.askAgain());
  }

  /** Tells the server what is to be shown. */
  askAgain() {
    this.#live.send({ type: "filter", text: this.#filter.value });
  }

  /** @param {Extract<import("../messages.ts").ConsoleMessage, { type: "connections" }>} message */
  show({ rows, matching, sifted, total }) {
    const ids = new Set(rows.map(({ id }) => id));
    for (const [id, { row }] of this.#shown) {
      if (ids.has(id)) continue;
      if (row.contains(document.activeElement)) this.#focusBeside(row);
      row.remove();
      this.#shown.delete(id);
    }
    rows.forEach((row, index) => {
      const { row: element, cells } = this.#shown.get(row.id) ?? this.#add(row);
      write(cells, row);
      const there = this.#body.children[index];
      if (there !== element) this.#body.insertBefore(element, there ?? null);
    });
    const among = sifted < total ? `, among the oldest ${count(sifted)}` : "";
    const part = rows.length < matching ? `, the oldest ${rows.length} are shown` : "";
    const some = matching === total ? count(total) : `${count(matching)} of ${count(total)}`;
    byId("connections-count").textContent = `${some} open${among}${part}`;
  }

  /** @param {Row} row */
  #add({ id, remote }) {
    const cells = LABELS.map((label, index) =>
      make("td", { "data-label": label, class: index < FIRST_NUMBER ? "" : "number" }),
    );
    const button = make("button", { type: "button", "aria-label": `Close ${remote}` }, "Close");
    button.addEventListener("click", () => {
      this.#live.send({ type: "close", id });
      notify(`Closing ${remote}`);
    });
    const row = make("tr", { "data-id": id }, ...cells, make("td", { class: "action" }, button));
    const entry = { row, cells };
    this.#shown.set(id, entry);
    return entry;
  }

  /** @param {Element} row that is about to go */
  #focusBeside(row) {
    const beside = row.nextElementSibling ?? row.previousElementSibling;
    const button = beside?.querySelector("button");
    (button ?? this.#filter).focus();
  }
}

/**
 * @param {HTMLElement[]} cells
 * @param {Row} row
 */
function write(cells, row) {
  const values = [
    row.id.slice(0, 8),
    row.own ? `${row.kind}, a console` : row.kind,
    row.remote,
    row.serves || "idle",
    duration(row.ageMs / 1_000),
    bytes(row.bytesReceived),
    bytes(row.bytesSent),
    bytes(row.bufferedBytes),
  ];
  values.forEach((value, index) => {
    const cell = cells[index];
    if (cell && cell.textContent !== value) cell.textContent = value;
  });
}
