import { ChurnSet } from "../bytes/churn-map.ts";
import { Fifo } from "../delivery/fifo.ts";
import { terminated } from "./errors.ts";
import { type Event, TERMINATE } from "./event.ts";
import type { WaitableQueue } from "./wait-for.ts";

/** An event that waits for its subscriber. */
interface Kept {
  readonly event: Event;
  /** Its cost while it is kept, in bytes. */
  readonly cost: number;
  /** Called when the program gets it. */
  readonly onTaken: (() => void) | undefined;
}

/** Counts the bytes that a subscription keeps. */
export interface Account {
  hold(bytes: number): void;
  free(bytes: number): void;
}

/**
 * Every event from its creation on, one by one. Events that arrive while the program is busy are kept and counted. End it
 * with `return`, as `for await` does.
 */
export class Subscription implements AsyncIterableIterator<Event> {
  private readonly queue: WaitableQueue;
  private readonly wants: (event: Event) => boolean;
  private readonly account: Account;
  private readonly onEnd: (subscription: Subscription) => void;
  private kept = new Fifo<Kept>();
  private readonly wakes = new ChurnSet<() => void>();
  private isEnded = false;

  constructor(
    queue: WaitableQueue,
    wants: (event: Event) => boolean,
    account: Account,
    onEnd: (subscription: Subscription) => void,
  ) {
    this.queue = queue;
    this.wants = wants;
    this.account = account;
    this.onEnd = onEnd;
  }

  /** Keeps an event if it is wanted. @returns whether it is kept */
  take(event: Event, cost: number, onTaken: (() => void) | undefined): boolean {
    if (event[0] !== TERMINATE && !this.wants(event)) return false;
    this.kept.push({ event, cost, onTaken });
    this.account.hold(cost);
    this.wake();
    return true;
  }

  /** @throws Error "Terminated" after a `terminate` event, which ends it */
  async next(): Promise<IteratorResult<Event, undefined>> {
    while (this.kept.length === 0 && !this.isEnded) await this.wait();
    const next = this.kept.shift();
    if (next === undefined) return { value: undefined, done: true };
    this.account.free(next.cost);
    next.onTaken?.();
    if (next.event[0] !== TERMINATE) return { value: next.event, done: false };
    await this.return();
    throw terminated();
  }

  return(): Promise<IteratorResult<Event, undefined>> {
    this.isEnded = true;
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
      // `terminate` also arrives as an event.
      const unpark = this.queue.park(() => {});
      const wake = (): void => {
        this.wakes.delete(wake);
        unpark();
        resolve();
      };
      this.wakes.add(wake);
    });
  }
}
