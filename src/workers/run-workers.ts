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

/** An event of a worker. `worker` is the number of the worker, from 1. A replacement keeps the number. */
export type WorkerEvent =
  | ProcessEvent
  /** Topic messages that a worker did not receive in the last second, because it does not read its channel. */
  | { readonly type: "dropped"; readonly worker: number; readonly messages: number };

export interface WorkersOptions {
  /** The module that each worker runs: a path or a file URL. */
  module: string | URL;
  /** The number of workers; "auto" (default) for one per processor that the process can use. */
  workers?: number | "auto";
  /** The command-line arguments of the workers. Default: those of this process. */
  args?: readonly string[];
  /**
   * How long all workers still accept connections after SIGTERM or SIGINT while they report that they are not ready, in
   * milliseconds. Default 0.
   */
  readyDelayMs?: number;
  /**
   * How long a worker that is being replaced still answers requests on its open connections, each with `Connection:
   * close`, before it closes idle ones, in milliseconds. Default 1,000.
   */
  drainMs?: number;
  /** How long exchanges and WebSockets can then take to end, in milliseconds. Default 10,000. */
  graceMs?: number;
  /** How long a worker can take to start serving, in milliseconds. Then it is killed. Default 30,000. */
  startTimeoutMs?: number;
  /**
   * The number of crashes of a worker in a row, each within 10 s of serving, after which Portico gives up. It continues
   * while another worker has served for 10 s. Default 6.
   */
  maxCrashes?: number;
  /** Receives the events of the workers. Default: prints crashes and lost messages to stderr. */
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

/** The time for the callbacks of `worker.onStop`, in addition to that of the servers, in milliseconds. */
const END_MS = 5_000;
const REPORT_MS = 1_000;

/**
 * Runs a module in several processes that share its ports, and supervises them: a worker that crashes is restarted.
 * SIGTERM and SIGINT end all workers gracefully. SIGHUP replaces them, one after the other.
 * @returns when all workers have ended after a signal
 * @throws Error if a worker cannot start initially, or if workers crash repeatedly; TypeError and RangeError for
 *   invalid options
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
  // All workers accept from one socket, which stays open when one of them ends, so waiting connections are not lost.
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
  throw new RangeError(`workers cannot be ${String(workers)}. Use "auto" or an integer of at least 1.`);
}

function atLeast(least: number, name: string, value: number): void {
  if (value >= least) return;
  throw new RangeError(`${name} cannot be ${String(value)}. Use a number of at least ${least}.`);
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
    console.error(`Worker ${event.worker} was not replaced and keeps running: ${event.reason}.`);
  else if (event.type === "dropped")
    console.error(
      `Worker ${event.worker} does not read its channel: ${event.messages} messages of topics were dropped.`,
    );
}
