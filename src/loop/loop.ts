import { channel } from "node:diagnostics_channel";
import { callHandler } from "../delivery/call-handler.ts";
import { flushAll } from "../transport/flush-scheduler.ts";
import { clockFrom, type LoopClock } from "./clock.ts";
import { type LoopFigures, TickFigures, type TickReport } from "./figures.ts";
import { checkLoopOptions, type LoopOptions, type LoopServer } from "./loop-options.ts";
import { Schedule } from "./schedule.ts";

/** How often the events that are left are polled when all servers have closed: handlers can queue more. */
const LAST_POLLS = 100;

const tickChannel = channel("portico:loop:tick");

/**
 * Starts a loop. In each tick it polls events, runs one step and sends all output.
 * @throws TypeError for an unknown option; RangeError for a number out of range; PorticoError ERR_DELIVERY for a server
 *   with immediate delivery
 */
export function startLoop(options: LoopOptions): Loop {
  checkLoopOptions(options);
  return new Loop(options);
}

/** A running loop. */
export class Loop {
  /** Resolves when the loop has ended: by {@link stop}, or because all its servers have closed. */
  readonly stopped: Promise<void>;
  private readonly options: LoopOptions;
  private readonly servers: readonly LoopServer[];
  private readonly clock: LoopClock;
  private readonly tickMs: number;
  private readonly schedule: Schedule;
  private readonly measured = new TickFigures();
  private readonly onError: (error: unknown) => unknown;
  private timer: unknown;
  private steps = 0;
  private openServers: number;
  private isTicking = false;
  private paused: boolean;
  private isClosing = false;
  private isOver = false;
  private resolveStopped: () => void = () => {};

  /** @internal Made by {@link startLoop}. */
  constructor(options: LoopOptions) {
    const { hz, server = [], maxCatchUp = 5, clock = {}, isPaused = false, onError = rethrow } = options;
    this.options = options;
    this.clock = clockFrom(clock);
    this.tickMs = 1_000 / hz;
    this.onError = onError;
    this.paused = isPaused;
    this.servers = Array.isArray(server) ? server : [server as LoopServer];
    this.openServers = this.servers.length;
    this.stopped = new Promise((resolve) => {
      this.resolveStopped = resolve;
    });
    for (const each of this.servers) {
      each.poll(0);
      each.onClose(() => this.endWith(each));
    }
    this.schedule = new Schedule(this.tickMs, maxCatchUp, this.clock.now());
    this.sleep();
  }

  /** The number of steps so far. */
  get tick(): number {
    return this.steps;
  }

  get isPaused(): boolean {
    return this.paused;
  }

  /** The measurements since the loop began, or since {@link takeFigures}. */
  get figures(): LoopFigures {
    return this.measured.get();
  }

  /** Returns the measurements and resets them. */
  takeFigures(): LoopFigures {
    const figures = this.measured.get();
    this.measured.reset();
    return figures;
  }

  /**
   * Stops ticks until {@link resume}. Events wait, and clients that send a lot of data are slowed down. If a server
   * closes meanwhile, its events are polled without steps.
   */
  pause(): void {
    this.paused = true;
    if (!this.isClosing) this.clock.clearTimeout(this.timer);
  }

