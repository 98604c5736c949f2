import type { HttpLimits } from "../http1/limits.ts";
import type { Transport } from "../transport/transport.ts";
import type { Counters } from "./counters.ts";
import type { EventQueue, ServerEvent } from "./event-queue.ts";
import type { Exchange } from "./exchange.ts";
import type { Limits } from "./limits.ts";
import type { Observers } from "./observers.ts";
import type { Ticker, Ticking } from "./ticker.ts";
import type { Topics } from "./topics.ts";
import type { WebSocket } from "./web-socket.ts";

/** Why a connection is not read from; reading goes on when no reason is left. */
export const PAUSED_BY_QUEUE = 1;
export const PAUSED_BY_BODY = 2;
export const PAUSED_BY_PIPELINE = 4;
export const PAUSED_BY_PROGRAM = 8;
export const PAUSED_BY_WRITES = 16;
export const PAUSED_BY_SERVER = 32;
export const PAUSED_BY_TURN = 64;
export const PAUSED_BY_CONSUMER = 128;

/** Up to this size what a connection has sent and the program cannot use yet is kept, whatever the others hold. */
export const FREE_BYTES = 65_536;

/** A connection of a server, whatever it speaks. */
export interface Connection extends Ticking {
  readonly transport: Transport;
  /** What it serves now: an exchange that is not complete, or a WebSocket that is not closed. */
  readonly serves: Exchange | WebSocket | undefined;
  /** Takes it from the count that limits look at. */
  release: (() => void) | undefined;
  pauseFor(reason: number): void;
  resumeFrom(reason: number): void;
  /** The server closes: finish what is under way and take nothing new. */
  shutDown(): void;
  /** The time for that is over: refuse what is left and be gone. */
  cutOff(): void;
}

/** What connections, exchanges and WebSockets share: their server, seen from below. */
export interface Core {
  readonly limits: Limits;
  readonly counters: Counters;
  readonly ticker: Ticker;
  readonly connections: Set<Connection>;
  readonly topics: Topics<WebSocket>;
  readonly found: Map<string, Exchange | WebSocket>;
  readonly observers: Observers;
  /** Null when events are delivered at once. */
  readonly queue: EventQueue | null;
  readonly closing: boolean;
  /** Whether the program has paused the whole server. */
  readonly isHeld: boolean;
  /** The limits of the HTTP layer, with the content limit of the route that takes the most. */
  readonly readerLimits: HttpLimits;
  /** Finds the route of an exchange. @returns its content limit in bytes, or undefined when it was answered */
  route(exchange: Exchange): number | undefined;
  /** Runs the handler of an exchange that has been routed. */
  handle(exchange: Exchange): void;
  /** Puts an event into the queue; a queue that is full pauses the connection that it comes from. */
  enqueue(event: ServerEvent, connection: Connection): void;
  /**
   * Reads no more from a connection until the queue has room.
   * @param bytes that it has sent by then, and that are kept
   */
  holdBack(connection: Connection, bytes: number): void;
  /** An error has left a handler: it is reported, and the exchange answered with 500 or broken off. */
  fault(error: unknown, exchange: Exchange): void;
  /** Tells the program of an error that is not the peer's. */
  report(error: unknown, where: Exchange | WebSocket | undefined): void;
  /** A connection is a WebSocket from here on. */
  forget(connection: Connection): void;
  /** A connection is gone. */
  removed(connection: Connection): void;
}
