// Measures Portico beside its peers. See README.md in this folder.
import { existsSync, statSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { cells as allCells, cellNamed } from "./lib/cells.mjs";
import { check, compare } from "./lib/check.mjs";
import { congestionControl, runWith } from "./lib/congestion.mjs";
import { measureGame } from "./lib/game.mjs";
import { Measurement } from "./lib/measure.mjs";
import { modes } from "./lib/modes.mjs";
import { absence, addHost, peers as allPeers, CEILING, isPortico } from "./lib/peers.mjs";
import { killAll, pinned, run } from "./lib/processes.mjs";
import { preparePrograms } from "./lib/programs.mjs";
import { figures, goalResults } from "./lib/report.mjs";
import { tableHead, tableRows } from "./lib/table.mjs";

/** @typedef {import("./lib/cells.mjs").Cell} Cell */
/** @typedef {import("./lib/report.mjs").Result} Result */

const INSTALL_TIMEOUT_MS = 300_000;
const usage = `npm run bench -- [${[...Object.keys(modes), "check", "brokers", "workers", "game"].join(" | ")}] [--cells a,b] [--peers a,b] [--rounds N] [--seconds S] [--json FILE] [--host NAME=PATH] [--congestion NAME]
  check: in memory; fails when a ratio to node:http or ws is below 0.8 of the recorded one; --record writes them down
  check --with FOLDER: in memory, beside the build of another checkout
  brokers: topics over two processes, beside socket.io and ws; needs redis-server
  workers: what a request costs in one process and in two that share a port
  game: one world in ticks, beside Colyseus; 400 and 1,000 players
  cells: ${allCells.map((cell) => cell.name).join(", ")}
  peers: ${[CEILING, ...Object.keys(allPeers)].join(", ")}`;

function readArguments() {
  const text = /** @type {const} */ ({ type: "string" });
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      ...{ cells: text, peers: text, rounds: text, seconds: text, json: text, congestion: text },
      record: { type: "boolean" },
      with: text,
      host: { type: "string", multiple: true },
    },
  });
  const [name = "full", ...rest] = positionals;
  if (name === "check" && rest.length === 0) {
    return { name, record: values.record === true, tree: values.with, rounds: Number(values.rounds ?? 9) };
  }
  if ((name === "brokers" || name === "workers") && rest.length === 0) {
    const [rounds, seconds] = name === "brokers" ? [15, 1] : [20, 0.5];
    return {
      name,
      alone: { rounds: Number(values.rounds ?? rounds), seconds: Number(values.seconds ?? seconds) },
    };
  }
  if (name === "game" && rest.length === 0) {
    return { name, game: { rounds: Number(values.rounds ?? 3), seconds: Number(values.seconds ?? 5) } };
  }
  const mode = modes[name];
  if (mode === undefined || rest.length > 0)
    throw new Error(`unknown mode ${positionals.join(" ")}\n${usage}`);
  const cells = values.cells
    ?.split(",")
    .map((cellName) => mode.cells.find((cell) => cell.name === cellName) ?? cellNamed(cellName));
  for (const host of values.host ?? []) addHost(host);
  const added = (values.host ?? []).map((host) => `portico@${host.replace(/=.*/, "")}`);
  const peers = [...(values.peers?.split(",") ?? mode.peers), ...added];
  for (const peer of peers) {
    if (peer !== CEILING && !(peer in allPeers)) throw new Error(`unknown peer ${peer}\n${usage}`);
  }
  const [rounds, seconds] = [Number(values.rounds ?? mode.rounds), Number(values.seconds ?? mode.seconds)];
  if (!(rounds >= 1 && seconds > 0)) throw new Error(`--rounds and --seconds are numbers\n${usage}`);
  return {
    name,
    json: values.json,
    congestion: values.congestion ?? congestionControl,
    mode: { ...mode, cells: cells ?? mode.cells, peers, rounds, seconds },
  };
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

/** Those that can run here; says why the others cannot. @param {readonly string[]} peers */
function presentPeers(peers) {
  return peers.filter((peer) => {
    const reason = absence(peer);
    if (reason !== undefined) console.log(`${peer} is left out: ${reason}`);
    return reason === undefined;
  });
}

