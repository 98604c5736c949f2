import cluster from "node:cluster";
import { MAX_TIMER_MS } from "../node/max-timer.ts";
import { Member } from "./member.ts";
import { CONFIG_VARIABLE, unwrap } from "./supervisor.ts";

/** A process that has served for so long when it crashes is started again without a growing delay. */
const LONG_LIFE_MS = 10_000;
const FIRST_DELAY_MS = 100;
const DELAY_GROWTH = 4;
const LONGEST_DELAY_MS = 10_000;
/** Time for a process that could not start to print its error. */
const SHOW_MS = 500;

/** An event of a group's processes. `worker` is the number of the process, from 1. A replacement keeps the number. */
export type ProcessEvent =
  | { readonly type: "ready"; readonly worker: number; readonly pid: number; readonly port: number }
  | {
      readonly type: "crashed";
      readonly worker: number;
      readonly reason: string;
      readonly restartInMs: number;
    }
  | { readonly type: "replaced"; readonly worker: number }
  /** The replacement could not start. The previous process continues. */
  | { readonly type: "not-replaced"; readonly worker: number; readonly reason: string };

export interface ProcessGroupOptions<Config extends object> {
  readonly processes: number;
  /** How long a process can take to end when asked, in milliseconds. Then it is killed. */
  readonly endWithinMs: number;
  /** How long a process can take to become ready, in milliseconds. Then it is killed. */
  readonly readyWithinMs?: number;
  /**
   * Gives up after so many crashes of a process in a row, each before it has served for long, if no other process
   * serves steadily.
   */
  readonly maxCrashes?: number;
  /** Called when the first process serves. Returns the configuration of the others. */
  onFirstReady?(config: Config, port: number): Config;
  onEvent?(event: ProcessEvent): void;
  /** Called with a new process, before it runs. */
  onStart?(member: Member): void;
  onEnd?(member: Member): void;
  onData?(member: Member, data: unknown): void;
}

/** A place for one process, which is filled again when the process crashes. */
interface Slot {
  readonly number: number;
  current: Member | undefined;
  delayMs: number;
  /** Crashes in a row, each before it had served for long. */
  crashes: number;
  restart: NodeJS.Timeout | undefined;
  /** How its last process has ended: an exit code or a signal. */
  endedWith: string;
}

/** A group of equal processes: starts them, restarts them after a crash, replaces them, and ends them. */
export class ProcessGroup<Config extends object> {
  readonly members: Set<Member> = new Set();
  private readonly options: ProcessGroupOptions<Config>;
  private config: Config;
  private readonly slots: Slot[] = [];
  private isStopping = false;
  /** Whether all have served once. */
  private hasServed = false;
  private failure: Error | undefined;
  private replacing: Promise<void> | undefined;
  private allEnded: () => void = () => {};

  constructor(config: Config, options: ProcessGroupOptions<Config>) {
    this.options = options;
    this.config = config;
  }

