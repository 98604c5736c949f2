// @ts-check
import { byId, bytes, count, duration, make, notify } from "./elements.js";
import { SortableTable } from "./table.js";

/** @typedef {import("../messages.ts").ConnectionRow} Row */
/** @typedef {import("./live.js").Live} Live */

/** The table of connections, sorted and filtered by the server. */
export class Connections {
  #filter = byId("connections-filter", HTMLInputElement);
  #question = byId("question", HTMLDialogElement);
  /** Closes the connection that the question is about. */
  #confirmed = () => {};
  #sort = "";
  #live;
  #table;

  /** @param {Live} live */
  constructor(live) {
    this.#live = live;
    this.#filter.addEventListener("input", () => live.send({ type: "filter", text: this.#filter.value }));
    this.#question.addEventListener("close", () => {
      if (this.#question.returnValue === "yes") this.#confirmed();
    });
    this.#table = new SortableTable(byId("connections-table"), {
      columns: COLUMNS,
      keyOf: ({ id }) => id,
      onSort: (sort) => {
        this.#sort = sort;
        live.send({ type: "sort", text: sort });
      },
      action: (row) => this.#closeButton(row),
    });
  }

  /** Sends the filter and the order again, because a new connection has none. */
  askAgain() {
    this.#live.send({ type: "filter", text: this.#filter.value });
    this.#live.send({ type: "sort", text: this.#sort });
  }

  /** @param {Extract<import("../messages.ts").ConsoleMessage, { type: "connections" }>} message */
  show({ rows, matching, sifted, total }) {
    this.#table.show(rows);
    const among = sifted < total ? `, among the oldest ${count(sifted)}` : "";
    const part = rows.length < matching ? `, the first ${rows.length} are shown` : "";
    const some = matching === total ? count(total) : `${count(matching)} of ${count(total)}`;
    byId("connections-count").textContent = `${some} open${among}${part}`;
  }

  /** @param {Row} row */
  #closeButton({ id, remote, own }) {
    const button = make("button", { type: "button", "aria-label": `Close ${remote}` }, "Close");
    const close = () => {
      this.#live.send({ type: "close", id });
      notify(`Closing ${remote}`);
    };
    button.addEventListener("click", () => {
      if (!own) return close();
      this.#confirmed = close;
      this.#question.returnValue = "";
      this.#question.showModal();
    });
    return button;
  }
}

/** @type {import("./table.js").Column<Row>[]} */
const COLUMNS = [
  { key: "", label: "Id", text: ({ id }) => id.slice(0, 8) },
  { key: "worker", label: "Worker", text: ({ worker }) => String(worker), isNumber: true, isWorker: true },
  { key: "kind", label: "Kind", text: ({ kind, own }) => (own ? `${kind}, a console` : kind) },
  { key: "remote", label: "Remote", text: ({ remote }) => remote },
  { key: "serves", label: "Serves", text: ({ serves }) => serves || "idle" },
  {
    key: "requestAgeMs",
    label: "Request age",
    text: ({ requestAgeMs, requestIsOlder }) =>
      requestAgeMs === null ? "–" : `${requestIsOlder ? "over " : ""}${duration(requestAgeMs / 1_000)}`,
    isNumber: true,
  },
  { key: "ageMs", label: "Age", text: ({ ageMs }) => duration(ageMs / 1_000), isNumber: true },
  {
    key: "bytesReceived",
    label: "Received",
    text: ({ bytesReceived }) => bytes(bytesReceived),
    isNumber: true,
  },
  { key: "bytesSent", label: "Sent", text: ({ bytesSent }) => bytes(bytesSent), isNumber: true },
  {
    key: "bufferedBytes",
    label: "Buffered",
    text: ({ bufferedBytes }) => bytes(bufferedBytes),
    isNumber: true,
  },
];
