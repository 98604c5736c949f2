import { Fifo } from "../delivery/fifo.ts";
import type { WebSocket } from "../exchange/exchange.ts";
import { byteLengthOf } from "../transport/payload.ts";
import { closedFile } from "./errors.ts";
import { luaText, type Writable } from "./lua-text.ts";
import { type WaitableQueue, waitFor } from "./wait-for.ts";

/** A message: text as a string, or binary data as a Buffer. */
export type Message = [message: string | Buffer, binary: boolean];

/** How many messages are kept for a program that has never called `receive`. */
const KEPT_MESSAGES = 256;
const INBOX_BYTES = 1_048_576;
/** For a client to answer `close`. */
const CLOSE_MS = 1_000;
const NORMAL_CLOSURE = 1000;
/** The cost of a message in addition to its data, in bytes. */
const MESSAGE_BYTES = 128;

/**
 * A client of a WebSocket server. Messages wait here for `receive`. Once the program has called `receive`, no message
 * is lost, because a client with many waiting messages is paused. Before that, only the most recent messages are kept.
 */
export class ClientHandle {
  /** Identifies the client in events. */
  readonly clientID: string;
  private readonly socket: WebSocket;
  private readonly queue: WaitableQueue;
  private readonly maxMessageBytes: number;
  private readonly inbox = new Fifo<Message>();
  private inboxBytes = 0;
  private receivers: ((message: Message | null) => void)[] = [];
  private hasReceived = false;
  private state: "open" | "gone" | "closed" = "open";
  private closing: NodeJS.Timeout | undefined;

  /** @internal Made by the server. */
  constructor(socket: WebSocket, queue: WaitableQueue, maxMessageBytes: number) {
    this.clientID = socket.id;
    this.socket = socket;
    this.queue = queue;
    this.maxMessageBytes = maxMessageBytes;
  }

  /**
   * Returns the next message of this client.
   * @param timeout in seconds
   * @returns null if the client has disconnected, or after the timeout
   * @throws Error "attempt to use a closed file" after `close`; "Terminated"
   */
  async receive(timeout?: number): Promise<Message | null> {
    if (this.state === "closed") throw closedFile();
    this.hasReceived = true;
    const message = this.inbox.shift();
    if (message === undefined) {
      if (this.state === "gone") return null;
      this.socket.resumeDespiteFullQueue();
      return waitFor(this.queue, this.receivers, timeout);
    }
    this.inboxBytes -= costOf(message);
    if (this.inboxBytes <= INBOX_BYTES / 2) this.socket.resume();
    return message;
  }

  /**
   * Sends a message. Numbers and booleans become text as in Lua.
   * @param binary whether to send a binary message; default no
   * @returns false if the client has disconnected, or is so slow that `limits.maxBackpressureBytes` is reached
   * @throws Error "Message is too large"; "attempt to use a closed file" after `close`
   */
  send(message: Writable, binary = false): boolean {
    if (this.state === "closed") throw closedFile();
    const data = luaText(message);
    if (byteLengthOf(data) > this.maxMessageBytes) throw new Error("Message is too large");
    // The engine keeps large messages by reference, and the program can use its memory again.
    const own = typeof data === "string" ? data : Buffer.from(data);
    const result = this.socket.send(own, { binary });
    return result === "sent" || result === "queued";
  }

  /** Closes the connection, after one second at most even if the client does not answer. A second call does nothing. */
  close(): void {
    if (this.state === "open") {
      this.socket.close();
      this.closing = setTimeout(() => this.socket.closeNow(NORMAL_CLOSURE), CLOSE_MS).unref();
    }
    this.state = "closed";
    this.releaseReceivers();
  }

  /** @internal Whether the connection is open now, also where its end waits in the queue. */
  get isConnected(): boolean {
    return this.socket.readyState === "open";
  }

  /** @internal Called with each message. */
  deliver(message: string | Buffer, binary: boolean): void {
    if (this.state !== "open") return;
    const arrived: Message = [message, binary];
    const receiver = this.receivers.shift();
    if (receiver !== undefined) {
      receiver(arrived);
      return;
    }
    this.inbox.push(arrived);
    this.inboxBytes += costOf(arrived);
    if (!this.hasReceived) this.forgetOldest();
    else if (this.inboxBytes > INBOX_BYTES) this.socket.pause();
  }

  /** @internal Called when the client has disconnected. */
  end(): void {
    clearTimeout(this.closing);
    if (this.state === "open") this.state = "gone";
    this.releaseReceivers();
  }

  private forgetOldest(): void {
    while (this.inbox.length > KEPT_MESSAGES || this.inboxBytes > INBOX_BYTES) {
      const oldest = this.inbox.shift();
      if (oldest === undefined) return;
      this.inboxBytes -= costOf(oldest);
    }
  }

  private releaseReceivers(): void {
    const { receivers } = this;
    this.receivers = [];
    for (const receiver of receivers) receiver(null);
  }
}

function costOf(message: Message): number {
  return MESSAGE_BYTES + byteLengthOf(message[0]);
}
