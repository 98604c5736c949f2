// @ts-check
import { byId, bytes, count, duration, make, milliseconds, percent } from "./elements.js";
import { SortableTable } from "./table.js";

/** @typedef {Extract<import("../messages.ts").ConsoleMessage, { type: "tables" }>} Message */
/** @typedef {import("../messages.ts").WorkerRow} WorkerRow */
/** @typedef {import("../messages.ts").BrokerRow} BrokerRow */
/** @typedef {import("../messages.ts").NodeRow} NodeRow */

/**
 * A column of numbers.
 * @template Row
 * @param {string} key
 * @param {string} label
 * @param {(row: Row) => number | null} value
 * @param {(value: number) => string} format
 * @returns {import("./table.js").Column<Row>}
 */
function number(key, label, value, format) {
  const text = (/** @type {number | null} */ found) => (found === null ? "–" : format(found));
  return { key, label, text: (row) => text(value(row)), value: (row) => value(row) ?? -1, isNumber: true };
}

/** @param {number} value in milliseconds */
const time = (value) => `${milliseconds(value)} ms`;

/** @type {import("./table.js").Column<WorkerRow>[]} */
const WORKERS = [
  number("worker", "Worker", ({ worker }) => worker, String),
  number("pid", "Process", ({ pid }) => pid, String),
  number("requests", "Requests/s", ({ requests }) => requests, count),
  number("p99", "p99", ({ p99 }) => p99, time),
  number("http", "HTTP", ({ http }) => http, count),
  number("webSockets", "WebSockets", ({ webSockets }) => webSockets, count),
  number("topics", "Topics", ({ topics }) => topics, count),
  number("cpu", "Processor", ({ cpu }) => cpu, percent),
  number("loopDelay", "Loop delay", ({ loopDelay }) => loopDelay, time),
  number("rss", "Memory", ({ rss }) => rss, bytes),
  number("uptimeSeconds", "Up", ({ uptimeSeconds }) => uptimeSeconds, duration),
];

/** @type {import("./table.js").Column<BrokerRow>[]} */
const BROKERS = [
  { ...number("worker", "Worker", ({ worker }) => worker, String), isWorker: true },
  { key: "name", label: "Broker", text: ({ name }) => name },
  { key: "state", label: "State", text: ({ state }) => state },
  number("sent", "Sent", ({ sent }) => sent, count),
  number("received", "Received", ({ received }) => received, count),
  number("dropped", "Dropped", ({ dropped }) => dropped, count),
  number("waitingMessages", "Waiting", ({ waitingMessages }) => waitingMessages, count),
  number("waitingBytes", "Waiting bytes", ({ waitingBytes }) => waitingBytes, bytes),
];

/** @type {import("./table.js").Column<NodeRow>[]} */
const NODES = [
  {
    key: "id",
    label: "Server",
    text: ({ id, isOwn }) => `${id.slice(0, 8)}${isOwn ? ", this program" : ""}`,
  },
  { key: "host", label: "Host", text: ({ host }) => host },
  number("pid", "Process", ({ pid }) => pid, String),
  {
    key: "worker",
    label: "Worker",
    text: ({ worker }) => (worker === 0 ? "–" : String(worker)),
    value: ({ worker }) => worker,
    isNumber: true,
  },
  number("openConnections", "Connections", ({ openConnections }) => openConnections, count),
  number("openWebSockets", "WebSockets", ({ openWebSockets }) => openWebSockets, count),
  number("dropped", "Dropped", ({ dropped }) => dropped, count),
  number("uptimeSeconds", "Up", ({ uptimeSeconds }) => uptimeSeconds, duration),
];

/** The workers, which of them the page shows, the broker, and the servers that use it. */
export class Workers {
  #choice = byId("worker", HTMLSelectElement);
  /** @type {SortableTable<WorkerRow>} */
  #workers = new SortableTable(byId("workers-table"), {
    columns: WORKERS,
    keyOf: ({ pid }) => String(pid),
    sort: "worker",
  });
  /** @type {SortableTable<BrokerRow>} */
  #brokers = new SortableTable(byId("brokers-table"), {
    columns: BROKERS,
    keyOf: ({ worker }) => String(worker),
    sort: "worker",
  });
  /** @type {SortableTable<NodeRow>} */
  #nodes = new SortableTable(byId("nodes-table"), { columns: NODES, keyOf: ({ id }) => id, sort: "host" });

  /** @param {(worker: string) => void} choose called with the worker that the page is to show; "0" for all */
  constructor(choose) {
    this.#choice.addEventListener("change", () => choose(this.#choice.value));
  }

  /** The worker that the page shows; "0" for all. */
  get chosen() {
    return this.#choice.value;
  }

  /** @param {number} own the worker that serves the page; 0 without workers */
  begin(own) {
    document.documentElement.toggleAttribute("data-workers", own !== 0);
    show("workers", own !== 0);
    byId("worker-label").hidden = own === 0;
    byId("own-worker").textContent = own === 0 ? "" : `of worker ${own}`;
  }

  /** @param {Message} message */
  show({ workers, silent, brokers, nodes }) {
    this.#workers.show(workers);
    byId("workers-count").textContent =
      silent === 0 ? String(workers.length) : `${workers.length}, and ${silent} without an answer`;
    for (const { worker } of workers) this.#offer(worker);
    show("broker", brokers.length > 0);
    this.#brokers.show(brokers);
    this.#nodes.show(nodes);
    byId("broker-state").textContent = [
      ...new Set(brokers.map(({ name, state }) => `${name}, ${state}`)),
    ].join("; ");
  }

  /**
   * Adds a worker to the choice, in the order of their numbers.
   * @param {number} worker
   */
  #offer(worker) {
    const options = [...this.#choice.options];
    if (worker === 0 || options.some(({ value }) => value === String(worker))) return;
    const next = options.find(({ value }) => Number(value) > worker) ?? null;
    this.#choice.insertBefore(make("option", { value: String(worker) }, `Worker ${worker}`), next);
  }
}

/**
 * @param {string} id of a section, and of its link
 * @param {boolean} isShown
 */
function show(id, isShown) {
  byId(id).hidden = !isShown;
  byId(`${id}-link`).hidden = !isShown;
}
