// The ratios to Node's own servers that a run is held to.
import { readFileSync, writeFileSync } from "node:fs";
import { ratioOf } from "./report.mjs";

/** @typedef {import("./cells.mjs").Cell} Cell */
/** @typedef {import("./report.mjs").Result} Result */
/** Ratios of Portico to a peer, by cell and peer. @typedef {Record<string, Record<string, number>>} Record_ */
/** @typedef {{ cell: string, peer: string, ratio: number, least: number }} Drop */

const file = new URL("../recorded.json", import.meta.url);
const peers = ["node-http", "ws"];
/** Below this part of what was recorded something has become slower; above, it may be the machine. */
const LEAST_PART = 0.8;

/** @returns {Record_} */
export function readRecord() {
  return JSON.parse(readFileSync(file, "utf8"));
}

/** @param {Record_} record */
export function writeRecord(record) {
  writeFileSync(file, `${JSON.stringify(record, null, 2)}\n`);
}

/**
 * @param {readonly Result[]} results
 * @param {"median" | "min"} which the lowest round is what is recorded: later runs on a busy machine must come near it
 * @returns {Record<string, number>} by peer, as far as it was measured
 */
export function ratiosOf(results, which) {
  /** @type {Record<string, number>} */
  const ratios = {};
  for (const peer of peers) {
    const ratio = ratioOf(results, "portico", peer);
    if (ratio !== undefined) ratios[peer] = Number(ratio[which].toFixed(2));
  }
  return ratios;
}

/**
 * @param {Cell} cell
 * @param {readonly Result[]} results
 * @param {Record_} record
 * @returns {Drop[]}
 */
export function dropsOf(cell, results, record) {
  return Object.entries(ratiosOf(results, "median")).flatMap(([peer, ratio]) => {
    const least = (record[cell.name]?.[peer] ?? 0) * LEAST_PART;
    return ratio < least ? [{ cell: cell.name, peer, ratio, least }] : [];
  });
}
