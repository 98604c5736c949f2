import { ByteQueue } from "../bytes/byte-queue.ts";
import type { Transport, TransportSink } from "../transport/transport.ts";
import { errnoOf } from "./system-error.ts";

/** How long a closed connection can stay open while the other side reads no data, in milliseconds. */
const STALL_MS = 2_000;

/** How a connection ended: by the other side, or with a system error. */
export type Ending = { readonly type: "closed" } | { readonly type: "failed"; readonly code: number };

/** One connection: its received data and its end, kept until a tick asks. Nothing here calls the program. */
export class Connection implements TransportSink {
  /** The end of the other side's half, or an error, whichever came first. Received bytes come before it. */
  ending: Ending | undefined;
  private readonly received = new ByteQueue();
  private readonly transport: Transport;
  private readonly maxReceiveBytes: number;
  private readonly maxSendBytes: number;
  private paused = false;
  private left = false;

  constructor(transport: Transport, limits: { maxReceiveBytes: number; maxSendBytes: number }) {
    this.transport = transport;
    this.maxReceiveBytes = limits.maxReceiveBytes;
    this.maxSendBytes = limits.maxSendBytes;
    transport.sink = this;
  }

  /** Bytes that wait to be taken. */
  get length(): number {
    return this.received.length;
  }

  get gone(): boolean {
    return this.transport.closed;
  }

  /** Stops reading. One more read can follow. */
  pause(): void {
    this.paused = true;
    this.transport.pause();
  }

  resume(): void {
    this.paused = false;
    this.transport.resume();
  }

  /** @returns at most `maxBytes` of what waits, the caller's own */
  take(maxBytes: number): Buffer {
    const bytes = this.received.take(maxBytes);
    if (this.paused && this.length <= this.maxReceiveBytes / 2) this.resume();
    return bytes;
  }

  /**
   * @param bytes copied, if they are accepted
   * @returns whether they were accepted: all of them, or none
   */
  send(bytes: Uint8Array): "accepted" | "full" | "gone" {
    if (this.transport.closed) return "gone";
    if (this.transport.bufferedBytes + bytes.length > this.maxSendBytes) return "full";
    if (bytes.length > 0) this.transport.writeBytes(Buffer.from(bytes));
    return "accepted";
  }

  /** Drops what waits, sends what was accepted, and then closes. */
  leave(): void {
    this.left = true;
    this.received.clear();
    this.transport.resume();
    this.transport.end();
    this.destroyWhenStalled();
  }

  /** Disconnects a client that was left, once it stops accepting what it was sent. */
  private destroyWhenStalled(mark: number = this.transport.progressMark): void {
    setTimeout(() => {
      if (this.gone) return;
      if (this.transport.progressMark === mark) this.transport.destroy();
      else this.destroyWhenStalled();
    }, STALL_MS).unref();
  }

  destroy(): void {
    this.left = true;
    this.received.clear();
    this.transport.destroy();
  }

  onBytes(bytes: Buffer, start: number, end: number): void {
    if (this.left) return;
    this.received.append(bytes.subarray(start, end));
    if (!this.paused && this.length >= this.maxReceiveBytes) this.pause();
  }

  onEnd(): void {
    this.ending ??= { type: "closed" };
  }

  // Closing now would reset a side that is still sending, and it would lose unread data. Read until it ends.
  onDrain(): void {}

  onClose(error: Error | undefined): void {
    this.ending ??= error === undefined ? { type: "closed" } : { type: "failed", code: errnoOf(error) };
  }
}
