import cluster from "node:cluster";
import { availableParallelism } from "node:os";
import { fileURLToPath, pathToFileURL } from "node:url";
import { isMainThread } from "node:worker_threads";
import { callHandler } from "../delivery/call-handler.ts";
import { checkOptions, type OptionNames } from "../options/check-options.ts";
import { type ProcessEvent, ProcessGroup } from "../processes/process-group.ts";
import { supervisor } from "../processes/supervisor.ts";
import { onEndSignals } from "../processes/waiting.ts";
import { Hub } from "./hub.ts";
import type { ToPrimary, WorkerTask } from "./protocol.ts";

/** What happens to workers. `worker` is the number of its place, from 1. */
export type WorkerEvent =
  | ProcessEvent
  /** Messages of topics that a worker did not get, because it does not read its channel; in the last second. */
  | { readonly type: "dropped"; readonly worker: number; readonly messages: number };

export interface WorkersOptions {
  /** The module that each worker runs: a path or a file URL. */
  module: string | URL;
  /** How many workers; "auto" (default) for one per processor that the process can use. */
  workers?: number | "auto";
  /** The arguments of the workers. Default: those of this process. */
  args?: readonly string[];
  /** How long all workers still accept connections after SIGTERM or SIGINT, and report that they are not ready. Default 0 ms. */
  readyDelayMs?: number;
  /**
   * How long a worker that is replaced still answers requests on its open connections, each time with `Connection: close`,
   * before it closes idle ones. Default 1,000 ms.
   */
  drainMs?: number;
  /** How long exchanges and WebSockets can then take to end. Default 10,000 ms. */
  graceMs?: number;
  /** How long a worker can take until it serves; then it is killed. Default 30,000 ms. */
  startTimeoutMs?: number;
  /**
   * Gives up when a worker has crashed so many times in a row, each time within 10 s of serving. It goes on while another
   * worker has served for 10 s. Default 6.
   */
  maxCrashes?: number;
  /** Receives what happens to the workers. Default: crashes and lost messages are printed on stderr. */
  onEvent?: (event: WorkerEvent) => unknown;
}

const optionNames: OptionNames<WorkersOptions> = {
  module: true,
  workers: true,
  args: true,
  readyDelayMs: true,
  drainMs: true,
  graceMs: true,
  startTimeoutMs: true,
  maxCrashes: true,
  onEvent: true,
};

/** Time for the callbacks of `worker.onStop`, on top of what the servers may take, in milliseconds. */
const END_MS = 5_000;
const REPORT_MS = 1_000;

/**
 * Runs a module in several processes that share its ports, and supervises them: a worker that crashes is started again.
 * SIGTERM and SIGINT end all workers gracefully; SIGHUP replaces them, one after the other.
 * @returns when all workers have ended after a signal
 * @throws Error when a worker cannot start at the beginning, and when workers crash again and again; TypeError and RangeError
 *   for invalid options
 */
export async function runWorkers(options: WorkersOptions): Promise<void> {
  checkOptions("runWorkers", options, optionNames);
  if (supervisor !== undefined || !isMainThread) {
    throw new Error(
      "runWorkers was called in a worker. Call it in a separate file, which runs the workers' module.",
    );
  }
  const { module, readyDelayMs = 0, drainMs = 1_000, graceMs = 10_000, startTimeoutMs = 30_000 } = options;
  for (const [name, value] of Object.entries({ readyDelayMs, drainMs, graceMs, startTimeoutMs }))
    atLeast(0, name, value);
  const { maxCrashes = 6, onEvent = printEvent } = options;
  atLeast(1, "maxCrashes", maxCrashes);
  const workers = countOf(options.workers ?? "auto");
  const task: Omit<WorkerTask, "number"> = {
    kind: "workers",
    module: (typeof module === "string" && !module.startsWith("file:")
      ? pathToFileURL(module)
      : module
    ).toString(),
    workers,
    readyDelayMs,
    drainMs,
    graceMs,
  };
  // All workers accept from one socket, which stays open when one of them ends: what waits in it is not lost.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({
    exec: fileURLToPath(
      new URL(`../workers/worker-main.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url),
    ),
    args: [...(options.args ?? process.argv.slice(2))],
    serialization: "advanced",
  });
  const report = (event: WorkerEvent): void => callHandler(() => onEvent(event), console.error);
  const hub = new Hub(dropReporter(report));
  const group = new ProcessGroup(task, {
    processes: workers,
    endWithinMs: readyDelayMs + drainMs + graceMs + END_MS,
    readyWithinMs: startTimeoutMs,
    maxCrashes,
    onEvent: report,
    onStart: (member) => hub.add(member),
    onEnd: (member) => hub.remove(member),
    onData: (member, data) => hub.onData(member, data as ToPrimary[]),
  });
  const forgetSignals = onEndSignals(() => group.stop());
  const replace = (): void => void group.replace();
  process.on("SIGHUP", replace);
  try {
    await group.run();
  } finally {
    forgetSignals();
    process.off("SIGHUP", replace);
  }
}

function countOf(workers: number | "auto"): number {
  if (workers === "auto") return availableParallelism();
  if (Number.isInteger(workers) && workers >= 1) return workers;
  throw new RangeError(`workers cannot be ${String(workers)}. Give "auto" or a whole number from 1.`);
}

function atLeast(least: number, name: string, value: number): void {
  if (value >= least) return;
  throw new RangeError(`${name} cannot be ${String(value)}. Give a number from ${least}.`);
}

/** Returns what counts dropped messages, and reports them once a second. */
function dropReporter(report: (event: WorkerEvent) => void): (worker: number) => void {
  const dropped = new Map<number, number>();
  return (worker) => {
    const messages = dropped.get(worker);
    dropped.set(worker, (messages ?? 0) + 1);
    if (messages !== undefined) return;
    const timer = setTimeout(() => {
      report({ type: "dropped", worker, messages: dropped.get(worker) ?? 0 });
      dropped.delete(worker);
    }, REPORT_MS);
    timer.unref();
  };
}

function printEvent(event: WorkerEvent): void {
  if (event.type === "crashed")
    console.error(
      `Worker ${event.worker} ended with ${event.reason}. It starts again in ${event.restartInMs} ms.`,
    );
  else if (event.type === "not-replaced")
    console.error(`Worker ${event.worker} was not replaced and goes on: ${event.reason}.`);
  else if (event.type === "dropped")
    console.error(
      `Worker ${event.worker} does not read its channel: ${event.messages} messages of topics were dropped.`,
    );
}
