import type { DeflateOptions } from "../websocket/permessage-deflate.ts";
import type { Exchange } from "./exchange.ts";
import type { WebSocket } from "./web-socket.ts";

/**
 * What became of a message: `sent` to the system, `queued` behind what the peer has not read yet (wait for `drain`),
 * `dropped` because a backpressure limit is reached, or `closed`: the connection is not open any more.
 */
export type SendResult = "sent" | "queued" | "dropped" | "closed";

export interface SendOptions {
  /** Send bytes as a text message, or text as a binary one. By default text is text and bytes are binary. */
  binary?: boolean | undefined;
  /** False: leave this message uncompressed where compression was agreed. */
  compress?: boolean | undefined;
}

/** A message that is the program's own. */
export interface Message {
  readonly data: Buffer;
  readonly binary: boolean;
}

/**
 * A program for one WebSocket, in place of handlers: it gets what comes from `socket.messages()`. When it returns the
 * socket is closed with 1000; what it throws is reported and closes it with 1011.
 */
export type WebSocketProgram<Data = undefined> = (socket: WebSocket<Data>) => unknown;

/** What a program does with its WebSockets. All functions are optional, and called one at a time. */
export interface WebSocketHandlers<Data = undefined> {
  /**
   * The handshake is valid, the answer not sent yet. Set header fields, or refuse with `exchange.status(401).end()`.
   * @returns what becomes `socket.data`; it may take its time
   */
  upgrade?(exchange: Exchange): Data | Promise<Data>;
  open?(socket: WebSocket<Data>): unknown;
  /**
   * Deferred delivery only: a message has arrived and is about to be queued. It is called in any case before
   * `message`, outside of the program's own turn.
   * @param data lent for the call
   */
  received?(socket: WebSocket<Data>, data: Buffer, binary: boolean): unknown;
  /** @param data lent for the call when events are delivered at once, the program's own when they are polled */
  message?(socket: WebSocket<Data>, data: Buffer, binary: boolean): unknown;
  /** Everything that was queued has been taken. */
  drain?(socket: WebSocket<Data>): unknown;
  /** A ping has come; it is answered already. @param data lent for the call when events are delivered at once */
  ping?(socket: WebSocket<Data>, data: Buffer): unknown;
  pong?(socket: WebSocket<Data>, data: Buffer): unknown;
  /** Comes once, also for a connection that is lost (1006) or failed (the code that was sent to the peer). */
  close?(socket: WebSocket<Data>, code: number, reason: string): unknown;
}

export interface UpgradeOptions<Data = unknown> {
  /** Subprotocols that the server speaks, or a function that chooses one of those that the client offers. */
  protocols?: readonly string[] | ((offered: readonly string[], exchange: Exchange) => string | undefined);
  /** permessage-deflate (RFC 7692), by default off. True: with the default settings. */
  compression?: boolean | DeflateOptions;
  /** Instead of the server's limit, in bytes. */
  maxMessageBytes?: number;
  /** Becomes `socket.data`. */
  data?: Data;
  /** Further header fields of the response that opens it. */
  headers?: Readonly<Record<string, string>>;
  /** After so long without traffic it is sent a ping, in place of the server's limit, in milliseconds; 0: never. */
  idleTimeoutMs?: number;
  /** For anything to arrive after that ping, in place of the server's limit, in milliseconds. */
  pongTimeoutMs?: number;
  /** For a peer that takes nothing of what waits for it, in place of the server's limit, in milliseconds. */
  writeTimeoutMs?: number;
  /** Whether what is sent counts as traffic, too. Default false. */
  sendResetsIdle?: boolean;
}
