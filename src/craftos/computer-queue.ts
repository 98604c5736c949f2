import { ChurnSet } from "../bytes/churn-map.ts";
import { EVENT_BYTES } from "../delivery/event-queue.ts";
import { EventQueue } from "../exchange/server-event.ts";
import { terminated } from "./errors.ts";
import { type Event, TERMINATE } from "./event.ts";
import { type Account, Subscription } from "./subscription.ts";
import type { WaitableQueue } from "./wait-for.ts";

/** A pull that waits for its event. */
interface Waiter {
  /** Offers an event. @returns whether it ends the wait */
  offer(event: Event): boolean;
  fail(error: Error): void;
  /** Whether it treats `terminate` like any other event. */
  readonly raw: boolean;
}

/** The cost and the callback of an event. */
interface Baggage {
  /** Bytes that the event holds. */
  bytes?: number;
  /** Called when the program gets the event, or when nobody wants it. */
  onTaken?: () => void;
}

/** After so many events in a row, other work of the event loop gets a turn. */
const EVENTS_PER_TURN = 256;

/**
 * The queue of one computer. While nobody waits, events stay in the engine's queue, within its limit. Otherwise they are
 * given out one at a time, to all pulls that wait at that moment and to every subscription. Before the next event, all
 * continuations of the last one run, so that a loop can pull again in time.
 */
export class ComputerQueue implements WaitableQueue {
  /** The events of all servers of this computer. */
  readonly source: EventQueue;
  private readonly waiters = new ChurnSet<Waiter>();
  /** Fails the calls that wait for an effect of events elsewhere. */
  private readonly parked = new ChurnSet<(error: Error) => void>();
  private readonly subscriptions = new ChurnSet<Subscription>();
  private isScheduled = false;
  private isArmed = false;
  private turn = 0;
  private hasDelivered = false;
  private closed = false;

  constructor(maxBytes: number) {
    this.source = new EventQueue(() => maxBytes);
  }

  /** Adds an event of the program. */
  push(event: Event): void {
    this.source.push({ type: "call", call: () => this.deliver(event) });
  }

  /** The next event that a filter admits. @param raw also `terminate`, which otherwise rejects */
  pull(filter: string | undefined, raw: boolean): Promise<Event> {
    return new Promise((resolve, reject) => {
      if (this.closed) {
        reject(terminated());
        return;
      }
      this.waiters.add({
        offer(event) {
          const wanted = filter === undefined || event[0] === filter || event[0] === TERMINATE;
          if (wanted) resolve(event);
          return wanted;
        },
        fail: reject,
        raw,
      });
      this.schedule();
    });
  }

  /**
   * Keeps the queue running while a caller waits for an effect of an event elsewhere.
   * @param fail called with "Terminated" by a `terminate` event
   * @returns a function that ends the wait
   */
  park(fail: (error: Error) => void): () => void {
    // A separate function for each, because the same one can wait several times.
    const entry = (error: Error): void => fail(error);
    if (this.closed) queueMicrotask(() => fail(terminated()));
    else this.parked.add(entry);
    this.schedule();
    return () => this.parked.delete(entry);
  }

  /**
   * Receives every wanted event from now on, also while the program is busy.
   * @param account counts the bytes that it keeps; by default the queue
   */
  subscribe(wants: (event: Event) => boolean, account: Account = this.source): Subscription {
    const onEnd = (ended: Subscription): void => {
      this.subscriptions.delete(ended);
    };
    const subscription = new Subscription(this, wants, account, onEnd);
    if (this.closed) void subscription.return();
    else this.subscriptions.add(subscription);
    return subscription;
  }

  /**
   * Gives an event out. Called while an event of the engine is taken from the queue.
   * @returns whether somebody gets it
   */
  deliver(event: Event, { bytes = 0, onTaken }: Baggage = {}): boolean {
    this.hasDelivered = true;
    const terminates = event[0] === TERMINATE;
    let isPulled = false;
    for (const waiter of [...this.waiters]) {
      if (terminates && !waiter.raw) {
        this.waiters.delete(waiter);
        waiter.fail(terminated());
      } else if (waiter.offer(event)) {
        this.waiters.delete(waiter);
        isPulled = true;
      }
    }
    if (terminates) this.failParked();
    let kept = false;
    for (const subscription of this.subscriptions) {
      kept = subscription.take(event, EVENT_BYTES + bytes, onTaken) || kept;
    }
    if (!kept) onTaken?.();
    return isPulled || kept;
  }

  /** Ends all waits; later ones end at once. */
  close(): void {
    this.closed = true;
    for (const waiter of this.waiters) waiter.fail(terminated());
    this.waiters.clear();
    this.failParked();
    for (const subscription of [...this.subscriptions]) void subscription.return();
  }

  private failParked(): void {
    const parked = [...this.parked];
    this.parked.clear();
    for (const fail of parked) fail(terminated());
  }

  get isClosed(): boolean {
    return this.closed;
  }

  private get isWanted(): boolean {
    return this.waiters.size > 0 || this.parked.size > 0;
  }

  private schedule(): void {
    if (this.isScheduled || !this.isWanted) return;
    this.isScheduled = true;
    // A tick that a microtask schedules runs after all continuations of promises; one that a tick schedules does not.
    if (++this.turn % EVENTS_PER_TURN === 0) setImmediate(() => this.run());
    else queueMicrotask(() => process.nextTick(() => this.run()));
  }

  /** Takes events of the engine until one has been given out. */
  private run(): void {
    this.isScheduled = false;
    this.hasDelivered = false;
    while (this.isWanted && !this.hasDelivered) {
      const event = this.source.shift();
      if (event === undefined) {
        this.arm();
        return;
      }
      event.run();
    }
    this.schedule();
  }

  private arm(): void {
    if (this.isArmed) return;
    this.isArmed = true;
    void this.source.waitForEvent().then(() => {
      this.isArmed = false;
      this.schedule();
    });
  }
}
