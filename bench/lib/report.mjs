// From samples to medians, spreads and ratios; and the table.

/** @typedef {import("./cells.mjs").Cell} Cell */
/** @typedef {import("./loads.mjs").Sample} Sample */
/** @typedef {{ median: number, min: number, max: number }} Spread */
/**
 * What one peer did in one cell: samples by round, or why there are none.
 * @typedef {object} Result
 * @property {string} peer
 * @property {Sample[]} samples
 * @property {string} [error]
 */
/** @typedef {{ rate: Spread, busy: Spread, ratio?: Spread }} Figures */

/**
 * @param {readonly number[]} values at least one
 * @returns {Spread}
 */
function spread(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (/** @type {number} */ index) => sorted[index] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    min: at(0),
    max: at(sorted.length - 1),
  };
}

/**
 * The ratio is taken round by round, between neighbours in time, so that a machine that slows down hits both.
 * @param {Result} result
 * @param {Result | undefined} base
 * @returns {Figures | undefined} nothing when the peer failed
 */
export function figures(result, base) {
  if (result.error !== undefined) return undefined;
  const rates = result.samples.map((sample) => sample.rate);
  const ratios =
    base === undefined || base.error !== undefined
      ? []
      : rates.map((rate, round) => rate / (base.samples[round]?.rate ?? Number.NaN));
  return {
    rate: spread(rates),
    busy: spread(result.samples.map((sample) => sample.busy)),
    ...(ratios.length > 0 && { ratio: spread(ratios) }),
  };
}

const columns = /** @type {const} */ ([
  ["peer", 14],
  ["per second", 11],
  ["min-max", 20],
  ["ratio", 7],
  ["min-max", 13],
  ["goal", 13],
  ["busy", 6],
]);

/** @param {readonly string[]} texts */
function row(texts) {
  const padded = columns.map(([, width], index) =>
    index === 0 ? (texts[index] ?? "").padEnd(width) : (texts[index] ?? "").padStart(width),
  );
  return `  ${padded.join(" ").trimEnd()}`;
}

/** The table's first line. */
export function tableHead() {
  return row(columns.map(([title]) => title));
}

/**
 * @param {Cell} cell
 * @param {readonly Result[]} results
 * @returns {string} the cell's lines
 */
export function tableRows(cell, results) {
  const base = results.find((result) => result.peer === cell.base);
  const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
  const lines = results.map((result) => {
    const found = figures(result, base);
    if (found === undefined) return `  ${result.peer.padEnd(columns[0][1])} FAILED: ${result.error}`;
    const { rate, ratio, busy } = found;
    return row([
      result.peer,
      whole.format(rate.median),
      `${whole.format(rate.min)}-${whole.format(rate.max)}`,
      ratio === undefined ? "" : ratio.median.toFixed(2),
      ratio === undefined || result === base ? "" : `${ratio.min.toFixed(2)}-${ratio.max.toFixed(2)}`,
      ratio === undefined || !cell.subjects.includes(result.peer) ? "" : goalText(cell, ratio.median),
      `${Math.round(busy.median * 100)} %`,
    ]);
  });
  return [cell.title, ...lines].join("\n");
}

/**
 * @param {Cell} cell
 * @param {number} ratio
 */
function goalText(cell, ratio) {
  return `${cell.goal} ${ratio >= cell.goal ? "met" : "missed"}`;
}
