import { EVENT_BYTES, EventQueue, runEvent } from "../engine/event-queue.ts";
import { type Event, TERMINATE, terminated } from "./events.ts";
import { Subscription } from "./subscription.ts";

/** Something that waits for the queue to go on. */
interface Waiter {
  /** Takes the event that ends the wait. @returns whether it was this one */
  offer(event: Event): boolean;
  fail(error: Error): void;
  /** Whether `terminate` is an event like any other to it. */
  readonly raw: boolean;
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
  private readonly subscriptions = new Set<Subscription>();
  private scheduled = false;
  private armed = false;
  private turn = 0;
  private givenOut = false;

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
      this.add({
        offer(event) {
          const wanted = filter === undefined || event[0] === filter || event[0] === TERMINATE;
          if (wanted) resolve(event);
          return wanted;
        },
        fail: reject,
        raw,
      });
    });
  }

  /**
   * Keeps the queue going while somebody waits for what an event brings about elsewhere.
   * @param fail called by `terminate`
   * @returns what ends that
   */
  park(fail: (error: Error) => void): () => void {
    const waiter: Waiter = { offer: () => false, fail, raw: false };
    this.add(waiter);
    return () => this.waiters.delete(waiter);
  }

  /** Sees every event that is wanted from now on, also those that come while nobody asks it for one. */
  subscribe(wants: (event: Event) => boolean): Subscription {
    const subscription = new Subscription(this, wants, () => this.subscriptions.delete(subscription));
    this.subscriptions.add(subscription);
    return subscription;
  }

  /**
   * Gives an event out; called while one of the engine is taken from the queue.
   * @param bytes what it holds
   */
  give(event: Event, bytes = 0): void {
    this.givenOut = true;
    const terminates = event[0] === TERMINATE;
    for (const waiter of [...this.waiters]) {
      if (terminates && !waiter.raw) {
        this.waiters.delete(waiter);
        waiter.fail(terminated());
      } else if (waiter.offer(event)) this.waiters.delete(waiter);
    }
    for (const subscription of this.subscriptions) subscription.take(event, EVENT_BYTES + bytes);
  }

  /** Ends all waits. */
  close(): void {
    for (const waiter of this.waiters) waiter.fail(terminated());
    this.waiters.clear();
    for (const subscription of [...this.subscriptions]) void subscription.return();
  }

  private add(waiter: Waiter): void {
    this.waiters.add(waiter);
    this.schedule();
  }

  private schedule(): void {
    if (this.scheduled || this.waiters.size === 0) return;
    this.scheduled = true;
    // A tick that a microtask asks for comes after all continuations of promises; one that a tick asks for does not.
    if (++this.turn % EVENTS_PER_TURN === 0) setImmediate(() => this.run());
    else queueMicrotask(() => process.nextTick(() => this.run()));
  }

  /** Takes events of the engine until one has been given out. */
  private run(): void {
    this.scheduled = false;
    this.givenOut = false;
    while (this.waiters.size > 0 && !this.givenOut) {
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
