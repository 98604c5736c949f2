import type { WebSocket, WebSocketHandlers } from "../exchange/exchange.ts";
import type { SendOptions, SendResult } from "../websocket/web-socket-handlers.ts";
import type { WebSocketState } from "../websocket/web-socket-states.ts";
import { TestClientError } from "./errors.ts";
import { within } from "./patience.ts";

/** How a WebSocket ended. The code is 1006 without a close frame, and 1005 for a close frame without a code. */
export interface TestWebSocketClosed {
  readonly code: number;
  readonly reason: string;
}

/** A message: text as a string, binary data as a Buffer. */
export type TestMessage = string | Buffer;

interface Waiter {
  resolve(message: TestMessage | undefined): void;
}

/** The received messages of a socket that the test has not read yet. */
export class Inbox {
  readonly closed: Promise<TestWebSocketClosed>;
  /** How it ended; undefined while it is open. */
  end: TestWebSocketClosed | undefined;
  private readonly messages: TestMessage[] = [];
  private readonly waiters: Waiter[] = [];
  private resolveClosed: (end: TestWebSocketClosed) => void = () => {};

  constructor() {
    this.closed = new Promise((resolve) => {
      this.resolveClosed = resolve;
    });
  }

  get length(): number {
    return this.messages.length;
  }

  get handlers(): WebSocketHandlers {
    return {
      message: (_socket, data, binary) => {
        const message = binary ? Buffer.from(data) : data.toString();
        const waiter = this.waiters.shift();
        if (waiter === undefined) this.messages.push(message);
        else waiter.resolve(message);
      },
      close: (_socket, code, reason) => {
        this.end = { code, reason };
        this.resolveClosed(this.end);
        for (const waiter of this.waiters.splice(0)) waiter.resolve(undefined);
      },
    };
  }

  /** Returns the next message. @returns undefined if it is closed and no message is left */
  async take(timeoutMs: number): Promise<TestMessage | undefined> {
    const message = this.messages.shift();
    if (message !== undefined || this.end !== undefined) return message;
    let waiter: Waiter | undefined;
    const arrival = new Promise<TestMessage | undefined>((resolve) => {
      waiter = { resolve };
      this.waiters.push(waiter);
    });
    return within(arrival, timeoutMs, "message", () => {
      if (waiter !== undefined) this.waiters.splice(this.waiters.indexOf(waiter), 1);
    });
  }
}

/** The client side of a WebSocket. */
export class TestWebSocket implements AsyncIterable<TestMessage>, AsyncDisposable {
  /** The header fields of the handshake response. */
  readonly headers: Headers;
  private readonly socket: WebSocket<undefined>;
  private readonly inbox: Inbox;
  private readonly timeoutMs: number;

  /** @internal Made by `client.webSocket`. */
  constructor(socket: WebSocket<undefined>, inbox: Inbox, headers: Headers, timeoutMs: number) {
    this.socket = socket;
    this.inbox = inbox;
    this.headers = headers;
    this.timeoutMs = timeoutMs;
  }

  /** The subprotocol that was agreed on, or "". */
  get protocol(): string {
    return this.socket.protocol;
  }

  /** "open", "closing" or "closed". */
  get readyState(): WebSocketState {
    return this.socket.readyState;
  }

  /** The number of received messages that you have not read yet. */
  get waitingMessages(): number {
    return this.inbox.length;
  }

  /** Resolves when the connection has ended for any reason. */
  get closed(): Promise<TestWebSocketClosed> {
    return this.inbox.closed;
  }

  /**
   * Sends a message.
   * @param data text is sent as a text message, bytes as a binary one, unless `options.binary` is set
   * @returns the result, as for a server's socket
   */
  send(data: string | Uint8Array, options?: SendOptions): SendResult {
    return this.socket.send(data, options);
  }

  /**
   * Returns the next message: a string for text, a Buffer for binary data.
   * @throws TestClientError ERR_SOCKET_CLOSED if the socket has closed and no message is left, ERR_TIMEOUT
   */
  async next(): Promise<TestMessage> {
    const message = await this.inbox.take(this.timeoutMs);
    if (message !== undefined) return message;
    const { code, reason } = await this.closed;
    throw new TestClientError("ERR_SOCKET_CLOSED", `${code} ${reason}`.trimEnd());
  }

  /** Returns the messages until the socket has closed. @throws TestClientError ERR_TIMEOUT */
  async *[Symbol.asyncIterator](): AsyncGenerator<TestMessage, void, undefined> {
    for (;;) {
      const message = await this.inbox.take(this.timeoutMs);
      if (message === undefined) return;
      yield message;
    }
  }

  /** Performs the closing handshake. @returns when the server has answered, or after a timeout */
  close(code?: number, reason?: string): Promise<TestWebSocketClosed> {
    this.socket.close(code, reason);
    return this.closed;
  }

  /** Drops the connection. The server sees 1006. */
  terminate(): void {
    this.socket.terminate();
  }

  /** Stops reading, as a slow client does. Data from the server waits there. */
  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
