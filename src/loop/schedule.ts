/** What is due at a moment. */
export interface Due {
  /** Ticks that were given up because too many were due at once. */
  readonly skipped: number;
  /** When each of the ticks was due that are to be run now, in milliseconds. */
  readonly ticksMs: readonly number[];
}

/**
 * Ticks of equal length: tick n is due at start + n × length, however late the ticks before it were. It has no clock.
 */
export class Schedule {
  private readonly tickMs: number;
  private readonly maxCatchUp: number;
  private startMs: number;
  private done = 0;

  /** @param maxCatchUp how many ticks run at once after a delay; the others are given up */
  constructor(tickMs: number, maxCatchUp: number, startMs: number) {
    this.tickMs = tickMs;
    this.maxCatchUp = maxCatchUp;
    this.startMs = startMs;
  }

  /** When the next tick is due. */
  get nextMs(): number {
    return this.startMs + (this.done + 1) * this.tickMs;
  }

  /** Begins at another time; nothing of what has passed is made up for. */
  restart(startMs: number): void {
    this.startMs = startMs;
    this.done = 0;
  }

  /** Counts what is due as done. */
  advance(nowMs: number): Due {
    const count = Math.max(0, Math.floor((nowMs - this.startMs) / this.tickMs) - this.done);
    const skipped = Math.max(0, count - this.maxCatchUp);
    this.done += skipped;
    const ticksMs: number[] = [];
    for (let i = skipped; i < count; i++) {
      ticksMs.push(this.nextMs);
      this.done++;
    }
    return { skipped, ticksMs };
  }
}
