import { ChurnMap } from "../bytes/churn-map.ts";
import type { Limits } from "../limits/limits.ts";
import { cryptoModule } from "../node/builtins.ts";
import { FIN, PING_FRAME } from "../protocol/websocket/opcodes.ts";
import { byteLengthOf } from "../transport/payload.ts";
import { refusedBytes } from "../transport/transport.ts";
import { dropMessage, type Sender, sendFrame, sendMessage } from "./message-writer.ts";
import type { SendOptions, SendResult } from "./web-socket-handlers.ts";
import type { WindowOptions } from "./window-options.ts";

/** Data, or a function that makes it when it can leave. It can return undefined: then nothing is sent. */
export type LatestData = string | Uint8Array | (() => string | Uint8Array | undefined);

interface Value {
  readonly data: LatestData;
  readonly options: SendOptions;
  readonly bytes: number;
}

let mark: string | undefined;
/** What a waiting value costs apart from its key and its bytes, roughly: clients can make up keys. */
const VALUE_BYTES = 150;

/** Begins the payload of a ping that asks for an acknowledgement; a number follows. The program's own pings do not have it. */
function markOfPings(): string {
  mark ??= cryptoModule().randomBytes(6).toString("base64url");
  return mark;
}

/** The values that wait for a client, by key, and those in flight. The newest value of a key replaces older ones. */
export class LatestValues {
  private readonly sender: Sender;
  private readonly limits: Limits;
  private readonly window: WindowOptions | undefined;
  private readonly waiting = new ChurnMap<string, Value>();
  private waitingBytes = 0;
  private sent = 0;
  /** When the unacknowledged messages were sent, the oldest first. */
  private readonly sentAt: number[] = [];
  private lastLagMs = 0;

  constructor(sender: Sender, limits: Limits, window: WindowOptions | undefined) {
    this.sender = sender;
    this.limits = limits;
    this.window = window;
  }

  /**
   * The time since the oldest unacknowledged message was sent, or how long the last acknowledgement took, in
   * milliseconds.
   */
  get lagMs(): number {
    const [oldest] = this.sentAt;
    return oldest === undefined ? this.lastLagMs : performance.now() - oldest;
  }

  /** Sends a value, or keeps it, replacing that of the same key, until it can be sent. */
  send(key: string, data: LatestData, options: SendOptions): SendResult {
    if (!this.sender.isOpen) return "closed";
    if (this.waiting.size === 0 && this.canSend) return this.transmit(data, options);
    const bytes = VALUE_BYTES + 2 * key.length + (typeof data === "function" ? 0 : byteLengthOf(data));
    const others = this.waitingBytes - (this.waiting.get(key)?.bytes ?? 0);
    if (others + bytes > this.limits.maxBackpressureBytes) return dropMessage(this.sender);
    this.waitingBytes = others + bytes;
    // The program can use its buffer again.
    const kept = typeof data === "object" ? Buffer.from(data) : data;
    this.waiting.set(key, { data: kept, options, bytes });
    this.waitForSystem();
    return "queued";
  }

  /** Sends waiting values, as many as the client can receive. */
  flush(): void {
    for (const [key, { data, options, bytes }] of this.waiting) {
      if (!this.sender.isOpen || !this.canSend) break;
      this.waiting.delete(key);
      this.waitingBytes -= bytes;
      this.transmit(data, options);
    }
    this.waitForSystem();
  }

  /**
   * @param count acknowledges the messages up to this one, counted from 1
   * @returns whether a waiting value can be sent now
   */
  ack(count: number): boolean {
    const now = performance.now();
    let acknowledged = count - (this.sent - this.sentAt.length);
    for (; acknowledged > 0 && this.sentAt.length > 0; acknowledged--) {
      this.lastLagMs = now - (this.sentAt.shift() ?? now);
    }
    this.waitForSystem();
    return this.waiting.size > 0 && this.canSend;
  }

  /** Counts a message of the client as an acknowledgement, if the options say so. @returns the same as {@link ack} */
  onMessage(): boolean {
    if (this.window?.acknowledgedBy !== "message") return false;
    return this.ack(this.sent - this.sentAt.length + 1);
  }

  /** Handles a pong. @returns undefined for the pong of another ping; otherwise the same as {@link ack} */
  onPong(data: Buffer): boolean | undefined {
    if (!this.isPonged) return undefined;
    const text = data.toString("latin1");
    const mark = markOfPings();
    if (!text.startsWith(mark)) return undefined;
    return this.ack(Math.min(Number(text.slice(mark.length)), this.sent));
  }

  /** Asks for a drain event if the system has refused data. If the window is full, an acknowledgement comes next. */
  private waitForSystem(): void {
    const { sender } = this;
    const { transport } = sender;
    if (this.waiting.size === 0 || refusedBytes(transport) === 0) return;
    sender.isSlow = true;
    transport.requestDrain();
  }

  /** Whether pongs acknowledge. */
  private get isPonged(): boolean {
    return this.window !== undefined && (this.window.acknowledgedBy ?? "pong") === "pong";
  }

  private get canSend(): boolean {
    if (refusedBytes(this.sender.transport) > 0) return false;
    return this.window === undefined || this.sentAt.length < this.window.maxUnacked;
  }

  private transmit(data: LatestData, options: SendOptions): SendResult {
    const { sender } = this;
    const message = typeof data === "function" ? data() : data;
    if (message === undefined) return "sent";
    const result = sendMessage(sender, message, options);
    if (this.window === undefined || result === "closed" || result === "dropped") return result;
    this.sent++;
    this.sentAt.push(performance.now());
    // However much waits: without it nothing would acknowledge the message.
    if (this.isPonged) sendFrame(sender, FIN | PING_FRAME, `${markOfPings()}${this.sent}`);
    return result;
  }
}