  /** Continues. The loop does not catch up on the time that has passed. */
  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.schedule.restart(this.clock.now());
    this.sleep();
  }

  /**
   * Runs one tick now, while the loop is paused: for debuggers and tests.
   * @throws Error if the loop is not paused, has ended, or is in a tick
   */
  stepOnce(): void {
    if (!this.paused || this.isOver || this.isTicking)
      throw new Error(
        "stepOnce needs a paused loop. Call pause() first, and do not call stepOnce inside a tick",
      );
    this.runTick(this.clock.now(), 0, true);
  }

  /** Ends the loop after the current tick. Waiting events are no longer polled. */
  stop(): void {
    this.isOver = true;
    this.clock.clearTimeout(this.timer);
    this.resolveStopped();
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  /** Waits for the next tick. */
  private sleep(): void {
    this.clock.clearTimeout(this.timer);
    if (this.isOver || (this.paused && !this.isClosing)) return;
    const { spinMs = 0 } = this.options;
    const ms = this.schedule.nextMs - this.clock.now() - spinMs;
    // A timer can fire a little early. Then no tick is due yet, and the loop waits for the rest of the time.
    if (ms > 0 || spinMs === 0)
      this.timer = this.clock.setTimeout(() => this.wake(), Math.max(1, Math.ceil(ms)));
    else this.clock.setImmediate(() => this.wake());
  }

  private wake(): void {
    if (this.isOver) return;
    const due = this.schedule.advance(this.clock.now());
    let { skipped } = due;
    try {
      if (skipped > 0) this.call(() => this.options.onSkip?.(skipped));
      for (const dueMs of due.ticksMs) {
        // A handler can have ended or paused the loop.
        if (this.isOver || (this.paused && !this.isClosing)) break;
        this.runTick(dueMs, skipped, !this.paused);
        skipped = 0;
      }
    } finally {
      this.sleep();
    }
  }

  private runTick(dueMs: number, skippedTicks: number, isStepped: boolean): void {
    const { clock, options } = this;
    this.isTicking = true;
    try {
      const beganMs = clock.now();
      const events = this.pollAll(options.maxPollMs ?? this.tickMs / 2);
      const polledMs = clock.now();
      if (isStepped) {
        this.steps++;
        this.call(() => options.step(this.tickMs / 1_000, this.steps));
      }
      const steppedMs = clock.now();
      flushAll();
      this.report({
        tick: this.steps,
        latenessMs: Math.max(0, beganMs - dueMs),
        pollMs: polledMs - beganMs,
        stepMs: steppedMs - polledMs,
        flushMs: clock.now() - steppedMs,
        events,
        skippedTicks,
      });
    } finally {
      this.isTicking = false;
    }
  }

  /** Polls all servers. @param maxMs the time for all of them together @returns the number of events */
  private pollAll(maxMs: number): number {
    const { queue, poll, maxEvents = Number.POSITIVE_INFINITY } = this.options;
    // The order of a queue is that of all its servers; one by one they would poll it several times.
    const sources = queue === undefined ? this.servers : [queue];
    const endMs = this.clock.now() + maxMs;
    let events = 0;
    for (const source of sources) {
      events += source.poll({ maxEvents, maxMs: Math.max(0, endMs - this.clock.now()) });
    }
    if (poll !== undefined) this.call(() => poll.call(this.options));
    return events;
  }

  private report(report: TickReport): void {
    this.measured.add(report);
    if (!tickChannel.hasSubscribers) return;
    const durationMs = report.pollMs + report.stepMs + report.flushMs;
    const servers = this.servers.length === 0 ? [undefined] : this.servers;
    for (const server of servers) tickChannel.publish({ server, loop: this, durationMs, ...report });
  }

  /**
   * Called when a server closes. The loop continues until all servers are closed, so that waiting requests are
   * answered.
   */
  private endWith(server: LoopServer): void {
    if (this.isOver) return;
    this.isClosing = true;
    this.sleep();
    // The same promise as that of the program's call, whose time this does not shorten.
    void server.close({ graceMs: Number.POSITIVE_INFINITY }).then(() => {
      if (--this.openServers === 0) this.finish();
    });
  }

  private finish(): void {
    if (this.isOver) return;
    try {
      for (let i = 0; i < LAST_POLLS && this.waitingEvents > 0; i++) this.pollAll(Number.POSITIVE_INFINITY);
      flushAll();
    } finally {
      this.stop();
    }
  }

  private get waitingEvents(): number {
    const waiting = this.servers.reduce((sum, { waitingEvents }) => sum + waitingEvents, 0);
    return waiting + (this.options.queue?.length ?? 0);
  }

  private call(callback: () => unknown): void {
    callHandler(callback, this.onError);
  }
}

function rethrow(error: unknown): never {
  throw error;
}
