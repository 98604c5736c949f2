import type { LoopClock } from "../loop/clock.ts";

interface Timer {
  readonly atMs: number;
  readonly callback: () => void;
}

/** A clock that stands still until a test advances it, for the option `clock` of `startLoop`. */
export class TestClock implements LoopClock {
  private nowMs = 0;
  private readonly timers = new Set<Timer>();

  now(): number {
    return this.nowMs;
  }

  setTimeout(callback: () => void, ms: number): unknown {
    const timer = { atMs: this.nowMs + ms, callback };
    this.timers.add(timer);
    return timer;
  }

  clearTimeout(timer: unknown): void {
    this.timers.delete(timer as Timer);
  }

  setImmediate(callback: () => void): unknown {
    return this.setTimeout(callback, 0);
  }

  /** Lets time pass, and runs timers that are due, in order. @param ms the time in milliseconds */
  advance(ms: number): void {
    const endMs = this.nowMs + ms;
    for (let timer = this.first(endMs); timer !== undefined; timer = this.first(endMs)) {
      this.timers.delete(timer);
      this.nowMs = Math.max(this.nowMs, timer.atMs);
      timer.callback();
    }
    this.nowMs = endMs;
  }

  /**
   * Lets time pass without running timers, as if the machine or the program had been stopped.
   * @param ms the time in milliseconds
   */
  stall(ms: number): void {
    this.nowMs += ms;
  }

  private first(endMs: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.timers) {
      if (timer.atMs <= endMs && (first === undefined || timer.atMs < first.atMs)) first = timer;
    }
    return first;
  }
}