/**
 * Whether a peer has what a cell needs. The bare server has no TLS, and is no measure for memory or latency.
 * @param {string} peer
 * @param {Cell} cell
 */
function serves(peer, cell) {
  if (peer !== CEILING) return allPeers[peer]?.includes(cell.needs) === true;
  return (cell.kind === "exchanges" || cell.kind === "broadcast") && !cell.tls;
}

/**
 * One cell: in every round each peer in turn, each time in a fresh process. A peer that failed is left out; of the
 * bare server one round is enough.
 * @param {Measurement} measurement
 * @param {readonly string[]} peers
 * @param {number} rounds
 * @returns {Promise<Result[]>}
 */
async function measureCell(measurement, peers, rounds) {
  /** @type {Result[]} */
  const results = peers
    .filter((peer) => serves(peer, measurement.cell))
    .map((peer) => ({ peer, samples: [] }));
  for (let round = 0; round < rounds; round++) {
    for (const result of results) {
      if (result.error !== undefined || (result.peer === CEILING && round > 0)) continue;
      try {
        result.samples.push(await measurement.sample(result.peer));
      } catch (error) {
        result.error = error instanceof Error ? error.message : String(error);
      }
    }
  }
  return results;
}

async function main() {
  const chosen = readArguments();
  if (chosen.alone !== undefined && chosen.name === "brokers") {
    await installPeers();
    // Its packages are among those that have just been installed.
    const { measureBrokers } = await import("./lib/brokers.mjs");
    await measureBrokers(chosen.alone.rounds, chosen.alone.seconds);
    return;
  }
  if (chosen.alone !== undefined) {
    await installPeers();
    const { measureWorkers } = await import("./lib/workers.mjs");
    await measureWorkers(chosen.alone.rounds, chosen.alone.seconds);
    return;
  }
  if (chosen.game !== undefined) {
    await installPeers();
    await measureGame(chosen.game.rounds, chosen.game.seconds, [400, 1_000]);
    return;
  }
  if (chosen.mode === undefined) {
    await installPeers();
    await (chosen.tree === undefined ? check(chosen.record) : compare(chosen.tree, chosen.rounds));
    return;
  }
  const { name, mode, json, congestion } = chosen;
  if (congestion !== congestionControl) {
    process.exitCode = runWith(congestion);
    return;
  }
  if (mode.peers.some(isPortico) && !existsSync(new URL("../dist/index.js", import.meta.url))) {
    throw new Error("dist/index.js is absent: run `npm run bench`, which builds it");
  }
  await installPeers();
  const peers = presentPeers(mode.peers);
  const programs = await preparePrograms({ tls: mode.cells.some((cell) => cell.tls) });
  const cpu = cpus()[0]?.model ?? "unknown";
  const machine = { node: process.version, cpu, cpus: cpus().length, pinned, congestionControl };
  const plan = { rounds: mode.rounds, warmSeconds: mode.warmSeconds, seconds: mode.seconds };
  console.log(`${name}: ${plan.rounds} x ${plan.seconds} s after ${plan.warmSeconds} s of warming up`);
  console.log(
    `Node ${machine.node}, ${machine.cpus} x ${machine.cpu}, ${pinned ? "server on CPU 0, load on CPU 1" : "not pinned"}, TCP by ${congestionControl}`,
  );
  console.log(`\n${tableHead()}`);

  /** @param {Cell} cell */
  const measure = async (cell) => {
    const results = await measureCell(new Measurement(cell, plan, programs), peers, plan.rounds);
    const [found, goals] = [figures(cell, results), goalResults(cell, results)];
    if (results.length > 0) console.log(tableRows(cell, found, goals));
    return { results, found, goals };
  };
  const report = [];
  for (const cell of mode.cells) {
    if (cell.tls && !programs.tls) {
      console.log(`${cell.name}: skipped, the load needs the Debian package libssl-dev`);
      continue;
    }
    const { results, found, goals } = await measure(cell);
    if (results.length === 0) continue;
    report.push({
      ...cell,
      goals,
      results: found.map((each, index) => ({ ...each, samples: results[index]?.samples })),
    });
  }
  const goals = report.flatMap((cell) => cell.goals);
  if (goals.length > 0)
    console.log(`\n${goals.filter(({ met }) => met).length} of ${goals.length} goals are met`);
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
