// Child processes: pinned to a CPU, bounded in time, and none left behind.
import { spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** @typedef {import("node:child_process").ChildProcess} ChildProcess */
/** @typedef {{ pid: number, port: number, stop: () => Promise<void> }} RunningServer */

const SERVER_CPU = 0;
const LOAD_CPU = 1;
const START_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 2_000;
const bench = fileURLToPath(new URL("../", import.meta.url));

/** Whether servers run on CPU 0 and loads on CPU 1: it takes two CPUs and taskset. */
export const pinned =
  availableParallelism() >= 2 &&
  [SERVER_CPU, LOAD_CPU].every((cpu) => spawnSync("taskset", ["-c", String(cpu), "true"]).status === 0);

/** What is running now. @type {Set<ChildProcess>} */
const running = new Set();

/** Ends every process that is still running; for the end of the harness itself. */
export function killAll() {
  for (const child of running) child.kill("SIGKILL");
}

/**
 * @param {number | undefined} cpu
 * @param {string} command
 * @param {readonly string[]} args
 * @param {import("node:child_process").StdioOptions} stdio
 */
function start(cpu, command, args, stdio) {
  const pin = cpu !== undefined && pinned ? ["taskset", "-c", String(cpu)] : [];
  const [program = command, ...rest] = [...pin, command, ...args];
  const child = spawn(program, rest, { stdio, cwd: bench, env: { ...process.env, NODE_ENV: "production" } });
  running.add(child);
  // taskset replaces itself by the program, so that the child's id is the program's.
  const ended = new Promise((resolve) => {
    child.once("close", resolve);
    child.once("error", resolve);
  }).finally(() => running.delete(child));
  return { child, ended };
}

/**
 * Runs a program to its end and gives its output.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ timeoutMs: number, load?: boolean }} options load: a load generator, to be pinned
 * @returns {Promise<string>}
 */
export async function run(command, args, { timeoutMs, load = false }) {
  const { child, ended } = start(load ? LOAD_CPU : undefined, command, args, ["ignore", "pipe", "pipe"]);
  let output = "";
  let errors = "";
  child.stdout?.setEncoding("utf8").on("data", (text) => (output += text));
  child.stderr?.setEncoding("utf8").on("data", (text) => (errors += text));
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, timeoutMs);
  const failure = await ended;
  clearTimeout(timer);
  const name = basename(command);
  if (failure instanceof Error) throw failure;
  if (late) throw new Error(`${name} took more than ${timeoutMs / 1000} s`);
  if (child.exitCode === 0) return output;
  throw new Error(
    `${command} ended with ${child.signalCode ?? child.exitCode}: ${(errors || output).trim()}`,
  );
}

/**
 * Starts `servers/<name>.mjs` in a fresh process and waits for the line with its port.
 * @param {string} name
 * @returns {Promise<RunningServer>}
 */
export async function startServer(name) {
  const args = ["--import", new URL("./exit-with-parent.mjs", import.meta.url).href, `servers/${name}.mjs`];
  const { child, ended } = start(SERVER_CPU, process.execPath, args, ["pipe", "pipe", "pipe"]);
  let errors = "";
  child.stderr?.setEncoding("utf8").on("data", (text) => (errors = (errors + text).slice(-4_000)));
  const stop = async () => {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(timer);
  };
  if (child.stdout === null) throw new Error("the server's output is no pipe");
  const timer = setTimeout(() => child.kill("SIGKILL"), START_TIMEOUT_MS);
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const port = Number(line);
      if (!Number.isInteger(port) || port < 1) throw new Error(`server ${name}: "${line}" is no port`);
      child.stdout.resume();
      return { pid: child.pid ?? 0, port, stop };
    }
  } catch (error) {
    await stop();
    throw error;
  } finally {
    clearTimeout(timer);
  }
  await stop();
  throw new Error(`server ${name} ended before it gave its port: ${errors.trim()}`);
}

/**
 * Processor time that a process has used. Linux counts it in hundredths of a second.
 * @param {number} pid
 * @returns {number} seconds
 */
export function cpuSeconds(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
