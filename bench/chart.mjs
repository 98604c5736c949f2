// Draws what a run with --json has found: node bench/chart.mjs result.json chart.svg
// A bar for each cell and peer: to the right Portico is ahead, to the left the peer is; the scale is logarithmic.
import { readFileSync, writeFileSync } from "node:fs";

/** @typedef {import("./lib/report.mjs").Figures} Figures */
/** @typedef {Omit<import("./lib/cells.mjs").Cell, "goals"> & { results: Figures[], goals: import("./lib/report.mjs").GoalResult[] }} MeasuredCell */
/** @typedef {{ peer: string, lead: number, goal: number | undefined }} Bar */

const PEERS = ["uws", "bun", "node-http", "ws", "fastify", "hono"];
const [ROW, GAP, TOP, LEFT, WIDTH, RIGHT] = [16, 8, 64, 230, 500, 60];
const [LEAST, MOST] = [1 / 16, 16];

/** How far right of the left end a ratio is. @param {number} ratio */
function x(ratio) {
  const bounded = Math.min(MOST, Math.max(LEAST, ratio));
  return LEFT + (Math.log(bounded / LEAST) / Math.log(MOST / LEAST)) * WIDTH;
}

/** Portico's lead over each peer. @param {MeasuredCell} cell @returns {Bar[]} */
function bars(cell) {
  return PEERS.flatMap((peer) => {
    const of = cell.results.find((result) => result.peer === peer)?.ofPortico?.median;
    if (of === undefined) return [];
    const goal = cell.goals.find((each) => each.peer === peer && each.subject === "portico")?.goal;
    const wanted = goal !== undefined && cell.less ? 1 / goal : goal;
    return [{ peer, lead: cell.less ? of : 1 / of, goal: wanted }];
  });
}

/** @param {string} text */
function escaped(text) {
  return text.replace(/[&<>]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[sign] ?? "");
}

/**
 * @param {Bar} bar
 * @param {number} y
 */
function drawBar({ peer, lead, goal }, y) {
  const [from, to] = lead < 1 ? [x(lead), x(1)] : [x(1), x(lead)];
  const kind = lead < 1 ? "behind" : "ahead";
  const mark = goal === undefined ? "" : `<path class="goal" d="M${x(goal).toFixed(1)} ${y}v${ROW - 3}"/>`;
  return [
    `<text x="${LEFT - 8}" y="${y + 10}" text-anchor="end">${peer}</text>`,
    `<rect class="${kind}" x="${from.toFixed(1)}" y="${y}" width="${Math.max(1, to - from).toFixed(1)}" height="${ROW - 3}"/>`,
    `<text x="${LEFT + WIDTH + RIGHT - 12}" y="${y + 10}" text-anchor="end">${lead.toFixed(2)}</text>${mark}`,
  ].join("");
}

/** @param {readonly MeasuredCell[]} cells @param {string} note */
function draw(cells, note) {
  let y = TOP;
  const lines = [];
  for (const cell of cells) {
    const found = bars(cell);
    if (found.length === 0) continue;
    lines.push(`<text class="cell" x="12" y="${y + 10}">${escaped(cell.name)}</text>`);
    for (const bar of found) {
      lines.push(drawBar(bar, y));
      y += ROW;
    }
    y += GAP;
  }
  const grid = [1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8, 16].map((ratio) => {
    const name = ratio < 1 ? `1/${1 / ratio}` : `${ratio}`;
    const line = `<path class="${ratio === 1 ? "one" : "grid"}" d="M${x(ratio).toFixed(1)} ${TOP - 8}V${y}"/>`;
    return `${line}<text x="${x(ratio).toFixed(1)}" y="${TOP - 14}" text-anchor="middle">${name}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${LEFT + WIDTH + RIGHT} ${y + 8}" role="img" font-family="system-ui, sans-serif" font-size="11">
<title>Portico in proportion to its peers</title>
<style>
.ground { fill: #fff } text { fill: #24292f } .cell { font-weight: 600 } .ahead { fill: #2a7f62 } .behind { fill: #b5553a }
.grid { stroke: #8886 } .one { stroke: #888 } .goal { stroke: #24292f; stroke-width: 2 }
@media (prefers-color-scheme: dark) { .ground { fill: #14181d } text { fill: #d6dbe1 } .ahead { fill: #4fb08e } .behind { fill: #d9805f } .goal { stroke: #f0f3f6 } }
</style>
<rect class="ground" width="100%" height="100%"/>
<text class="cell" x="12" y="18" font-size="14">Portico in proportion to its peers: more than 1 is better; the short line is the goal</text>
<text x="12" y="34">${escaped(note)}</text>
${[...grid, ...lines].join("\n")}
</svg>
`;
}

const [from, to] = process.argv.slice(2);
if (from === undefined || to === undefined) {
  console.error("usage: node bench/chart.mjs result.json chart.svg");
  process.exitCode = 2;
} else {
  const { date, rounds, seconds, machine, cells } = JSON.parse(readFileSync(from, "utf8"));
  const note = `${date.slice(0, 10)}, Node ${machine.node}, ${machine.cpus} x ${machine.cpu}, median of ${rounds} rounds of ${seconds} s`;
  writeFileSync(to, draw(cells, note));
}
