// @ts-check
import { byId, bytes, count, duration, make, milliseconds } from "./elements.js";

/** @typedef {import("../messages.ts").Sample} Sample */
/** @typedef {import("../messages.ts").Totals} Totals */
/** @typedef {[key: Exclude<keyof Sample, "at">, name: string, format?: (value: number) => string]} Series */

const WINDOW_SECONDS = 120;
/** A longer time without a sample is a gap. */
const GAP_MS = 5_000;
const HEIGHT = 140;
const AXIS_WIDTH = 68;
const DASHES = [[], [6, 3], [2, 3]];
/** Steps between the lines of an axis: whole numbers, round ones; for bytes powers of two. */
const ROUND = Array.from(
  { length: 36 },
  (_, index) => ([1, 2, 5][index % 3] ?? 1) * 10 ** Math.floor(index / 3),
);
const BINARY = Array.from({ length: 50 }, (_, index) => 2 ** index);
const FRACTIONS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, ...ROUND];

/** @type {Map<unknown, number[]>} */
const STEPS = new Map([
  [count, ROUND],
  [bytes, BINARY],
  [milliseconds, FRACTIONS],
]);

/**
 * A series with a format of its own has its scale on the right.
 * @type {[title: string, format: (value: number) => string, ...series: Series[]][]}
 */
const PLOTS = [
  ["Responses per second", count, ["requests", "responses"]],
  ["Messages per second", count, ["messagesIn", "in"], ["messagesOut", "out"]],
  ["Time to respond (ms)", milliseconds, ["p50", "p50"], ["p95", "p95"], ["p99", "p99"]],
  ["Open connections", count, ["http", "HTTP"], ["webSockets", "WebSocket"]],
  ["Memory of the process", bytes, ["rss", "resident"], ["heapUsed", "heap"]],
  ["What waits", count, ["waitingEvents", "events"], ["pendingBytes", "for slow peers", bytes]],
];

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
  ["consoles", "Consoles", count],
];

/** Plots of the last two minutes, and the totals above them. */
export class Plots {
  /** @type {Sample[]} */
  #samples = [];
  #plots = PLOTS.map((plan) => new Plot(plan));
  /** @type {Map<keyof Totals, HTMLElement>} */
  #totals = new Map();

