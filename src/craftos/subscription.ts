import { Fifo } from "../engine/fifo.ts";
import type { ComputerQueue } from "./computer-queue.ts";
import { type Event, TERMINATE, terminated } from "./events.ts";

/** An event that waits for its subscriber. */
interface Kept {
  readonly event: Event;
  /** What it counts for while it is kept, in bytes. */
  readonly cost: number;
  /** Called when the program gets it. */
  readonly onTaken: (() => void) | undefined;
}

/** Where the bytes that a subscription keeps are counted. */
export interface Account {
  hold(bytes: number): void;
  free(bytes: number): void;
}

/**
 * Every event from its creation on, one by one. What comes while the program is busy is kept, and counted. To be ended
 * by `return`, as `for await` does.
 */
export class Subscription implements AsyncIterableIterator<Event> {
  private readonly queue: ComputerQueue;
  private readonly wants: (event: Event) => boolean;
  private readonly account: Account;
  private readonly onEnd: (subscription: Subscription) => void;
  private kept = new Fifo<Kept>();
  private readonly wakes = new Set<() => void>();
  private ended = false;

  constructor(
    queue: ComputerQueue,
    wants: (event: Event) => boolean,
    account: Account,
    onEnd: (subscription: Subscription) => void,
  ) {
    this.queue = queue;
    this.wants = wants;
    this.account = account;
    this.onEnd = onEnd;
  }

  /** @returns whether it was wanted, and is kept */
  take(event: Event, cost: number, onTaken: (() => void) | undefined): boolean {
    if (event[0] !== TERMINATE && !this.wants(event)) return false;
    this.kept.push({ event, cost, onTaken });
    this.account.hold(cost);
    this.wake();
    return true;
  }

  /** @throws Error "Terminated" after a `terminate` event, which ends it */
  async next(): Promise<IteratorResult<Event, undefined>> {
    while (this.kept.length === 0 && !this.ended) await this.wait();
    const next = this.kept.shift();
    if (next === undefined) return { value: undefined, done: true };
    this.account.free(next.cost);
    next.onTaken?.();
    if (next.event[0] !== TERMINATE) return { value: next.event, done: false };
    await this.return();
    throw terminated();
  }

  return(): Promise<IteratorResult<Event, undefined>> {
    this.ended = true;
    for (let left = this.kept.shift(); left !== undefined; left = this.kept.shift()) {
      this.account.free(left.cost);
      left.onTaken?.();
    }
    this.onEnd(this);
    this.wake();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  private wake(): void {
    for (const wake of this.wakes) wake();
  }

  private wait(): Promise<void> {
    return new Promise((resolve) => {
      // `terminate` comes as an event, too.
      const release = this.queue.park(() => {});
      const wake = (): void => {
        this.wakes.delete(wake);
        release();
        resolve();
      };
      this.wakes.add(wake);
    });
  }
}
