import { Fifo } from "../engine/fifo.ts";
import { byteLengthOf } from "../engine/payload.ts";
import type { WebSocket } from "../engine/web-socket.ts";
import type { ComputerQueue } from "./computer-queue.ts";
import { closedFile } from "./events.ts";
import { waitFor } from "./wait-for.ts";

/** A message: text as a string, or binary data as a Buffer. */
export type Message = [message: string | Buffer, binary: boolean];

/** The last messages that are kept for who has never received. */
const KEPT_MESSAGES = 256;
const INBOX_BYTES = 1_048_576;
/** What a message costs beside its data, in bytes. */
const MESSAGE_BYTES = 128;

/**
 * A client of a WebSocket server. Messages that nobody is waiting for are kept for `receive`. Who receives loses
 * nothing, because a client whose messages wait is not read from; for who never has, only the last messages are kept.
 */
export class ClientHandle {
  /** Names the client in events. */
  readonly clientID: string;
  private readonly socket: WebSocket;
  private readonly queue: ComputerQueue;
  private readonly maxMessageBytes: number;
  private readonly inbox = new Fifo<Message>();
  private inboxBytes = 0;
  private receivers: ((message: Message | null) => void)[] = [];
  private receives = false;
  private state: "open" | "gone" | "closed" = "open";

  /** Made by the server. */
  constructor(socket: WebSocket, queue: ComputerQueue, maxMessageBytes: number) {
    this.clientID = socket.id;
    this.socket = socket;
    this.queue = queue;
    this.maxMessageBytes = maxMessageBytes;
  }

  /**
   * The next message of this client.
   * @param timeout in seconds
   * @returns null when the client has gone, or after the timeout
   * @throws Error "attempt to use a closed file" after `close`; "Terminated"
   */
  async receive(timeout?: number): Promise<Message | null> {
    if (this.state === "closed") throw closedFile();
    this.receives = true;
    const message = this.inbox.shift();
    if (message === undefined) {
      if (this.state === "gone") return null;
      this.socket.readOn();
      return waitFor(this.queue, this.receivers, timeout);
    }
    this.inboxBytes -= costOf(message);
    if (this.inboxBytes <= INBOX_BYTES / 2) this.socket.resume();
    return message;
  }

  /**
   * Sends a message.
   * @param binary whether it is a binary one; default false
   * @returns false when the client has gone, or is so slow that `limits.maxBackpressureBytes` is reached
   * @throws Error "Message is too large"; "attempt to use a closed file" after `close`
   */
  send(message: string | Uint8Array, binary = false): boolean {
    if (this.state === "closed") throw closedFile();
    if (byteLengthOf(message) > this.maxMessageBytes) throw new Error("Message is too large");
    // The engine keeps large pieces by reference, and the program may use its memory again.
    const own = typeof message === "string" ? message : Buffer.from(message);
    const result = this.socket.send(own, { binary });
    return result === "sent" || result === "queued";
  }

  /** Closes the connection. A second time it does nothing. */
  close(): void {
    if (this.state === "open") this.socket.close();
    this.state = "closed";
    this.dismiss();
  }

  /** @internal A message has come. */
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
    if (!this.receives) this.forgetOldest();
    else if (this.inboxBytes > INBOX_BYTES) this.socket.pause();
  }

  /** @internal The client has gone. */
  end(): void {
    if (this.state === "open") this.state = "gone";
    this.dismiss();
  }

  private forgetOldest(): void {
    while (this.inbox.length > KEPT_MESSAGES || this.inboxBytes > INBOX_BYTES) {
      const oldest = this.inbox.shift();
      if (oldest === undefined) return;
      this.inboxBytes -= costOf(oldest);
    }
  }

  private dismiss(): void {
    const { receivers } = this;
    this.receivers = [];
    for (const receiver of receivers) receiver(null);
  }
}

function costOf(message: Message): number {
  return MESSAGE_BYTES + byteLengthOf(message[0]);
}
