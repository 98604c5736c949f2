// From samples to medians, spreads, ratios and goals.
import { isPortico, limits } from "./peers.mjs";

/** @typedef {import("./cells.mjs").Cell} Cell */
/** @typedef {import("./measure.mjs").Sample} Sample */
/** @typedef {{ median: number, min: number, max: number }} Spread */
/**
 * What one peer did in one cell: samples by round, or why there are none.
 * @typedef {object} Result
 * @property {string} peer
 * @property {Sample[]} samples
 * @property {string} [error]
 */
/**
 * @typedef {object} Figures
 * @property {string} peer
 * @property {Spread} [value] nothing when the peer failed
 * @property {Spread} [ofPortico] its value in proportion to Portico's
 * @property {number} [busy]
 * @property {number} [loadBusy]
 * @property {number} [cpuMicros] processor time for one unit: the least of the rounds
 * @property {number} [p99] µs
 * @property {Record<string, number>} [times] µs at half load, such as p50 and max
 * @property {number} [heap] bytes
 * @property {string} [error]
 */
/** @typedef {{ subject: string, peer: string, goal: number, ratio: Spread, met: boolean }} GoalResult */

const DISTRIBUTION = /** @type {const} */ (["p50", "p90", "p99", "p999", "max"]);

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

/** @param {Result} result */
function values(result) {
  return result.samples.map(({ value }) => value);
}

/** Per second of the server's processor time. @param {Result} result */
function valuesByTime(result) {
  return result.samples.map(({ value, busy = Number.NaN }) => value / busy);
}

/**
 * The ratio is taken round by round, between neighbours in time, so that a machine that slows down hits both.
 * @param {Result} above
 * @param {Result | undefined} below
 * @param {(result: Result) => number[]} [rates]
 */
function ratios(above, below, rates = values) {
  if (below === undefined || above.error !== undefined || below.error !== undefined) return undefined;
  const others = rates(below);
  const pairs = rates(above).slice(0, others.length);
  return spread(pairs.map((value, round) => value / (others[round] ?? Number.NaN)));
}

/**
 * @param {Cell} cell
 * @param {readonly Result[]} results
 * @returns {Figures[]}
 */
export function figures(cell, results) {
  const portico = results.find(({ peer }) => peer === "portico");
  return results.map((result) => {
    const { peer, samples, error } = result;
    if (error !== undefined) return { peer, error };
    const median = (/** @type {Exclude<keyof Sample, "value">} */ key) => {
      const found = samples.map((sample) => sample[key]).filter((value) => value !== undefined);
      return found.length === 0 ? undefined : spread(found).median;
    };
    const [value, busy, loadBusy] = [spread(values(result)), median("busy"), median("loadBusy")];
    const [p99, heap] = [median("p99"), median("heap")];
    const ofPortico = result === portico ? undefined : ratios(result, portico);
    return {
      ...{ peer, value },
      ...(ofPortico !== undefined && { ofPortico }),
      ...(busy !== undefined && { busy }),
      ...(loadBusy !== undefined && { loadBusy }),
      ...(busy !== undefined && cell.kind !== "half-load" && { cpuMicros: leastTime(samples) }),
      ...(p99 !== undefined && { p99 }),
      ...(cell.kind === "half-load" && {
        times: Object.fromEntries(DISTRIBUTION.map((key) => [key, median(key) ?? Number.NaN])),
      }),
      ...(heap !== undefined && { heap }),
    };
  });
}

/**
 * @param {Cell} cell
 * @param {readonly Result[]} results
 * @returns {GoalResult[]} of the goals whose peers were both measured
 */
export function goalResults(cell, results) {
  const named = (/** @type {string} */ name) => results.find(({ peer }) => peer === name);
  return cell.goals.flatMap(({ subject: name = "portico", peer, ratio: goal }) => {
    const subject = named(name);
    const other = peer === "best" ? best(cell, results) : named(peer);
    const ratio = subject && ratios(subject, other, cell.byTime ? valuesByTime : values);
    if (ratio === undefined || other === undefined) return [];
    const met = cell.less ? ratio.median <= goal : ratio.median >= goal;
    return [{ subject: name, peer: other.peer, goal, ratio, met }];
  });
}

/**
 * @param {Cell} cell
 * @param {readonly Result[]} results
 */
function best(cell, results) {
  const sign = cell.less ? -1 : 1;
  return results
    .filter(({ peer, error }) => !limits.includes(peer) && !isPortico(peer) && error === undefined)
    .toSorted((a, b) => sign * (spread(values(b)).median - spread(values(a)).median))[0];
}

/** Neighbours can only add to it. @param {readonly Sample[]} samples with `busy` */
function leastTime(samples) {
  return Math.min(...samples.map(({ busy = 0, value }) => (busy / value) * 1e6));
}
