import type { Exchange } from "./exchange.ts";
import { Fifo } from "./fifo.ts";
import type { WebSocket } from "./web-socket.ts";

/** What a server with deferred delivery has to tell, in the order in which it happened. */
export type ServerEvent =
  /** A request's head is complete. */
  | { readonly type: "request"; readonly exchange: Exchange }
  /** A piece of its content; `last` ends the content and may come with no data. */
  | { readonly type: "body"; readonly exchange: Exchange; readonly data: Buffer; readonly last: boolean }
  /** The peer went away before the response was complete. */
  | { readonly type: "abort"; readonly exchange: Exchange }
  /** What the response was waiting to send has been taken. */
  | { readonly type: "writable"; readonly exchange: Exchange }
  | { readonly type: "open"; readonly socket: WebSocket }
  | { readonly type: "message"; readonly socket: WebSocket; readonly data: Buffer; readonly binary: boolean }
  | { readonly type: "ping"; readonly socket: WebSocket; readonly data: Buffer }
  | { readonly type: "pong"; readonly socket: WebSocket; readonly data: Buffer }
  | { readonly type: "drain"; readonly socket: WebSocket }
  | { readonly type: "close"; readonly socket: WebSocket; readonly code: number; readonly reason: string }
  /** Something of the program's own that has its place between the others. */
  | { readonly type: "call"; readonly call: () => unknown };

/** Whose sockets are not read from while the queue is full. */
export interface EventSource {
  /** The queue has room again. */
  resumeAll(): void;
}

/** What an event holds besides its data, in bytes: the object, the one of the data, and its place in the queue. */
export const EVENT_BYTES = 256;
/** An exchange, besides the head of its request. */
const EXCHANGE_BYTES = 1_024;
/** A connection, which an event keeps in memory when the peer has long gone, besides the head of a request. */
const CONNECTION_BYTES = 4_096;

/**
 * Events that wait to be polled, first in first out. When they hold more bytes than allowed, a socket of the sources
 * that sends something is paused, until half of it has been taken: what was received by then is kept, so nothing is lost.
 * Several servers may share one queue; the order is then that of all of them together.
 */
export class EventQueue {
  private readonly sources = new Set<EventSource>();
  private readonly maxBytes: () => number;
  private readonly events = new Fifo<ServerEvent>();
  /** What each counts for: the program may change what an event holds. */
  private readonly costs = new Fifo<number>();
  private bytes = 0;
  private full = false;
  private arrival: { readonly promise: Promise<void>; readonly tell: () => void } | undefined;

  /** @param maxBytes asked at each event, so that the limit may change */
  constructor(maxBytes: () => number) {
    this.maxBytes = maxBytes;
  }

  /** Events that wait. */
  get length(): number {
    return this.events.length;
  }

  /** Bytes that they hold. */
  get heldBytes(): number {
    return this.bytes;
  }

  /** Whether the sockets are paused because of the queue. */
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

  push(event: ServerEvent): void {
    const cost = costOf(event);
    this.events.push(event);
    this.costs.push(cost);
    this.hold(cost);
    this.release();
  }

  shift(): ServerEvent | undefined {
    this.free(this.costs.shift() ?? 0);
    return this.events.shift();
  }

  /** Counts bytes that are held elsewhere because of events that were taken, until {@link free}. */
  hold(bytes: number): void {
    this.bytes += bytes;
    if (this.full || this.bytes <= this.maxBytes()) return;
    this.full = true;
  }

  free(bytes: number): void {
    this.bytes -= bytes;
    if (!this.full || this.bytes > this.maxBytes() / 2) return;
    this.full = false;
    // Later: what is resumed may call the program, which is about to run the event that was taken.
    process.nextTick(() => this.resumeSources());
  }

  private resumeSources(): void {
    for (const source of [...this.sources]) {
      // What was resumed has filled it again.
      if (this.full) return;
      // The others come first next time.
      this.sources.delete(source);
      this.sources.add(source);
      source.resumeAll();
    }
  }

  /** Resolves when there is an event, or when {@link release} is called. Any number may wait. */
  waitForEvent(): Promise<void> {
    if (this.length > 0) return Promise.resolve();
    if (this.arrival === undefined) {
      let tell = (): void => {};
      const promise = new Promise<void>((resolve) => {
        tell = resolve;
      });
      this.arrival = { promise, tell };
    }
    return this.arrival.promise;
  }

  /** Ends all waits without an event. */
  release(): void {
    const { arrival } = this;
    this.arrival = undefined;
    arrival?.tell();
  }
}

function costOf(event: ServerEvent): number {
  switch (event.type) {
    case "request":
      return EVENT_BYTES + EXCHANGE_BYTES + headLength(event.exchange);
    case "abort":
      return EVENT_BYTES + CONNECTION_BYTES + headLength(event.exchange);
    case "open":
    case "close": {
      const { request } = event.socket;
      return EVENT_BYTES + CONNECTION_BYTES + (request === undefined ? 0 : headLength(request));
    }
    case "body":
    case "message":
    case "ping":
    case "pong":
      return EVENT_BYTES + event.data.length;
    default:
      return EVENT_BYTES;
  }
}

function headLength(exchange: Exchange): number {
  return exchange.requestHead.fields.textLength;
}

/** Runs the handler of an event, of whichever server it is. */
export function runEvent(event: ServerEvent): void {
  switch (event.type) {
    case "request":
      event.exchange.runRequest();
      break;
    case "body":
      event.exchange.runBody(event.data, event.last);
      break;
    case "abort":
      event.exchange.runAbort();
      break;
    case "writable":
      event.exchange.runWritable();
      break;
    case "open":
      event.socket.runOpen();
      break;
    case "message":
      event.socket.runMessage(event.data, event.binary);
      break;
    case "ping":
      event.socket.runPing(event.data);
      break;
    case "pong":
      event.socket.runPong(event.data);
      break;
    case "drain":
      event.socket.runDrain();
      break;
    case "close":
      event.socket.runClose(event.code, event.reason);
      break;
    case "call":
      event.call();
      break;
  }
}
