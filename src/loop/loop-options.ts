import type { EventQueue } from "../exchange/server-event.ts";
import { checkOptions, type OptionNames } from "../options/check-options.ts";
import type { Server } from "../server/server.ts";
import type { LoopClock } from "./clock.ts";

/** The part of a server that a loop uses. */
export type LoopServer = Pick<Server, "poll" | "waitingEvents" | "onClose" | "close">;

export interface LoopOptions {
  /** Ticks per second. */
  hz: number;
  /**
   * Runs one step of the program, after the events of the tick. A returned promise is not awaited.
   * @param dt the length of a tick in seconds, 1 / hz: the same at each call
   * @param tick the number of the step, from 1. Skipped ticks are not counted
   */
  step(dt: number, tick: number): unknown;
  /** Servers with deferred delivery whose events each tick polls. The loop ends when all of them have closed. */
  server?: LoopServer | readonly LoopServer[];
  /** A queue whose events each tick polls, such as one for WebSocket clients or one that several servers share. */
  queue?: EventQueue;
  /** Called in each tick before the step. Poll other things here, such as an evo server or a daslang session. */
  poll?(): unknown;
  /** How long one tick polls, in milliseconds. Remaining events come first in the next tick. Default: half a tick. */
  maxPollMs?: number;
  /** How many events one tick polls from each server or queue. Default: no limit. */
  maxEvents?: number;
  /**
   * How many overdue ticks run at once after a delay. The others are skipped, so the program loses that time. Default
   * 5.
   */
  maxCatchUp?: number;
  /**
   * How long before each tick the loop spins instead of sleeping, in milliseconds, because timers are up to 1 ms late.
   * It costs as much processor time. Default 0.
   */
  spinMs?: number;
  /** Starts the loop paused. Default false. */
  isPaused?: boolean;
  /** Called when ticks were skipped. @param ticks their number */
  onSkip?(ticks: number): unknown;
  /**
   * Receives errors and rejections of `step`, `poll` and `onSkip`; the loop continues. Default: they are thrown, as
   * from any timer.
   */
  onError?(error: unknown): unknown;
  /** The source of time. Missing functions default to the global ones, and to `performance.now`. */
  clock?: Partial<LoopClock>;
}

const loopOptionNames: OptionNames<LoopOptions> = {
  hz: true,
  step: true,
  server: true,
  queue: true,
  poll: true,
  maxPollMs: true,
  maxEvents: true,
  maxCatchUp: true,
  spinMs: true,
  isPaused: "boolean",
  onSkip: true,
  onError: true,
  clock: true,
};

/** @throws TypeError for an unknown option, or a step that is not a function; RangeError for a number out of range */
export function checkLoopOptions(options: LoopOptions): void {
  checkOptions("startLoop", options, loopOptionNames);
  const { hz, step, maxPollMs = 0, maxEvents = 0, maxCatchUp = 1, spinMs = 0 } = options;
  if (typeof step !== "function")
    throw new TypeError(`step of startLoop must be a function, not ${String(step)}`);
  if (!(hz > 0 && hz <= 1_000)) throw new RangeError(`hz cannot be ${hz}. Use a number above 0, up to 1,000`);
  if (!(maxCatchUp >= 1))
    throw new RangeError(`maxCatchUp cannot be ${maxCatchUp}. Use a number of at least 1`);
  for (const [name, value] of Object.entries({ maxPollMs, maxEvents, spinMs })) {
    if (!(value >= 0)) throw new RangeError(`${name} cannot be ${value}. Use a number of at least 0`);
  }
}
