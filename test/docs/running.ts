import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { curl } from "../support/tools.ts";
import type { Ask } from "./programs.ts";

const run = promisify(execFile);
const anyPort = new URL("any-port.mjs", import.meta.url).href;
const TIMEOUT_MS = 20_000;

/** What `any-port.mjs` tells; nothing is given for a Unix socket. */
interface Bound {
  readonly asked: unknown;
  readonly given?: number;
}

/** The last line of a program that is run: it got there. */
export const EVALUATED = "\nprocess.send?.('evaluated');\n";
/** Some programs wait in the call that listens, until they stop: how long the others have to get to their last line. */
const EVALUATION_MS = 1_000;

/** Runs one curl of a page against the ports that its program was given. */
async function ask({ command, prints }: Ask, ports: ReadonlyMap<unknown, number>): Promise<void> {
  const [first] = ports.values();
  const there = command.replace(/\b(?:localhost|127\.0\.0\.1):(\d+)/g, (_, port: string) => {
    return `127.0.0.1:${ports.get(Number(port)) ?? first}`;
  });
  const { stdout } = await run("bash", ["-c", there.replace(/^curl/, `${curl} -sS --max-time 10`)], {
    timeout: TIMEOUT_MS,
  });
  const lines = stdout.replaceAll("\r", "").trimEnd().split("\n");
  if (prints.length > 0) assert.deepEqual(lines, prints, command);
}

/** Asks again for as long as a slow machine may not have got to what the answer needs. */
async function askPatiently(
  question: Ask,
  ports: ReadonlyMap<unknown, number>,
  patience: AbortSignal,
): Promise<void> {
  while (!patience.aborted) {
    const answered = await ask(question, ports).then(
      () => true,
      () => false,
    );
    if (answered) return;
    await setTimeout(250, undefined, { signal: patience }).catch(() => {});
  }
  await ask(question, ports);
}

async function canConnect(port: number): Promise<boolean> {
  const socket = connect({ host: "127.0.0.1", port });
  try {
    await once(socket, "connect", { signal: AbortSignal.timeout(TIMEOUT_MS) });
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/**
 * Runs a program until it listens, asks what its page asks, and stops it. A program that ends by itself must end well.
 * @param file JavaScript
 */
export async function runProgram(file: string, folder: string, asks: readonly Ask[]): Promise<void> {
  const child = spawn(process.execPath, ["--import", anyPort, file], {
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    timeout: TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  let complaint = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    complaint += text;
  });
  const ended = once(child, "exit").then(([code, signal]) => `it ended with ${signal ?? code}: ${complaint}`);
  const ports = new Map<unknown, number>();
  let sockets = 0;
  const evaluated = new AbortController();
  const bound = new Promise<void>((resolve) => {
    child.on("message", (message: Bound | "evaluated") => {
      if (message === "evaluated") return evaluated.abort();
      if (message.given === undefined) sockets++;
      else ports.set(message.asked, message.given);
      resolve();
    });
  });
  try {
    await Promise.race([bound, ended]);
    const settled = setTimeout(EVALUATION_MS, undefined, { signal: evaluated.signal }).catch(() => {});
    await Promise.race([ended, settled]);
    const listens = await Promise.all([...ports.values()].map(canConnect));
    if (listens.includes(false) || ports.size + sockets === 0) {
      assert.match(await ended, /^it ended with 0/);
      assert.equal(asks.length, 0, "there is nobody to ask");
      return;
    }
    const patience = AbortSignal.any([evaluated.signal, AbortSignal.timeout(TIMEOUT_MS / 2)]);
    for (const question of asks) {
      await Promise.race([askPatiently(question, ports, patience), ended.then(assert.fail)]);
    }
    // In development, what a client did wrong is told.
    assert.equal(complaint.replace(/^portico: .* was answered with 4\d\d .*\n/gm, ""), "");
  } finally {
    child.kill("SIGKILL");
    await ended;
  }
}
