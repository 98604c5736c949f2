// @ts-check
import { bytes, count, make, milliseconds, percent } from "./elements.js";

/**
 * The time that all plots show.
 * @typedef {object} View
 * @property {(last: number) => [from: number, to: number]} range in seconds since 1970; 0 or null: there is no value
 * @property {(from: number, to: number) => void} zoom
 */

/**
 * A series with a different format has its scale on the right.
 * @template {string} Key
 * @typedef {{ key: Key, name: string, format?: (value: number) => string }} Series
 */

/**
 * @template {string} Key
 * @typedef {{ at: number, value: (key: Key) => number | null }} Point at in milliseconds since 1970
 */

/** A longer time without a value is a gap. */
const GAP_MS = 5_000;
const HEIGHT = 140;
const AXIS_WIDTH = 68;
/** A shorter drag is a click. */
const MIN_DRAG_PX = 6;
const DASHES = [[], [6, 3], [2, 3], [9, 3, 2, 3]];
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
  [percent, ROUND],
  [bytes, BINARY],
  [milliseconds, FRACTIONS],
]);

/**
 * Lines over time.
 * @template {string} Key
 */
export class Plot {
  #format;
  #series;
  #values;
  #uplot;

  /**
   * @param {string} title "" for none
   * @param {(value: number) => string} format
   * @param {readonly Series<Key>[]} series at most four
   * @param {View} view
   */
  constructor(title, format, series, view) {
    this.#format = format;
    this.#series = series;
    this.#values = series.map(() => make("b", {}, "–"));
    const swatches = series.map((_, index) => make("i", { class: `swatch s${index + 1}` }));
    const items = series.map(({ name }, index) =>
      make("li", {}, swatches[index] ?? "", `${name} `, this.#values[index] ?? ""),
    );
    const place = make("div", { class: "plot", "aria-hidden": "true" });
    const heading = title === "" ? "" : make("h3", {}, title);
    this.figure = make("figure", {}, make("figcaption", {}, heading, make("ul", {}, ...items)), place);
    const colours = swatches.map((swatch) => () => getComputedStyle(swatch).color);
    this.#uplot = new uPlot(this.#options(colours, place, view), [[], ...series.map(() => [])], place);
    new ResizeObserver(([entry]) => {
      const width = Math.floor(entry?.contentRect.width ?? 0);
      if (width > 0) this.#uplot.setSize({ width, height: HEIGHT });
    }).observe(place);
  }

  /** @param {readonly Point<Key>[]} points the oldest first */
  show(points) {
    /** @type {number[]} */
    const times = [];
    /** @type {(number | null)[][]} */
    const columns = this.#series.map(() => []);
    points.forEach(({ at, value }, index) => {
      const before = points[index - 1]?.at ?? at;
      if (at - before > GAP_MS) {
        // Nothing is known of the time between: the line breaks off.
        times.push((before + 1) / 1_000);
        for (const column of columns) column.push(null);
      }
      times.push(at / 1_000);
      for (const [place, { key }] of this.#series.entries()) columns[place]?.push(value(key));
    });
    this.#uplot.setData([times, ...columns]);
    this.#tell(this.#uplot.cursor.idx ?? undefined);
  }

  /**
   * @param {(() => string)[]} colours
   * @param {HTMLElement} place
   * @param {View} view
   * @returns {uPlot.Options}
   */
  #options(colours, place, view) {
    const text = () => getComputedStyle(place).color;
    const grid = () => getComputedStyle(place).borderTopColor;
    /** @type {uPlot.Range.Config} */
    const fromZero = { min: { hard: 0, soft: 0, mode: 1, pad: 0 }, max: { soft: 1, mode: 1, pad: 0.1 } };
    const other = this.#series.find(({ format }) => format !== undefined)?.format;
    const axis = {
      stroke: text,
      grid: { stroke: grid, width: 1 },
      ticks: { stroke: grid, width: 1 },
      font: "12px system-ui",
    };
    /** @param {((value: number) => string) | undefined} format */
    const labels = (format) => ({
      size: AXIS_WIDTH,
      space: 30,
      incrs: STEPS.get(format) ?? FRACTIONS,
      /** @param {uPlot} _plot @param {number[]} splits */
      values: (_plot, splits) => splits.map((value) => format?.(value) ?? ""),
    });
    return {
      width: 320,
      height: HEIGHT,
      legend: { show: false },
      cursor: { y: false, drag: { x: true, y: false, setScale: false } },
      scales: {
        x: { range: (_plot, _least, most) => view.range(most) },
        y: { range: fromZero },
        z: { range: fromZero },
      },
      axes: [
        { ...axis, size: 28, space: 90, values: (_plot, splits) => splits.map(clock) },
        { ...axis, ...labels(this.#format) },
        { ...axis, ...labels(other), show: other !== undefined, scale: "z", side: 1, grid: { show: false } },
      ],
      series: [
        {},
        ...this.#series.map(({ format }, index) => ({
          scale: format === undefined ? "y" : "z",
          stroke: () => colours[index]?.() ?? text(),
          width: 1.5,
          dash: DASHES[index] ?? [],
          points: { show: true, size: 4, filter: alone },
        })),
      ],
      hooks: {
        setCursor: [(plot) => this.#tell(plot.cursor.idx ?? undefined)],
        setSelect: [(plot) => zoomTo(plot, view)],
      },
    };
  }

  /**
   * Writes the values under the pointer, or the last ones.
   * @param {number} [index]
   */
  #tell(index) {
    this.#series.forEach(({ format = this.#format }, at) => {
      const [shown, column] = [this.#values[at], this.#uplot.data[at + 1] ?? []];
      const value = column[index ?? column.length - 1] ?? null;
      const text = value === null ? "none" : format(value);
      if (shown && shown.textContent !== text) shown.textContent = text;
    });
  }
}

/**
 * @param {uPlot} plot
 * @param {View} view
 */
function zoomTo(plot, view) {
  const { left, width } = plot.select;
  if (width < MIN_DRAG_PX) return;
  const [from, to] = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  view.zoom(from, to);
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
