import cluster, { type Worker } from "node:cluster";
import { isMainThread } from "node:worker_threads";
import { MAX_TIMER_MS } from "../transport/max-timer.ts";
import { ENVELOPE, type Envelope, type Message, ORDERS_VARIABLE, type Orders, opened } from "./orders.ts";
import type { Plan } from "./settings.ts";
import { assertFree, findSharing } from "./sharing.ts";
import { onEndSignals } from "./waiting.ts";

/** A process that has lived for so long did not crash at once. */
const LONG_LIFE_MS = 10_000;
const FIRST_DELAY_MS = 100;
const DELAY_GROWTH = 4;
const LONGEST_DELAY_MS = 10_000;
/** How much longer than its server may take, and the program after it, a process may take to end. */
const END_MS = 1_000;
/** How long a process that could not begin has to say why. */
const SHOW_MS = 500;

/**
 * Has processes serve and starts those again that crash; this one does not serve itself.
 * @param call the how manieth call of `start_http_server` it is
 * @returns when all have ended
 * @throws the first error, when one of them cannot start in the beginning
 */
export async function superviseProcesses(plan: Plan, call: number): Promise<void> {
  if (!isMainThread) throw new Error("a thread cannot start processes");
  if (process.argv[1] === undefined) throw new Error("processes need a main script that they can run again");
  let group: ProcessGroup | undefined;
  let stopped = false;
  const stop = (): void => {
    stopped = true;
    group?.stop();
  };
  const forgetSignals = plan.signals ? onEndSignals(stop) : () => {};
  try {
    const sharing = await findSharing();
    if (sharing === "reuse") await assertFree(plan);
    else cluster.schedulingPolicy = cluster.SCHED_NONE;
    if (stopped) return;
    group = new ProcessGroup(plan, { call, sharing, port: plan.port });
    await group.run();
  } finally {
    forgetSignals();
  }
}

/** One place for a process, which is filled again when the process crashes. */
interface Slot {
  worker: Worker | undefined;
  serves: boolean;
  delayMs: number;
  restart: NodeJS.Timeout | undefined;
}

class ProcessGroup {
  private readonly plan: Plan;
  private orders: Orders;
  private readonly slots: Slot[] = [];
  private stopping = false;
  /** Whether all have served once. */
  private established = false;
  private allEnded: () => void = () => {};

  constructor(plan: Plan, orders: Orders) {
    this.plan = plan;
    this.orders = orders;
  }

  async run(): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      this.allEnded = resolve;
    });
    for (let i = 0; i < this.plan.processes; i++) {
      this.slots.push({ worker: undefined, serves: false, delayMs: 0, restart: undefined });
    }
    const [first, ...others] = this.slots;
    try {
      // The first finds the port where any will do. Through node:cluster all ask for the same.
      const port = first && (await this.start(first));
      if (this.orders.sharing === "reuse" && port !== undefined) this.orders = { ...this.orders, port };
      await Promise.all(others.map((slot) => this.start(slot)));
      this.established = true;
      for (const slot of this.slots)
        if (slot.worker === undefined && !this.stopping) this.startAgain(slot, 0);
    } catch (error) {
      const asked = this.stopping;
      this.stop();
      await ended;
      if (asked) return;
      throw error;
    }
    this.checkEnd();
    await ended;
  }

  stop(): void {
    this.stopping = true;
    for (const slot of this.slots) {
      clearTimeout(slot.restart);
      slot.restart = undefined;
      if (slot.worker !== undefined) this.end(slot.worker, slot.serves);
    }
    this.checkEnd();
  }

  /** @returns the port, when the process serves */
  private start(slot: Slot): Promise<number> {
    if (this.stopping) return Promise.reject(new Error("the server has been stopped"));
    const bornAt = performance.now();
    const worker = cluster.fork({ [ORDERS_VARIABLE]: JSON.stringify(this.orders) });
    slot.worker = worker;
    slot.serves = false;
    let stopped = false;
    return new Promise((resolve, reject) => {
      worker.on("message", (value: unknown) => {
        const message = opened(value);
        if (message?.type === "ready") {
          slot.serves = true;
          resolve(message.port);
          if (this.stopping) askToStop(worker);
        } else if (message?.type === "stop") this.stop();
        else if (message?.type === "stopped") stopped = true;
        else if (message?.type === "failed") {
          reject(Object.assign(new Error(message.message), { code: message.code }));
          // It may show its error before.
          const kill = setTimeout(() => worker.process.kill("SIGKILL"), SHOW_MS);
          worker.once("exit", () => clearTimeout(kill));
        }
      });
      const ended = (error: Error): void => {
        if (slot.worker !== worker) return;
        slot.worker = undefined;
        reject(error);
        if (this.established && !stopped && !this.stopping) this.startAgain(slot, performance.now() - bornAt);
        else this.checkEnd();
      };
      worker.on("error", (error) => {
        // One that could not even be started has no end.
        if (worker.process.pid === undefined) ended(error);
        else reject(error);
      });
      worker.once("exit", (code, signal) => {
        ended(new Error(`a process has ended with ${signal ?? code} before it served`));
      });
    });
  }

  private startAgain(slot: Slot, livedMs: number): void {
    slot.delayMs =
      livedMs >= LONG_LIFE_MS
        ? FIRST_DELAY_MS
        : Math.min(LONGEST_DELAY_MS, slot.delayMs * DELAY_GROWTH || FIRST_DELAY_MS);
    slot.restart = setTimeout(() => {
      slot.restart = undefined;
      // What fails now ends as a crash does, which is seen there.
      this.start(slot).catch(() => {});
    }, slot.delayMs);
  }

  /** Has a process stop, and ends it when it takes too long. */
  private end(worker: Worker, serves: boolean): void {
    askToStop(worker);
    // One that is still starting may not hear that, and has nothing to take leave of.
    if (!serves) worker.process.kill("SIGTERM");
    const kill = setTimeout(
      () => worker.process.kill("SIGKILL"),
      Math.min(2 * this.plan.graceMs + END_MS, MAX_TIMER_MS),
    );
    worker.once("exit", () => clearTimeout(kill));
  }

  private checkEnd(): void {
    const idle = this.slots.every((slot) => slot.worker === undefined && slot.restart === undefined);
    if (idle && (this.stopping || this.established)) this.allEnded();
  }
}

function askToStop(worker: Worker): void {
  if (worker.isConnected())
    worker.send({ [ENVELOPE]: { type: "stop" } satisfies Message } satisfies Envelope);
}
