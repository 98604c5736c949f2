// @ts-check
import { byId, bytes, count, milliseconds, percent } from "./elements.js";
import { Plot } from "./plot.js";

/** @typedef {import("../messages.ts").Sample} Sample */
/** @typedef {Exclude<keyof Sample, "at">} Key */
/** @typedef {import("./plot.js").Series<Key>} Series */

/** What the server keeps, too. */
const KEPT_SECONDS = 600;

/** @type {[title: string, format: (value: number) => string, series: Series[]][]} */
const PLOTS = [
  ["Requests per second", count, [{ key: "requests", name: "requests" }]],
  [
    "Responses per second by status",
    count,
    [
      { key: "success", name: "2xx" },
      { key: "redirect", name: "3xx" },
      { key: "clientError", name: "4xx" },
      { key: "serverError", name: "5xx" },
    ],
  ],
  [
    "Time to respond (ms)",
    milliseconds,
    [
      { key: "p50", name: "p50" },
      { key: "p95", name: "p95" },
      { key: "p99", name: "p99" },
    ],
  ],
  [
    "Messages per second",
    count,
    [
      { key: "messagesIn", name: "in" },
      { key: "messagesOut", name: "out" },
    ],
  ],
  [
    "Open connections",
    count,
    [
      { key: "http", name: "HTTP" },
      { key: "webSockets", name: "WebSocket" },
    ],
  ],
  [
    "Waiting",
    count,
    [
      { key: "waitingEvents", name: "events" },
      { key: "pendingBytes", name: "for slow clients", format: bytes },
    ],
  ],
  [
    "Processor (one core) and event loop",
    percent,
    [
      { key: "cpu", name: "processor" },
      { key: "loopBusy", name: "loop busy" },
    ],
  ],
  [
    "Delay of the event loop and of ticks (ms)",
    milliseconds,
    [
      { key: "loopDelay", name: "loop" },
      { key: "tickLateness", name: "tick late" },
      { key: "tickDuration", name: "tick took" },
    ],
  ],
  [
    "Memory of the process",
    bytes,
    [
      { key: "rss", name: "resident" },
      { key: "heapUsed", name: "heap" },
    ],
  ],
];

/** Plots of the last minutes, all of the same time. */
export class Plots {
  /** @type {import("./plot.js").Point<Key>[]} */
  #points = [];
  #seconds = 120;
  /** @type {[from: number, to: number] | undefined} */
  #zoomed;
  #liveButton = byId("plots-live");
  #plots;

  /** @type {import("./plot.js").View} */
  view = {
    // Without a value the plots end now.
    range: (last) => {
      const end = last || Date.now() / 1_000;
      return this.#zoomed ?? [end - this.#seconds, end];
    },
    zoom: (from, to) => this.#show([from, to]),
  };

  constructor() {
    this.#plots = PLOTS.map(([title, format, series]) => new Plot(title, format, series, this.view));
    byId("plots").append(...this.#plots.map(({ figure }) => figure));
    const ranges = byId("ranges").querySelectorAll("button");
    for (const button of ranges) {
      button.addEventListener("click", () => {
        for (const other of ranges) other.setAttribute("aria-pressed", String(other === button));
        this.#seconds = Number(button.dataset["seconds"]);
        this.#show(undefined);
      });
    }
    this.#liveButton.addEventListener("click", () => {
      this.#show(undefined);
      ranges[0]?.focus();
    });
    const redraw = () => requestAnimationFrame(() => this.#draw());
    new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
    document.addEventListener("visibilitychange", redraw);
  }

  /** Something else is shown from now on. */
  clear() {
    this.#points = [];
    this.#draw();
  }

  /** @param {Readonly<Record<keyof Sample, readonly (number | null)[]>>} history of the server; older points stay */
  begin(history) {
    const points = history.at.map((at, index) => ({
      at: at ?? 0,
      value: (/** @type {Key} */ key) => history[key][index] ?? null,
    }));
    const first = points[0]?.at ?? Number.POSITIVE_INFINITY;
    this.#points = [...this.#points.filter(({ at }) => at < first), ...points];
    this.#draw();
  }

  /** @param {Sample} sample */
  add(sample) {
    const { at } = sample;
    this.#points.push({ at, value: (key) => sample[key] });
    while ((this.#points[0]?.at ?? at) < at - KEPT_SECONDS * 1_000) this.#points.shift();
    this.#draw();
  }

  /** @param {[from: number, to: number] | undefined} zoomed undefined: the last seconds */
  #show(zoomed) {
    this.#zoomed = zoomed;
    this.#liveButton.hidden = zoomed === undefined;
    this.#draw();
  }

  #draw() {
    if (document.hidden) return;
    for (const plot of this.#plots) plot.show(this.#points);
  }
}
