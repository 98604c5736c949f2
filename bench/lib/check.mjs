// Whether Portico has become slower than what was recorded, or than another build.

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { run } from "./processes.mjs";

/** What is guarded, and by whom it is measured. @type {Readonly<Record<string, string>>} */
const yardsticks = {
  "get-pipelined": "node-http",
  "get-routes": "node-http",
  "post-1k": "node-http",
  "echo-20-deep": "ws",
};
const recordFile = new URL("../recorded.json", import.meta.url);
const root = fileURLToPath(new URL("../../", import.meta.url));
const program = fileURLToPath(new URL("in-memory.mjs", import.meta.url));
/** A ratio below this part of what was recorded fails. */
const LEAST_PART = 0.8;
/** Rounds that are made in any case, and as long as something is too slow: by then it is not the machine. */
const [ROUNDS, MOST_ROUNDS] = [3, 12];
const SECONDS = 0.6;
const TIMEOUT_MS = 30_000;

/**
 * The least time of an exchange over several processes: now and then V8 compiles worse code for a whole process.
 * @typedef {object} Series
 * @property {string} peer
 * @property {string} cell
 * @property {string} tree the checkout whose build is measured
 * @property {number} least nanoseconds
 */

/** @param {string} peer @param {string} cell @param {string} tree @returns {Series} */
function series(peer, cell, tree) {
  return { peer, cell, tree, least: Number.POSITIVE_INFINITY };
}

/** @param {Series} one */
async function sample(one) {
  const args = [program, one.peer, one.cell, `${SECONDS}`, one.tree];
  const output = await run(process.execPath, args, { timeoutMs: TIMEOUT_MS, load: true });
  one.least = Math.min(one.least, Number(output));
}

/**
 * Measures two in alternation until the first is fast enough.
 * @param {Series} one
 * @param {Series} other
 * @param {number} goal how many times the time of `one` that of `other` must be
 * @param {number} most rounds
 * @returns {Promise<number>} how many times it is
 */
async function ratioOf(one, other, goal, most) {
  for (let round = 0; round < ROUNDS || (round < most && other.least / one.least < goal); round++) {
    await sample(one);
    await sample(other);
  }
  return other.least / one.least;
}

/**
 * Compares with node:http and ws.
 * @param {boolean} record write the ratios down instead of failing
 * @throws Error when a ratio is too low
 */
export async function check(record) {
  /** @type {Record<string, number>} */
  const recorded = JSON.parse(readFileSync(recordFile, "utf8"));
  /** @type {Record<string, number>} */
  const found = {};
  const slow = [];
  for (const [cell, yardstick] of Object.entries(yardsticks)) {
    const goal = (recorded[cell] ?? 0) * LEAST_PART;
    const [portico, other] = [series("portico", cell, root), series(yardstick, cell, root)];
    const ratio = await ratioOf(portico, other, goal, record ? ROUNDS : MOST_ROUNDS);
    found[cell] = Number(ratio.toFixed(2));
    const line = `${cell}: ${portico.least} ns, ${ratio.toFixed(2)} times as fast as ${yardstick} (recorded: ${recorded[cell]})`;
    console.log(line);
    if (ratio < goal) slow.push(line);
  }
  if (record) writeFileSync(recordFile, `${JSON.stringify(found, null, 2)}\n`);
  else if (slow.length > 0) throw new Error(`Portico has become slower:\n${slow.join("\n")}`);
}

/**
 * Compares this build with that of another checkout, immediate and deferred.
 * @param {string} tree its folder, with dist/ and bench/
 * @param {number} rounds
 */
export async function compare(tree, rounds) {
  for (const peer of ["portico", "portico-polled"]) {
    for (const cell of Object.keys(yardsticks)) {
      const [here, there] = [series(peer, cell, root), series(peer, cell, tree)];
      const ratio = 1 / (await ratioOf(here, there, Number.POSITIVE_INFINITY, rounds));
      console.log(`${peer} ${cell}: ${here.least} ns here, ${there.least} there: ${ratio.toFixed(3)}`);
    }
  }
}
