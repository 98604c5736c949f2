// The figures as lines of text.

/** @typedef {import("./report.mjs").Figures} Figures */
/** @typedef {import("./report.mjs").GoalResult} GoalResult */

const columns = /** @type {const} */ ([
  ["peer", 14],
  ["median", 11],
  ["min-max", 21],
  ["of Portico", 11],
  ["min-max", 13],
  ["p99", 9],
  ["CPU each", 9],
  ["busy", 6],
  ["load", 6],
  ["", 0],
  ["", 0],
]);
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** @param {number} value */
function number(value) {
  return value < 100 ? value.toFixed(1) : whole.format(value);
}

/** @param {number | undefined} share */
function percent(share) {
  return share === undefined ? "" : `${Math.round(share * 100)} %`;
}

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
 * @param {import("./cells.mjs").Cell} cell
 * @param {readonly Figures[]} all
 * @param {readonly GoalResult[]} goals
 * @returns {string} the cell's lines
 */
export function tableRows(cell, all, goals) {
  const title = `${cell.name}: ${cell.title} (${cell.unit}${cell.less ? ", less is better" : ""})`;
  return [title, ...all.map(peerRow), ...goals.map((goal) => goalRow(goal, cell.less === true))].join("\n");
}

/** @param {Readonly<Record<string, number>>} times µs */
function distribution(times) {
  return Object.entries(times)
    .map(([share, time]) => `${share} ${number(time)}`)
    .join(", ");
}

/** @param {Figures} figures */
function peerRow({ peer, value, ofPortico, p99, times, cpuMicros, busy, loadBusy, heap, error }) {
  if (value === undefined) return `  ${peer.padEnd(columns[0][1])} FAILED: ${error}`;
  return row([
    peer,
    number(value.median),
    `${number(value.min)}-${number(value.max)}`,
    ofPortico === undefined ? "" : ofPortico.median.toFixed(2),
    ofPortico === undefined ? "" : `${ofPortico.min.toFixed(2)}-${ofPortico.max.toFixed(2)}`,
    p99 === undefined ? "" : `${number(p99)} µs`,
    cpuMicros === undefined ? "" : `${cpuMicros.toFixed(cpuMicros < 10 ? 2 : 0)} µs`,
    percent(busy),
    percent(loadBusy),
    heap === undefined ? "" : `${number(heap)} B of heap`,
    times === undefined ? "" : distribution(times),
  ]);
}

/**
 * @param {GoalResult} goal
 * @param {boolean} less
 */
function goalRow({ subject, peer, goal, ratio, met }, less) {
  const found = `${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)}-${ratio.max.toFixed(2)})`;
  const wanted = `${less ? "at most" : "at least"} ${Number(goal.toFixed(2))}`;
  return `    goal: ${subject} ${wanted} of ${peer}: ${found} ${met ? "met" : "MISSED"}`;
}
