/** Decides when the requests of a run are due, and counts those that were handed out. */
export interface Schedule {
  /** Whether requests are left, due or not. */
  readonly hasWork: boolean;
  /** How many requests are due and have not been handed out. */
  behind(): number;
  /** @returns when the next request was due, or undefined when none is */
  take(): number | undefined;
  /** Requests that were handed out at these times have to be sent again. */
  giveBack(dueAt: readonly number[]): void;
  /** Begins now. @param onDue is called when requests become due after none was */
  start(onDue: () => void): void;
  stop(): void;
}

/** As fast as the connections are: a request is due when a connection can send one. */
export class ClosedSchedule implements Schedule {
  private unsent: number;

  /** @param requests how many in all */
  constructor(requests: number) {
    this.unsent = requests;
  }

  get hasWork(): boolean {
    return this.unsent > 0;
  }

  behind(): number {
    return 0;
  }

  take(): number | undefined {
    if (this.unsent === 0) return undefined;
    this.unsent--;
    return performance.now();
  }

  giveBack(dueAt: readonly number[]): void {
    this.unsent += dueAt.length;
  }

  start(): void {}

  stop(): void {}
}

/** Below this distance a timer is too coarse, and the event loop is asked in each turn. In milliseconds. */
const TIMER_MS = 2;

/**
 * At a constant rate: request number n is due at n / rate, whether or not earlier ones have been answered. A latency
 * that is measured from there contains the time that a request had to wait for a connection (coordinated omission).
 */
export class ConstantRate implements Schedule {
  private readonly intervalMs: number;
  private readonly requests: number;
  private taken = 0;
  private returned: number[] = [];
  private startedAt = Number.POSITIVE_INFINITY;
  private onDue = (): void => {};
  private timer: NodeJS.Timeout | undefined;
  private immediate: NodeJS.Immediate | undefined;

  /** @param perSecond requests per second @param requests how many in all */
  constructor(perSecond: number, requests: number) {
    this.intervalMs = 1_000 / perSecond;
    this.requests = requests;
  }

  get hasWork(): boolean {
    return this.returned.length > 0 || this.taken < this.requests;
  }

  behind(): number {
    const due = Math.floor((performance.now() - this.startedAt) / this.intervalMs) + 1;
    return this.returned.length + Math.max(0, Math.min(due, this.requests) - this.taken);
  }

  take(): number | undefined {
    const returned = this.returned.shift();
    if (returned !== undefined) return returned;
    const dueAt = this.nextDueAt();
    if (dueAt > performance.now() || this.taken >= this.requests) return undefined;
    this.taken++;
    return dueAt;
  }

  giveBack(dueAt: readonly number[]): void {
    this.returned.push(...dueAt);
  }

  start(onDue: () => void): void {
    this.onDue = onDue;
    this.startedAt = performance.now();
    this.wait();
  }

  stop(): void {
    clearTimeout(this.timer);
    clearImmediate(this.immediate);
    this.onDue = () => {};
  }

  private nextDueAt(): number {
    return this.startedAt + this.taken * this.intervalMs;
  }

  /** Wakes up when the next request is due. When all connections are busy, answers wake them. */
  private wait(): void {
    if (this.taken >= this.requests) return;
    if (this.behind() > 0) this.onDue();
    // When all connections are busy, their next answers take the requests that are due.
    const restMs = this.behind() > 0 ? TIMER_MS : this.nextDueAt() - performance.now();
    const again = (): void => this.wait();
    if (restMs >= TIMER_MS) this.timer = setTimeout(again, restMs - TIMER_MS / 2);
    else this.immediate = setImmediate(again);
  }
}