  /**
   * Starts all processes.
   * @returns when all have ended
   * @throws the first error if one of them cannot start initially, and an error if they crash repeatedly
   */
  async run(): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      this.allEnded = resolve;
    });
    for (let number = 1; number <= this.options.processes; number++) {
      this.slots.push({
        number,
        current: undefined,
        delayMs: 0,
        crashes: 0,
        restart: undefined,
        endedWith: "",
      });
    }
    const [first, ...others] = this.slots;
    try {
      const port = first && (await this.start(first));
      const { onFirstReady } = this.options;
      if (port !== undefined && onFirstReady) this.config = onFirstReady(this.config, port);
      await Promise.all(others.map((slot) => this.start(slot)));
      this.hasServed = true;
      for (const slot of this.slots)
        if (slot.current === undefined && !this.isStopping) this.startAgain(slot, 0);
    } catch (error) {
      const asked = this.isStopping;
      this.stop();
      await ended;
      if (asked) return;
      throw error;
    }
    this.checkEnd();
    await ended;
    if (this.failure !== undefined) throw this.failure;
  }

  stop(): void {
    this.isStopping = true;
    for (const slot of this.slots) {
      clearTimeout(slot.restart);
      slot.restart = undefined;
    }
    for (const member of this.members) this.end(member, "stop");
    this.checkEnd();
  }

  /** Replaces all processes, one after the other: a new one is ready before the old one is asked to stop. */
  replace(): Promise<void> {
    this.replacing ??= this.replaceAll().finally(() => {
      this.replacing = undefined;
    });
    return this.replacing;
  }

  private async replaceAll(): Promise<void> {
    for (const slot of this.slots) {
      const { current } = slot;
      // Processes that start later already run the new program.
      if (this.isStopping || !current?.isReady) continue;
      try {
        await this.start(slot);
      } catch (error) {
        if (this.isStopping) return;
        const reason = error instanceof Error ? error.message : String(error);
        this.options.onEvent?.({ type: "not-replaced", worker: slot.number, reason });
        if (this.members.has(current)) slot.current = current;
        else this.startAgain(slot, 0);
        return;
      }
      this.end(current, "replaced");
      await current.ended;
      this.options.onEvent?.({ type: "replaced", worker: slot.number });
    }
  }

  /** Starts a process. @returns the port, once the process serves */
  private start(slot: Slot): Promise<number> {
    if (this.isStopping) return Promise.reject(new Error("the server has been stopped"));
    const former = slot.current;
    const worker = cluster.fork({
      [CONFIG_VARIABLE]: JSON.stringify({ ...this.config, number: slot.number }),
    });
    const member = new Member(slot.number, worker);
    slot.current = member;
    this.members.add(member);
    this.options.onStart?.(member);
    return new Promise((resolve, reject) => {
      const late = this.readyTimer(member, reject);
      worker.on("message", (value: unknown) => {
        const message = unwrap(value);
        if (message?.type === "ready") {
          clearTimeout(late);
          this.onReady(member, message.port);
          resolve(message.port);
        } else if (message?.type === "stop") this.stop();
        else if (message?.type === "stopped") member.hasStopped = true;
        else if (message?.type === "data") this.options.onData?.(member, message.data);
        else if (message?.type === "failed") {
          reject(Object.assign(new Error(message.message), { code: message.code }));
          // It can print its error before.
          const kill = setTimeout(() => worker.process.kill("SIGKILL"), SHOW_MS);
          worker.once("exit", () => clearTimeout(kill));
        }
      });
      const ended = (reason: string): void => {
        if (!this.members.delete(member)) return;
        clearTimeout(late);
        this.options.onEnd?.(member);
        slot.endedWith = reason;
        reject(new Error(`worker ${member.number} ended with ${reason} before it was ready`));
        const isReplacement = former !== undefined && !member.isReady;
        if (slot.current === member && !isReplacement) this.onEnded(slot, member);
        this.checkEnd();
      };
      worker.on("error", (error) => {
        // A process that could not be started has no "exit" event.
        if (worker.process.pid === undefined) ended(error.message);
        else reject(error);
      });
      worker.once("exit", (code, signal) => ended(signal ?? `exit code ${code}`));
    });
  }

  private readyTimer(member: Member, reject: (error: Error) => void): NodeJS.Timeout | undefined {
    const { readyWithinMs } = this.options;
    if (readyWithinMs === undefined) return undefined;
    return setTimeout(
      () => {
        reject(new Error(`worker ${member.number} was not ready within ${readyWithinMs} ms`));
        member.process.process.kill("SIGKILL");
      },
      Math.min(readyWithinMs, MAX_TIMER_MS),
    );
  }

  private onReady(member: Member, port: number): void {
    member.readyAt = performance.now();
    const { pid = 0 } = member.process.process;
    this.options.onEvent?.({ type: "ready", worker: member.number, pid, port });
    if (this.isStopping) member.send({ type: "stop" });
  }

  private onEnded(slot: Slot, member: Member): void {
    slot.current = undefined;
    if (this.hasServed && !member.hasStopped && !this.isStopping) this.startAgain(slot, member.servedMs);
  }

  private startAgain(slot: Slot, servedMs: number): void {
    const servedLong = servedMs >= LONG_LIFE_MS;
    slot.crashes = servedLong ? 1 : slot.crashes + 1;
    const { maxCrashes = Number.POSITIVE_INFINITY } = this.options;
    if (slot.crashes >= maxCrashes && !this.isServingSteadily()) {
      this.failure = new Error(
        `worker ${slot.number} has crashed ${slot.crashes} times in a row, the last time with ${slot.endedWith}. See its output for the reason.`,
      );
      this.stop();
      return;
    }
    slot.delayMs = servedLong
      ? FIRST_DELAY_MS
      : Math.min(LONGEST_DELAY_MS, slot.delayMs * DELAY_GROWTH || FIRST_DELAY_MS);
    this.options.onEvent?.({
      type: "crashed",
      worker: slot.number,
      reason: slot.endedWith,
      restartInMs: slot.delayMs,
    });
    slot.restart = setTimeout(() => {
      slot.restart = undefined;
      // A failure ends the process, which the "exit" event reports as a crash.
      this.start(slot).catch(() => {});
    }, slot.delayMs);
  }

  private isServingSteadily(): boolean {
    return [...this.members].some(({ servedMs }) => servedMs >= LONG_LIFE_MS);
  }

  /** Asks a process to stop, and kills it if it takes too long. */
  private end(member: Member, type: "stop" | "replaced"): void {
    member.send({ type });
    const { process: worker, isReady } = member;
    // A process that is still starting can miss the message, and has no clients to close.
    if (!isReady) worker.process.kill("SIGTERM");
    const kill = setTimeout(
      () => worker.process.kill("SIGKILL"),
      Math.min(this.options.endWithinMs, MAX_TIMER_MS),
    );
    worker.once("exit", () => clearTimeout(kill));
  }

  private checkEnd(): void {
    const idle = this.members.size === 0 && this.slots.every((slot) => slot.restart === undefined);
    if (idle && (this.isStopping || this.hasServed)) this.allEnded();
  }
}
