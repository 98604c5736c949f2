import { Handle } from "./handle.ts";

/** A timer of libuv. */
export class TimerHandle extends Handle {
  repeatMs = 0;
  private delayMs = 0;
  private dueAt = 0;
  private timer: NodeJS.Timeout | undefined;

  start(delayMs: number, repeatMs: number): void {
    this.delayMs = delayMs;
    this.repeatMs = repeatMs;
    this.arm(delayMs);
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
