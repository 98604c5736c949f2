import { checkOptions, type OptionNames } from "../options/check-options.ts";
import type { FieldValue } from "../protocol/http/field-values.ts";
import type { DeflateOptions } from "../protocol/websocket/permessage-deflate.ts";
import type { UpgradeAnswer } from "./handshake-result.ts";
import { type BudgetOptions, checkBudget } from "./message-budget.ts";
import { checkWindow, type WindowOptions } from "./window-options.ts";

/**
 * The result of sending a message. `sent`: handed to the system. `queued`: waits until the other side has read earlier
 * data (wait for `drain`). `dropped`: a backpressure limit was reached. `closed`: the connection is not open any more.
 */
export type SendResult = "sent" | "queued" | "dropped" | "closed";

export interface SendOptions {
  /** Whether to send a binary message. By default bytes are sent as binary and strings as text. */
  binary?: boolean | undefined;
  /** Set it to false to leave this message uncompressed if compression was negotiated. */
  compress?: boolean | undefined;
}

/** Bytes lent by the option `lent`. Valid until the handler returns. Copy it to keep it. */
export interface LentBuffer extends Buffer {}

/** A message, which belongs to the program. */
export interface Message {
  readonly data: Buffer;
  readonly binary: boolean;
}

/**
 * A function that handles one WebSocket, instead of handlers. It reads messages from `socket.messages()`. When it
 * returns, the socket is closed with 1000. If it throws, the error is reported and the socket is closed with 1011.
 */
export type ProgramOf<Socket> = (socket: Socket) => unknown;

/**
 * The handlers of a WebSocket. All are optional, and run one at a time. `Bytes` is the type of their data, which
 * belongs to the program, or with the option `lent` is valid until they return.
 */
export interface HandlersOf<Socket, Data, Request, Bytes extends Buffer = Buffer> {
  /**
   * Called when a client asks for a WebSocket, before the response. You can set header fields, or refuse the request:
   * with `exchange.refuse(401)`, any answer, a status of at least 300, `false` (403), or an error (500). Then no
   * WebSocket is opened.
   * @returns the value of `socket.data`, a refusal, or a promise of either
   */
  upgrade?(exchange: Request): UpgradeAnswer<Data> | Promise<UpgradeAnswer<Data>>;
  open?(socket: Socket): unknown;
  /**
   * Deferred delivery only: called when a message has arrived and is about to be queued. It runs before `message`,
   * outside of your loop. Messages that arrived before `open` has run are reported right after it.
   * @param data the same data that `message` receives
   */
  onEnqueue?(socket: Socket, data: Buffer, binary: boolean): unknown;
  /**
   * Called with a message.
   * @param data UTF-8 unless `binary`. It belongs to the program, unless the option `lent` is set
   */
  message?(socket: Socket, data: Bytes, binary: boolean): unknown;
  /** Called when all queued data has been sent. */
  drain?(socket: Socket): unknown;
  /** Called with a ping, which has already been answered. @param data as in {@link message} */
  ping?(socket: Socket, data: Bytes): unknown;
  pong?(socket: Socket, data: Bytes): unknown;
  /**
   * Called once, when the connection has ended. The code is 1006 for a lost connection, and for a failed one the code
   * that was sent to the other side.
   */
  close?(socket: Socket, code: number, reason: string): unknown;
}

export interface OptionsOf<Data, Request> {
  /** The server's subprotocols, the preferred one first, or a function that chooses one of the client's. */
  protocols?: readonly string[] | ((offered: readonly string[], exchange: Request) => string | undefined);
  /** Enables permessage-deflate (RFC 7692); true uses the default settings. Default false. */
  compression?: boolean | DeflateOptions;
  /**
   * Lends data to `message`, `ping` and `pong` instead of copying it. The data is valid until the handler returns, and
   * its memory is reused afterwards. It saves a copy of each message. With deferred delivery data is always copied.
   * Default false.
   */
  lent?: boolean;
  /** The largest message, in bytes. Default: the server's limit. */
  maxMessageBytes?: number;
  /** The initial value of `socket.data`. */
  data?: Data;
  /** Additional header fields of the handshake response. A list becomes one line for each element. */
  headers?: Readonly<Record<string, FieldValue>>;
  /**
   * The time without traffic after which the client gets a ping, in milliseconds; 0 means never. Default: the server's
   * limit.
   */
  idleTimeoutMs?: number;
  /** The time for anything to arrive after that ping, in milliseconds. Default: the server's limit. */
  pongTimeoutMs?: number;
  /**
   * The time after which a client that reads none of its waiting data is disconnected, in milliseconds. Default: the
   * server's limit.
   */
  writeTimeoutMs?: number;
  /** Whether sent messages count as traffic, too. Default false. */
  sendResetsIdle?: boolean;
  /**
   * How many messages of `sendLatest` can be sent without an acknowledgement. Default: limited only by the system's
   * buffers.
   */
  window?: WindowOptions;
  /** How many messages a client can send. Default: no limit. */
  budget?: BudgetOptions;
  /**
   * "immediate": handlers of this route run as soon as something happens, even on a server with deferred delivery. Use
   * it for routes outside of your program's loop. Default: the delivery of the server.
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

/**
 * Checks the options.
 * @throws TypeError for an unknown option; TypeError or RangeError for an invalid window or budget
 */
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