  constructor() {
    byId("plots").append(...this.#plots.map((plot) => plot.figure));
    for (const [key, name] of TOTALS) {
      const value = make("dd", { id: `total-${key}` }, "–");
      byId("totals").append(make("div", {}, make("dt", {}, name), value));
      this.#totals.set(key, value);
    }
    const redraw = () => requestAnimationFrame(() => this.#draw());
    new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
    document.addEventListener("visibilitychange", redraw);
  }

  /** @param {readonly Sample[]} samples that the server has; what was seen before stays */
  begin(samples) {
    const first = samples[0]?.at ?? Number.POSITIVE_INFINITY;
    this.#samples = [...this.#samples.filter(({ at }) => at < first), ...samples];
    this.#draw();
  }

  /**
   * @param {Sample} sample
   * @param {Totals} totals
   */
  add(sample, totals) {
    this.#samples.push(sample);
    while ((this.#samples[0]?.at ?? sample.at) < sample.at - WINDOW_SECONDS * 1_000) this.#samples.shift();
    for (const [key, , format] of TOTALS) {
      const value = this.#totals.get(key);
      if (value) value.textContent = format(totals[key]);
    }
    const codes = Object.entries(totals.errorCodes).map(([code, number]) => `${code} ${count(number)}`);
    byId("error-codes").textContent = codes.length > 0 ? `Errors by code: ${codes.join(", ")}.` : "";
    this.#draw();
  }

  #draw() {
    if (document.hidden) return;
    for (const plot of this.#plots) plot.show(this.#samples);
  }
}

class Plot {
  #format;
  #series;
  #values;
  #uplot;

  /** @param {typeof PLOTS[number]} plan */
  constructor([title, format, ...series]) {
    this.#format = format;
    this.#series = series;
    this.#values = series.map(() => make("b", {}, "–"));
    const swatches = series.map((_, index) => make("i", { class: `swatch s${index + 1}` }));
    const legend = make(
      "ul",
      {},
      ...series.map(([, name], index) =>
        make("li", {}, swatches[index] ?? "", `${name} `, this.#values[index] ?? ""),
      ),
    );
    const place = make("div", { class: "plot", "aria-hidden": "true" });
    this.figure = make("figure", {}, make("figcaption", {}, make("h3", {}, title), legend), place);
    /** @param {number} index */
    const colour = (index) => getComputedStyle(swatches[index] ?? place).color;
    const text = () => getComputedStyle(place).color;
    const grid = () => getComputedStyle(place).borderTopColor;
    /** @type {uPlot.Range.Config} */
    const fromZero = { min: { hard: 0, soft: 0, mode: 1, pad: 0 }, max: { soft: 1, mode: 1, pad: 0.1 } };
    const other = series.find(([, , own]) => own !== undefined)?.[2];
    const axis = {
      stroke: text,
      grid: { stroke: grid, width: 1 },
      ticks: { stroke: grid, width: 1 },
      font: "12px system-ui",
    };
    this.#uplot = new uPlot(
      {
        width: 320,
        height: HEIGHT,
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false } },
        scales: {
          x: { range: (_plot, _least, most) => [most - WINDOW_SECONDS, most] },
          y: { range: fromZero },
          z: { range: fromZero },
        },
        axes: [
          { ...axis, size: 28, space: 90, values: (_plot, splits) => splits.map(clock) },
          {
            ...axis,
            size: AXIS_WIDTH,
            space: 30,
            incrs: STEPS.get(format) ?? ROUND,
            values: (_plot, splits) => splits.map((value) => format(value)),
          },
          {
            ...axis,
            show: other !== undefined,
            scale: "z",
            side: 1,
            grid: { show: false },
            size: AXIS_WIDTH,
            space: 30,
            incrs: STEPS.get(other) ?? ROUND,
            values: (_plot, splits) => splits.map((value) => other?.(value) ?? ""),
          },
        ],
        series: [
          {},
          ...series.map(([, , own], index) => ({
            scale: own === undefined ? "y" : "z",
            stroke: () => colour(index),
            width: 1.5,
            dash: DASHES[index] ?? [],
            points: { show: true, size: 4, filter: alone },
          })),
        ],
        hooks: { setCursor: [(plot) => this.#tell(plot.cursor.idx ?? undefined)] },
      },
      [[], ...series.map(() => [])],
      place,
    );
    new ResizeObserver(([entry]) => {
      const width = Math.floor(entry?.contentRect.width ?? 0);
      if (width > 0) this.#uplot.setSize({ width, height: HEIGHT });
    }).observe(place);
  }

  /** @param {readonly Sample[]} samples */
  show(samples) {
    /** @type {number[]} */
    const times = [];
    /** @type {(number | null)[][]} */
    const columns = this.#series.map(() => []);
    samples.forEach((sample, index) => {
      const before = samples[index - 1]?.at ?? sample.at;
      if (sample.at - before > GAP_MS) {
        // Nothing is known of the time between: the line breaks off.
        times.push((before + 1) / 1_000);
        for (const column of columns) column.push(null);
      }
      times.push(sample.at / 1_000);
      for (const [at, [key]] of this.#series.entries()) columns[at]?.push(sample[key]);
    });
    this.#uplot.setData([times, ...columns]);
    this.#tell(this.#uplot.cursor.idx ?? undefined);
  }

  /**
   * Writes the values under the pointer, or the last ones.
   * @param {number} [index]
   */
  #tell(index) {
    this.#series.forEach(([, , format = this.#format], at) => {
      const [shown, column] = [this.#values[at], this.#uplot.data[at + 1] ?? []];
      const value = column[index ?? column.length - 1] ?? null;
      if (shown) shown.textContent = value === null ? "none" : format(value);
    });
  }
}

/** @param {number} seconds since 1970 */
function clock(seconds) {
  return new Date(seconds * 1_000).toTimeString().slice(0, 8);
}

/**
 * The values between two gaps, which no line shows.
 * @param {uPlot} plot
 * @param {number} series
 */
function alone(plot, series) {
  const values = plot.data[series] ?? [];
  return [...values.keys()].filter(
    (index) => values[index] != null && values[index - 1] == null && values[index + 1] == null,
  );
}
