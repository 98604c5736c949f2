import { Fifo } from "./fifo.ts";
import { budgetOf, type PollBudget } from "./poll-budget.ts";

/** Kept from when this was loaded: fake timers of a program's tests must not hold its events. */
const { setImmediate: nextTurn } = globalThis;

/** The share of one connection in a queue. */
export interface QueueShare {
  /** Called when an event was queued. @param bytes its size */
  hold(bytes: number): void;
  /** Called when an event left the queue. */
  free(bytes: number): void;
}

/** An event that waits until the program polls. */
export abstract class QueuedEvent {
  /** The memory that it uses while it waits, in bytes. */
  readonly cost: number;
  /** @internal Undefined for an event that no connection has caused. */
  share: QueueShare | undefined;

  /** @internal */
  constructor(cost: number) {
    this.cost = cost;
    this.share = undefined;
  }

  /** Calls the program's handler, unless the program has ended the exchange or WebSocket of the event. */
  abstract run(): void;

  /** @internal Whether the program has ended what it is about, so that it is of no use. */
  get isOver(): boolean {
    return false;
  }

  /** @internal It has left the queue, and the program decides whether it runs. */
  onShift(): void {}
}

/** A function of the program that is queued in order with the other events. */
export interface Call {
  readonly type: "call";
  readonly call: () => unknown;
}

/** Pauses connections while the queue is full. */
export interface EventSource {
  /** Called when the queue has room again. */
  resumeAll(): void;
}

/** The memory of an event without its data, in bytes: its object, the Buffer object, and its place in the queue. */
export const EVENT_BYTES = 256;

/** A call that waits in a queue. */
export class CallEvent extends QueuedEvent implements Call {
  readonly type = "call";
  readonly call: () => unknown;

  constructor(call: () => unknown) {
    super(EVENT_BYTES);
    this.call = call;
  }

  run(): void {
    this.call();
  }
}

/**
 * A queue of events that wait to be polled, first in first out. Above its limit in bytes, connections that send data
 * are paused until half of it has been polled. Data received by then is kept, so nothing is lost. Several servers can
 * share one queue, which then keeps the order of all their events.
 */
export class PolledQueue<Event extends QueuedEvent> {
  private readonly sources = new Set<EventSource>();
  private readonly maxBytes: () => number;
  private readonly events = new Fifo<Event | CallEvent>();
  private bytes = 0;
  private full = false;
  private isReleasing = false;
  private arrival: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;

  /** @param maxBytes called at each event, so that the limit can change */
  constructor(maxBytes: () => number) {
    this.maxBytes = maxBytes;
  }

  /** The number of waiting events. */
  get length(): number {
    return this.events.length;
  }

  /** The memory of the waiting events, in bytes. */
  get heldBytes(): number {
    return this.bytes;
  }

  /** Whether the queue pauses connections that send data. */
  get isFull(): boolean {
    return this.full;
  }

  /** @internal */
  addSource(source: EventSource): void {
    this.sources.add(source);
  }

  /** @internal */
  removeSource(source: EventSource): void {
    this.sources.delete(source);
  }

  /** Appends an event, or a function of the program: `{ type: "call", call }`. */
  push(event: Event | Call): void {
    this.append(event instanceof QueuedEvent ? event : new CallEvent(event.call), undefined);
  }

  /** @internal Appends an event of a connection. */
  append(event: Event | CallEvent, share: QueueShare | undefined): void {
    const { cost } = event;
    event.share = share;
    this.events.push(event);
    share?.hold(cost);
    this.hold(cost);
    if (this.arrival !== undefined) this.releaseLater();
  }

  /**
   * Removes the oldest event without running it. After the program has ended a WebSocket or an exchange, only its close
   * or abort is returned.
   * @returns undefined if no event waits
   */
  shift(): Event | CallEvent | undefined {
    for (;;) {
      const event = this.shiftUntil(Number.POSITIVE_INFINITY);
      event?.onShift();
      if (event?.isOver !== true) return event;
    }
  }

  /**
   * Runs the waiting events and their direct consequences, such as the `open` after an `upgrade`. It stops at a call
   * that a handler queues meanwhile: that call and later events wait for the next poll.
   * @param budget after how many events or milliseconds to stop; the remaining events come first next time
   * @returns the number of events removed from the queue, including obsolete ones
   * @throws RangeError for a number below 0; TypeError for an unknown option
   */
  poll(budget?: number | PollBudget): number {
    const { maxEvents, maxMs } = budgetOf(budget);
    const end = this.events.pushed;
    const endMs = maxMs === Number.POSITIVE_INFINITY ? maxMs : performance.now() + maxMs;
    let count = 0;
    while (count < maxEvents) {
      const event = this.shiftUntil(end);
      if (event === undefined) break;
      count++;
      event.run();
      if (endMs !== Number.POSITIVE_INFINITY && performance.now() >= endMs) break;
    }
    return count;
  }

  /** @param end a position among all events ever queued; calls that the program has queued since then are left */
  private shiftUntil(end: number): Event | CallEvent | undefined {
    const { events } = this;
    if (events.shifted >= end && events.first?.share === undefined) return undefined;
    const event = events.shift();
    if (event === undefined) return undefined;
    const { cost, share } = event;
    this.free(cost);
    share?.free(cost);
    return event;
  }

  /** Counts bytes that polled events hold elsewhere, until {@link free}. */
  hold(bytes: number): void {
    this.bytes += bytes;
    if (this.full || this.bytes <= this.maxBytes()) return;
    this.full = true;
  }

  free(bytes: number): void {
    this.bytes -= bytes;
    if (!this.full || this.bytes > this.maxBytes() / 2) return;
    this.full = false;
    // Later, because a resumed connection can call the program, which is about to run the removed event.
    process.nextTick(() => this.resumeSources());
  }

  private resumeSources(): void {
    for (const source of [...this.sources]) {
      // A resumed connection has filled it again.
      if (this.full) return;
      // The others come first next time.
      this.sources.delete(source);
      this.sources.add(source);
      source.resumeAll();
    }
  }

  /**
   * Resolves when an event waits, or when {@link release} is called. Any number of callers can wait. They continue when
   * all sockets that were ready have been read, so that one poll takes the events of all.
   */
  waitForEvent(): Promise<void> {
    if (this.length > 0) return Promise.resolve();
    if (this.arrival === undefined) {
      let resolve = (): void => {};
      const promise = new Promise<void>((done) => {
        resolve = done;
      });
      this.arrival = { promise, resolve };
    }
    return this.arrival.promise;
  }

  /** Ends all waits without an event. */
  release(): void {
    const { arrival } = this;
    this.arrival = undefined;
    arrival?.resolve();
  }

  /** Ends all waits at the end of this turn of the event loop, unless nothing waits to be polled by then. */
  private releaseLater(): void {
    if (this.isReleasing) return;
    this.isReleasing = true;
    nextTurn(() => {
      this.isReleasing = false;
      if (this.length > 0) this.release();
    });
  }
}
