import { EVENT_BYTES, EventQueue, runEvent } from "../engine/event-queue.ts";
import { type Event, TERMINATE, terminated } from "./events.ts";
import { type Account, Subscription } from "./subscription.ts";

/** Somebody who pulls. */
interface Waiter {
  /** Takes the event that ends the wait. @returns whether it was this one */
  offer(event: Event): boolean;
  fail(error: Error): void;
  /** Whether `terminate` is an event like any other to it. */
  readonly raw: boolean;
}

/** What an event brings with it. */
interface Baggage {
  /** Bytes that it holds. */
  bytes?: number;
  /** Called when the program gets it, or when nobody wants it. */
  onTaken?: () => void;
}

/** After so many events in a row the system gets a turn. */
const EVENTS_PER_TURN = 256;

/**
 * The queue of one computer. While nobody waits, events stay where the engine holds them, within its limit. Otherwise
 * they are given out one at a time: to all that wait at that moment, and to every subscription. Before the next one,
 * everything runs that the last one has set going, so a loop that pulls again is there in time.
 */
export class ComputerQueue {
  /** Of all servers of this computer. */
  readonly source: EventQueue;
  private readonly waiters = new Set<Waiter>();
  /** Those who wait for what events bring about elsewhere. */
  private readonly parked = new Set<(error: Error) => void>();
  private readonly subscriptions = new Set<Subscription>();
  private scheduled = false;
  private armed = false;
  private turn = 0;
  private givenOut = false;
  private closed = false;

  constructor(maxBytes: number) {
    this.source = new EventQueue(() => maxBytes);
  }

  /** Adds an event of the program. */
  push(event: Event): void {
    this.source.push({ type: "call", call: () => this.give(event) });
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
   * Keeps the queue going while somebody waits for what an event brings about elsewhere.
   * @param fail called by `terminate`
   * @returns what ends that
   */
  park(fail: (error: Error) => void): () => void {
    // Another function for each, as one may wait several times.
    const entry = (error: Error): void => fail(error);
    if (this.closed) queueMicrotask(() => fail(terminated()));
    else this.parked.add(entry);
    this.schedule();
    return () => this.parked.delete(entry);
  }

  /**
   * Sees every event that is wanted from now on, also those that come while nobody asks it for one.
   * @param account where what it keeps is counted; by default in the queue
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

  /** Gives an event out; called while one of the engine is taken from the queue. */
  give(event: Event, { bytes = 0, onTaken }: Baggage = {}): void {
    this.givenOut = true;
    const terminates = event[0] === TERMINATE;
    for (const waiter of [...this.waiters]) {
      if (terminates && !waiter.raw) {
        this.waiters.delete(waiter);
        waiter.fail(terminated());
      } else if (waiter.offer(event)) this.waiters.delete(waiter);
    }
    if (terminates) this.failParked();
    let kept = false;
    for (const subscription of this.subscriptions) {
      kept = subscription.take(event, EVENT_BYTES + bytes, onTaken) || kept;
    }
    if (!kept) onTaken?.();
  }

  /** Ends all waits; those that begin later end at once. */
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
    if (this.scheduled || !this.isWanted) return;
    this.scheduled = true;
    // A tick that a microtask asks for comes after all continuations of promises; one that a tick asks for does not.
    if (++this.turn % EVENTS_PER_TURN === 0) setImmediate(() => this.run());
    else queueMicrotask(() => process.nextTick(() => this.run()));
  }

  /** Takes events of the engine until one has been given out. */
  private run(): void {
    this.scheduled = false;
    this.givenOut = false;
    while (this.isWanted && !this.givenOut) {
      const event = this.source.shift();
      if (event === undefined) {
        this.arm();
        return;
      }
      runEvent(event);
    }
    this.schedule();
  }

  private arm(): void {
    if (this.armed) return;
    this.armed = true;
    void this.source.waitForEvent().then(() => {
      this.armed = false;
      this.schedule();
    });
  }
}
