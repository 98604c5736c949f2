import { checkOptions, type OptionNames } from "../options/check-options.ts";
import type { FieldValue } from "../protocol/http/field-values.ts";
import type { DeflateOptions } from "../protocol/websocket/permessage-deflate.ts";
import type { UpgradeAnswer } from "./handshake-result.ts";
import { type BudgetOptions, checkBudget } from "./message-budget.ts";
import { checkWindow, type WindowOptions } from "./window-options.ts";

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

/** Bytes that are lent, by the option `lent`. Valid until the handler returns. Copy it to keep it. */
export interface LentBuffer extends Buffer {}

/** A message that is the program's own. */
export interface Message {
  readonly data: Buffer;
  readonly binary: boolean;
}

/**
 * A program for one WebSocket, in place of handlers: it gets what comes from `socket.messages()`. When it returns the
 * socket is closed with 1000; what it throws is reported and closes it with 1011.
 */
export type ProgramOf<Socket> = (socket: Socket) => unknown;

/**
 * What a program does with its WebSockets. All functions are optional, and called one at a time. `Bytes` is what they get:
 * the program's own, or lent with the option `lent`. Then: Valid until the handler returns. Copy it to keep it.
 */
export interface HandlersOf<Socket, Data, Request, Bytes extends Buffer = Buffer> {
  /**
   * A client asks for a WebSocket, and has not been answered. Set header fields, or refuse: with `exchange.refuse(401)`,
   * with any answer, with a status from 300 on, with `false` (403), or by an error (500). Nothing is opened then.
   * @returns what becomes `socket.data`, what refuses, or a promise of either
   */
  upgrade?(exchange: Request): UpgradeAnswer<Data> | Promise<UpgradeAnswer<Data>>;
  open?(socket: Socket): unknown;
  /**
   * Deferred delivery only: a message has arrived and is about to be queued. It is called before `message`, and outside of
   * the program's own turn. Messages that arrived before `open` has run are reported right after it.
   * @param data the same that `message` gets
   * @returns false to keep the message from `message`, such as one that was answered at once. A message that arrived before
   *   `open` has run is queued already
   */
  onEnqueue?(socket: Socket, data: Buffer, binary: boolean): unknown;
  /** @param data UTF-8 when not `binary`. The program's own, unless the option `lent` is set */
  message?(socket: Socket, data: Bytes, binary: boolean): unknown;
  /** Everything that was queued has been taken. */
  drain?(socket: Socket): unknown;
  /** A ping has come; it is answered already. @param data as in {@link message} */
  ping?(socket: Socket, data: Bytes): unknown;
  pong?(socket: Socket, data: Bytes): unknown;
  /** Comes once, also for a connection that is lost (1006) or failed (the code that was sent to the peer). */
  close?(socket: Socket, code: number, reason: string): unknown;
}

export interface OptionsOf<Data, Request> {
  /** Subprotocols that the server speaks, or a function that chooses one of those that the client offers. */
  protocols?: readonly string[] | ((offered: readonly string[], exchange: Request) => string | undefined);
  /** permessage-deflate (RFC 7692), by default off. True: with the default settings. */
  compression?: boolean | DeflateOptions;
  /**
   * Lends data to `message`, `ping` and `pong`. Valid until the handler returns. Copy it to keep it. Saves a copy of each
   * message. With deferred delivery, data is never lent. Default false.
   */
  lent?: boolean;
  /** Instead of the server's limit, in bytes. */
  maxMessageBytes?: number;
  /** Becomes `socket.data`. */
  data?: Data;
  /** Further header fields of the response that opens it. A list becomes one line for each element. */
  headers?: Readonly<Record<string, FieldValue>>;
  /** After so long without traffic it is sent a ping, in place of the server's limit, in milliseconds; 0: never. */
  idleTimeoutMs?: number;
  /** For anything to arrive after that ping, in place of the server's limit, in milliseconds. */
  pongTimeoutMs?: number;
  /** For a peer that takes nothing of what waits for it, in place of the server's limit, in milliseconds. */
  writeTimeoutMs?: number;
  /** Whether what is sent counts as traffic, too. Default false. */
  sendResetsIdle?: boolean;
  /** How many messages of `sendLatest` can be under way to this client. Default: no limit but the system's buffers. */
  window?: WindowOptions;
  /** How many messages this client can send. Default: no limit. */
  budget?: BudgetOptions;
  /**
   * "immediate": handlers of this route run when something happens, on a server with deferred delivery, too: for what is
   * not part of the program's turn. Default: as the server delivers.
   */
  delivery?: "immediate";
  /** @internal Messages that come before `open` has run are reported to `onEnqueue` at once. */
  shouldEnqueueBeforeOpen?: boolean;
}

export const upgradeOptionNames: OptionNames<OptionsOf<unknown, unknown>> = {
  protocols: true,
  compression: true,
  lent: "boolean",
  maxMessageBytes: true,
  data: true,
  headers: true,
  idleTimeoutMs: true,
  pongTimeoutMs: true,
  writeTimeoutMs: true,
  sendResetsIdle: "boolean",
  window: true,
  budget: true,
  delivery: true,
  shouldEnqueueBeforeOpen: "boolean",
};

/** @throws TypeError for an unknown option; TypeError or RangeError for a window or a budget that cannot be */
export function checkUpgradeOptions(
  of: string,
  options: Pick<OptionsOf<unknown, unknown>, "window" | "budget">,
): void {
  checkOptions(of, options, upgradeOptionNames);
  if (options.window !== undefined) checkWindow(options.window);
  if (options.budget !== undefined) checkBudget(options.budget);
}

export const handlerNames: OptionNames<HandlersOf<unknown, unknown, unknown>> = {
  upgrade: true,
  open: true,
  onEnqueue: true,
  message: true,
  drain: true,
  ping: true,
  pong: true,
  close: true,
};
