// Measures Portico beside its peers. See README.md in this folder.
import { existsSync, statSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { cells as allCells, peers as allPeers, modes } from "./lib/cells.mjs";
import { prepareLoads } from "./lib/loads.mjs";
import { killAll, pinned, run, startServer } from "./lib/processes.mjs";
import { figures, tableHead, tableRows } from "./lib/report.mjs";

/** @typedef {import("./lib/cells.mjs").Cell} Cell */
/** @typedef {import("./lib/cells.mjs").Mode} Mode */
/** @typedef {import("./lib/report.mjs").Result} Result */

const INSTALL_TIMEOUT_MS = 120_000;
const usage = `npm run bench -- [${Object.keys(modes).join(" | ")}] [--cells a,b] [--peers a,b] [--json FILE]
  cells: ${allCells.map((cell) => cell.name).join(", ")}
  peers: ${Object.keys(allPeers).join(", ")}`;

function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { cells: { type: "string" }, peers: { type: "string" }, json: { type: "string" } },
  });
  const [name = "full", ...rest] = positionals;
  const mode = modes[name];
  if (mode === undefined || rest.length > 0)
    throw new Error(`unknown mode ${positionals.join(" ")}\n${usage}`);
  const cellNames = values.cells?.split(",") ?? mode.cells.map((cell) => cell.name);
  const peers = values.peers?.split(",") ?? [...mode.peers];
  const cells = cellNames.map((cellName) => {
    const cell = [...mode.cells, ...allCells].find((candidate) => candidate.name === cellName);
    if (cell === undefined) throw new Error(`unknown cell ${cellName}\n${usage}`);
    return cell;
  });
  for (const peer of peers) if (!(peer in allPeers)) throw new Error(`unknown peer ${peer}\n${usage}`);
  return { name, mode: { ...mode, cells }, peers, json: values.json };
}

/** Installs the peers when they are absent or when the lock file is newer than they are. */
async function installPeers() {
  const modified = (/** @type {string} */ path) =>
    statSync(new URL(path, import.meta.url), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (modified("node_modules/.package-lock.json") >= modified("package-lock.json")) return;
  console.log("installing the peers");
  const folder = fileURLToPath(new URL(".", import.meta.url));
  await run("npm", ["ci", "--prefix", folder, "--no-audit", "--no-fund"], { timeoutMs: INSTALL_TIMEOUT_MS });
}

/**
 * One cell: in every round each peer in turn, each time in a fresh process. A peer that failed is left out.
 * @param {Cell} cell
 * @param {Mode} mode
 * @param {readonly string[]} peers
 * @param {import("./lib/loads.mjs").Loads} loads
 * @returns {Promise<Result[]>}
 */
async function measureCell(cell, mode, peers, loads) {
  /** @type {Result[]} */
  const results = peers
    .filter((peer) => allPeers[peer]?.includes(cell.protocol))
    .map((peer) => ({ peer, samples: [] }));
  for (let round = 0; round < mode.rounds; round++) {
    for (const result of results) {
      if (result.error !== undefined) continue;
      try {
        const server = await startServer(result.peer);
        try {
          result.samples.push(await loads.measure(cell, mode, server));
        } finally {
          await server.stop();
        }
      } catch (error) {
        result.error = error instanceof Error ? error.message : String(error);
      }
    }
  }
  return results;
}

async function main() {
  const { name, mode, peers, json } = readArguments();
  if (peers.includes("portico") && !existsSync(new URL("../dist/index.js", import.meta.url))) {
    throw new Error(
      "dist/index.js is absent: run `npm run bench`, which builds it, or leave out --peers portico",
    );
  }
  await installPeers();
  const loads = await prepareLoads(mode.cells);
  process.once("exit", loads.remove);
  const machine = { node: process.version, cpu: cpus()[0]?.model ?? "unknown", cpus: cpus().length, pinned };
  const plan = { rounds: mode.rounds, warmSeconds: mode.warmSeconds, seconds: mode.seconds };
  console.log(`${name}: ${plan.rounds} x ${plan.seconds} s after ${plan.warmSeconds} s of warming up`);
  console.log(
    `Node ${machine.node}, ${machine.cpus} x ${machine.cpu}, ${pinned ? "server on CPU 0, load on CPU 1" : "not pinned"}`,
  );
  console.log(`\n${tableHead()}`);

  const report = [];
  for (const cell of mode.cells) {
    const results = await measureCell(cell, mode, peers, loads);
    if (results.length === 0) continue;
    console.log(tableRows(cell, results));
    const base = results.find((result) => result.peer === cell.base);
    report.push({ ...cell, results: results.map((result) => ({ ...result, ...figures(result, base) })) });
  }
  if (json !== undefined) {
    const all = { date: new Date().toISOString(), mode: name, ...plan, machine, cells: report };
    writeFileSync(json, `${JSON.stringify(all, null, 2)}\n`);
  }
  const failed = report.flatMap((cell) => cell.results).filter((result) => result.error !== undefined);
  if (failed.length > 0) throw new Error(`${failed.length} measurements failed`);
  if (report.length === 0) throw new Error("nothing was measured: no chosen peer serves a chosen cell");
}

process.once("exit", killAll);
for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
  process.once(signal, () => process.exit(130));
}
try {
  await main();
} catch (error) {
  const badOption =
    error instanceof TypeError && "code" in error && `${error.code}`.startsWith("ERR_PARSE_ARGS");
  if (!(badOption || (error instanceof Error && error.constructor === Error))) throw error;
  console.error(badOption ? `${error.message}\n${usage}` : error.message);
  process.exitCode = 1;
}
