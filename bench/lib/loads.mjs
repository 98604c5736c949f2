// The load generators: wrk for HTTP, this project's wsload for WebSocket.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkHttp } from "./answers.mjs";
import { cpuSeconds, run } from "./processes.mjs";

/** @typedef {import("./cells.mjs").Cell} Cell */
/** @typedef {import("./cells.mjs").Mode} Mode */
/** @typedef {import("./processes.mjs").RunningServer} RunningServer */
/**
 * One measurement.
 * @typedef {object} Sample
 * @property {number} rate requests or messages per second
 * @property {number} busy the server's processor time per second of load: below about 0.9, the load was the limit
 */
/** @typedef {{ measure: (cell: Cell, mode: Mode, server: RunningServer) => Promise<Sample>, remove: () => void }} Loads */

const CHECK_MESSAGES = 64;
const CHECK_SECONDS = 5;
const COMPILE_TIMEOUT_MS = 60_000;
/** What a load may take beyond its own time. */
const GRACE_MS = 20_000;
const sources = fileURLToPath(new URL("../load/", import.meta.url));

/**
 * Compiles wsload into a temporary folder.
 * @param {readonly Cell[]} cells what will be measured; only what they need must be installed
 * @returns {Promise<Loads>}
 */
export async function prepareLoads(cells) {
  const websocket = cells.some((cell) => cell.protocol === "websocket");
  if (cells.some((cell) => cell.protocol === "http")) requireProgram("wrk", "wrk");
  if (websocket) requireProgram("cc", "gcc and libc6-dev");
  const folder = mkdtempSync(join(tmpdir(), "portico-bench-"));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const wsload = join(folder, "wsload");
  try {
    const args = ["-O2", "-Wall", "-Wextra", "-o", wsload, join(sources, "wsload.c")];
    if (websocket) await run("cc", args, { timeoutMs: COMPILE_TIMEOUT_MS });
  } catch (error) {
    remove();
    throw error;
  }
  return {
    remove,
    measure: (cell, mode, server) =>
      cell.protocol === "http"
        ? measureHttp(cell, mode, server)
        : measureWebSocket(wsload, cell, mode, server),
  };
}

/**
 * @param {string} program
 * @param {string} packages
 */
function requireProgram(program, packages) {
  const { error } = spawnSync(program, ["--version"], { stdio: "ignore", timeout: 5_000 });
  if (error !== undefined && "code" in error && error.code === "ENOENT") {
    throw new Error(`${program} is not installed: install the Debian package ${packages}`);
  }
}

/**
 * @param {Cell} cell
 * @param {Mode} mode
 * @param {RunningServer} server
 * @returns {Promise<Sample>}
 */
async function measureHttp(cell, mode, server) {
  await checkHttp(server.port, cell.depth);
  /** @param {number} seconds */
  const args = (seconds) => [
    ...["-t1", `-c${cell.connections}`, `-d${seconds}s`, "--timeout", "5s"],
    ...(cell.depth > 1 ? ["-s", join(sources, "pipeline.lua")] : []),
    `http://127.0.0.1:${server.port}/`,
    ...(cell.depth > 1 ? ["--", String(cell.depth)] : []),
  ];
  if (mode.warmSeconds > 0) await timedRun("wrk", args(mode.warmSeconds), mode.warmSeconds, server);
  const { output, busy } = await timedRun("wrk", args(mode.seconds), mode.seconds, server);
  const trouble = output.match(/^\s*(?:Socket errors|Non-2xx).*$/m);
  if (trouble !== null) throw new Error(`wrk: ${trouble[0].trim()}`);
  return { rate: numberIn(output, /^Requests\/sec:\s+([\d.]+)$/m), busy };
}

/**
 * @param {string} wsload
 * @param {Cell} cell
 * @param {Mode} mode
 * @param {RunningServer} server
 * @returns {Promise<Sample>}
 */
async function measureWebSocket(wsload, cell, mode, server) {
  const common = ["-p", `${server.port}`, "-i", `${cell.depth}`, "-s", `${cell.size}`];
  const check = [...common, "-c", "1", "-w", "0", "-d", `${CHECK_SECONDS}`, "-n", `${CHECK_MESSAGES}`];
  for (const kind of [["-t"], []]) await timedRun(wsload, [...check, ...kind], CHECK_SECONDS, server);
  const load = [...common, "-c", `${cell.connections}`, "-w", `${mode.warmSeconds}`, "-d", `${mode.seconds}`];
  const { output, busy } = await timedRun(wsload, load, mode.warmSeconds + mode.seconds, server);
  return { rate: numberIn(output, /\brate=([\d.]+)/), busy };
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {number} seconds
 * @param {RunningServer} server
 */
async function timedRun(command, args, seconds, server) {
  const cpuBefore = cpuSeconds(server.pid);
  const before = performance.now();
  const output = await run(command, args, { timeoutMs: seconds * 1000 + GRACE_MS, load: true });
  const elapsed = (performance.now() - before) / 1000;
  return { output, busy: (cpuSeconds(server.pid) - cpuBefore) / elapsed };
}

/**
 * @param {string} output
 * @param {RegExp} pattern
 */
function numberIn(output, pattern) {
  const rate = Number(output.match(pattern)?.[1]);
  if (!(rate > 0)) throw new Error(`the load gave no rate: ${output.trim()}`);
  return rate;
}
