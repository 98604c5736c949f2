import { MAX_TIMER_MS } from "../../node/max-timer.ts";
import { Handle } from "./handle.ts";

/** A time that a timer of Node can wait for. */
function possible(ms: number): number {
  return ms > 0 ? Math.min(ms, MAX_TIMER_MS) : 0;
}

/** A timer of libuv. */
export class TimerHandle extends Handle {
  repeatMs = 0;
  private delayMs = 0;
  private dueAt = 0;
  private timer: NodeJS.Timeout | undefined;

  start(delayMs: number, repeatMs: number): void {
    this.delayMs = possible(delayMs);
    this.repeatMs = possible(repeatMs);
    this.arm(this.delayMs);
  }

  setRepeat(ms: number): void {
    this.repeatMs = possible(ms);
  }

  again(): void {
    if (this.repeatMs > 0) this.arm(this.repeatMs);
  }

  /** Starts again as it was started last. */
  resume(): void {
    this.arm(this.delayMs);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.setActive(false);
  }

  close(): void {
    this.stop();
  }

  /** Milliseconds until it calls back. */
  get dueInMs(): number {
    return this.isActive ? Math.max(0, this.dueAt - performance.now()) : 0;
  }

  private arm(ms: number): void {
    clearTimeout(this.timer);
    this.dueAt = performance.now() + ms;
    this.timer = setTimeout(() => {
      if (this.repeatMs > 0) this.arm(this.repeatMs);
      else this.setActive(false);
      this.callBack(this.id, "timer");
    }, ms);
    this.setActive(true);
  }
}
