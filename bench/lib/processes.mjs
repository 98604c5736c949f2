// Child processes: pinned to a CPU, bounded in time, and none left behind.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { availableParallelism } from "node:os";
import { basename } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** @typedef {import("node:child_process").ChildProcess} ChildProcess */
/** @typedef {{ rss: number, heap: number }} Memory in bytes, after a collection of garbage */
/** @typedef {{ pid: number, port: number, memory: () => Promise<Memory>, stop: () => Promise<void> }} RunningServer */

const SERVER_CPU = 0;
const LOAD_CPU = 1;
const ANSWER_TIMEOUT_MS = 10_000;
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
 * Starts a server and waits for the line with its port.
 * @param {string} name for messages
 * @param {readonly string[]} commandLine
 * @param {{ cpu?: number | undefined }} [options] undefined: on any CPU
 * @returns {Promise<RunningServer>}
 */
export async function startServer(name, [command = "", ...args], { cpu } = { cpu: SERVER_CPU }) {
  const { child, ended } = start(cpu, command, args, ["pipe", "pipe", "pipe"]);
  const { pid = 0, stdin, stdout, stderr } = child;
  if (stdin === null || stdout === null) throw new Error("the server has no pipes");
  let errors = "";
  stderr?.setEncoding("utf8").on("data", (text) => (errors = (errors + text).slice(-4_000)));
  const stop = async () => {
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(timer);
  };
  stdin.on("error", () => {});
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  const nextLine = async () => {
    const timer = setTimeout(() => child.kill("SIGKILL"), ANSWER_TIMEOUT_MS);
    const { value, done } = await lines.next();
    clearTimeout(timer);
    if (done) throw new Error(`server ${name} ended: ${errors.trim()}`);
    return value;
  };
  try {
    const line = await nextLine();
    const port = Number(line);
    if (!Number.isInteger(port) || port < 1) throw new Error(`server ${name}: "${line}" is no port`);
    const memory = async () => {
      stdin.write("memory\n");
      return /** @type {Memory} */ (JSON.parse(await nextLine()));
    };
    return { pid, port, memory, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Starts a program that listens on a port of its own, on any CPU.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {number} port
 */
export async function startBroker(command, args, port) {
  const { child, ended } = start(undefined, command, args, ["ignore", "ignore", "ignore"]);
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    const result = await once(socket, "connect").then(
      () => "connected",
      () => "refused",
    );
    socket.destroy();
    if (result === "connected") break;
    if (child.exitCode !== null || child.pid === undefined) throw new Error(`${command} does not run`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const stop = async () => {
    child.kill("SIGKILL");
    await ended;
  };
  return { port, pid: child.pid ?? 0, stop };
}
