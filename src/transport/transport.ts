import { isBorrowed, retain } from "../bytes/lease.ts";
import { transportLog } from "../trace/debug-log.ts";
import { BufferedOutput, corkBuffer } from "./buffered-output.ts";
import { type Flushable, noteRead, scheduleFlush } from "./flush-scheduler.ts";
import { RetainedLeases } from "./retained-leases.ts";

/** Receives the events of a transport. Calls come one at a time, never from inside a call to the transport. */
export interface TransportSink {
  /**
   * Called with received data, `bytes[start..end)`. You can change it in place. Valid until the handler returns. Copy
   * it to keep it.
   */
  onBytes(bytes: Buffer, start: number, end: number): void;
  /** Called when the other side has ended its half. It can still read. */
  onEnd(): void;
  /** Called when all waiting data has been sent. */
  onDrain(): void;
  /** Called when the transport has closed. It is the last call. */
  onClose(error: Error | undefined): void;
}

/** The other end of a connection. */
export interface Peer {
  /** The address; undefined for a Unix socket. Reading it can cost a system call and memory. */
  readonly remoteAddress?: string | undefined;
}

/** The sums of the bytes of several transports. */
export interface TransportTotals {
  /** Bytes sent that the other side has not received yet. */
  pendingBytes: number;
  /** Bytes sent so far. */
  bytesSent: number;
}

const noSink: TransportSink = { onBytes() {}, onEnd() {}, onDrain() {}, onClose() {} };

/** Bytes are copied up to this size. Larger ones are kept by reference until the system has taken them. */
const COPY_BYTES = 65_536;

/** Up to this size bytes are always copied: they join the cork buffer, or the text around them. */
const INLINE_BYTES = 2_048;

/** Beyond this many bytes there is nothing to win by gathering more into one system call. */
const GATHER_BYTES = 65_536;

/**
 * A two-way stream of bytes. Output of one turn of the event loop, or of one tick of the program, is gathered and sent
 * together. Nothing here throws. After the end all calls do nothing.
 */
export abstract class Transport extends BufferedOutput implements Flushable {
  sink: TransportSink = noSink;
  totals: TransportTotals = { pendingBytes: 0, bytesSent: 0 };
  /** When it was opened, by performance.now(). In whole milliseconds, because a fraction would take 16 bytes more. */
  readonly openedAt: number = Math.floor(performance.now());
  private counted = 0;
  private corked = 0;
  private isScheduled = false;
  private isDrainRequested = false;
  private retained: RetainedLeases | undefined = undefined;
  /** Whether the end of the stream has been sent, or will be. */
  protected ended = false;

  /** The number of flushed bytes that the system or the other side has not received yet. */
  abstract readonly pendingBytes: number;
  /**
   * The number of bytes that can be pending even if the other side is not slow, because TLS sends them a little later.
   */
  abstract readonly slackBytes: number;
  /** A number that does not change while the other side receives none of the pending bytes. */
  abstract readonly progressMark: number;
  abstract readonly remoteAddress: string | undefined;
  abstract readonly remotePort: number | undefined;
  abstract readonly encrypted: boolean;
  abstract readonly closed: boolean;
  /** The number of bytes received so far. */
  abstract readonly bytesReceived: number;
  /** The number of bytes handed over so far, including pending ones. */
  abstract readonly bytesSent: number;

  /** Stops reading until {@link resume}. One more read can follow. */
  abstract pause(): void;
  abstract resume(): void;
  /** Asks the system whether the other side has disconnected, and closes if so. It sends nothing, and reads no data. */
  probe(): void {}
  /** Closes at once and drops all data. */
  abstract destroy(): void;
  /** Sends the end of the stream after the pending data. */
  protected abstract sendEnd(): void;

  /** Whether a sink receives its events. */
  get isServed(): boolean {
    return this.sink !== noSink;
  }

  /** The number of written bytes that have not been sent. */
  get bufferedBytes(): number {
    return this.gathered + this.pendingBytes;
  }

  /** Writes text. @param text latin1: each character is one byte */
  writeText(text: string): void {
    if (text === "") return;
    const at = this.prefersCork ? this.reserve(text.length) : -1;
    if (at >= 0) {
      corkBuffer.bytes.write(text, at, "latin1");
      return;
    }
    this.addText(text);
    this.afterWrite();
  }

  /** Writes bytes. @param bytes must not change afterwards. Borrowed bytes are retained or copied */
  writeBytes(bytes: Uint8Array): void {
    const lease = bytes.length <= INLINE_BYTES ? undefined : retain(bytes);
    if (lease === undefined && (bytes.length <= INLINE_BYTES || isBorrowed(bytes))) {
      this.copy(bytes);
      return;
    }
    if (lease !== undefined) {
      this.retained ??= new RetainedLeases();
      this.retained.add(this.bytesSent + this.gathered + bytes.length, lease);
    }
    this.addPiece(asBuffer(bytes));
    this.afterWrite();
  }

  /**
   * @param bytes copied, so that they can change afterwards, unless there are more than `limit`: see {@link writeBytes}
   * @param limit the size up to which bytes are copied, at most 64 KiB
   */
  writeCopy(bytes: Uint8Array, limit: number = COPY_BYTES): void {
    if (bytes.length > limit) this.writeBytes(bytes);
    else this.copy(bytes);
  }

  /**
   * Makes room after the written data. The caller fills it at once.
   * @returns its position in the cork buffer, or -1 if there is no room: then write the bytes in another way
   */
  reserve(count: number): number {
    if (count === 0 || count > COPY_BYTES || !this.canReserve) return -1;
    if (this.gathered > GATHER_BYTES) this.flush();
    const at = this.reserveInCork(count);
    if (at >= 0 && this.corked === 0) this.flushLater();
    return at;
  }

  /** @returns where {@link reserve} would make room now, or -1 */
  nextReservation(count: number): number {
    if (count > COPY_BYTES) return -1;
    if (this.gathered > GATHER_BYTES) this.flush();
    return this.findInCork(count);
  }

  /** Calls `onDrain` when everything that was written has been taken, even if that is already so. */
  requestDrain(): void {
    this.isDrainRequested = true;
    if (this.bufferedBytes === 0) this.scheduleDrain();
  }

  /** Holds output back until {@link uncork} has been called as often. */
  cork(): void {
    this.corked++;
  }

  uncork(): void {
    if (--this.corked === 0 && this.gathered > 0) this.flush();
  }

  /** Sends all written data and then the end of the stream. Reading continues. */
  end(): void {
    this.flush();
    if (this.ended || this.closed) return;
    this.ended = true;
    if (transportLog !== undefined) transportLog(this, "> end");
    this.sendEnd();
  }

  /** Called at the end of a tick, or of a turn of the event loop, with output. */
  flushScheduled(): void {
    this.isScheduled = false;
    this.flush();
  }

  /** Hands over the gathered output. */
  flush(): void {
    if (this.gathered === 0) return;
    // Late data is dropped, and not counted.
    if (!this.closed && !this.ended) {
      this.totals.bytesSent += this.gathered;
      if (transportLog !== undefined) transportLog(this, `> ${this.gathered} bytes`);
      this.sendGathered();
    }
    this.clearGathered();
    if (this.closed) return;
    const pending = this.pendingBytes;
    if (pending !== this.counted || this.retained !== undefined) this.count(pending);
    if (pending === 0 && this.isDrainRequested) this.scheduleDrain();
  }

  private copy(bytes: Uint8Array): void {
    const at = this.reserve(bytes.length);
    if (at >= 0) corkBuffer.bytes.set(bytes, at);
    else if (bytes.length <= INLINE_BYTES) this.writeText(asBuffer(bytes).toString("latin1"));
    else {
      this.addPiece(Buffer.from(bytes));
      this.afterWrite();
    }
  }

  /** Closes, but never from inside a call to the transport. */
  private scheduleDrain(): void {
    process.nextTick(() => {
      if (this.isDrainRequested && this.bufferedBytes === 0 && !this.closed) this.drained();
    });
  }

  /** Called when all flushed data has been sent. Reports it if nothing has been gathered meanwhile. */
  protected drained(): void {
    this.isDrainRequested = this.gathered > 0;
    if (!this.isDrainRequested) this.sink.onDrain();
  }

  /** Called when the other side has ended its half. */
  reportEnd(): void {
    if (transportLog !== undefined) transportLog(this, "< end");
    this.sink.onEnd();
  }

  /** Called when the transport has closed. */
  protected reportClose(error: Error | undefined): void {
    this.count(0);
    if (transportLog !== undefined)
      transportLog(this, `= closed${error === undefined ? "" : ` by ${error.message}`}`);
    this.sink.onClose(error);
  }

  /** Updates the total, and releases borrowed bytes that have been sent. */
  protected count(pending: number): void {
    this.totals.pendingBytes += pending - this.counted;
    this.counted = pending;
    const taken = this.closed ? Number.POSITIVE_INFINITY : this.bytesSent - pending;
    if (this.retained?.releaseUntil(taken) === true) this.retained = undefined;
  }

  /**
   * Passes received bytes to the sink. Output written until the end of this turn of the event loop is sent when all
   * ready sockets have been read.
   */
  protected deliver(bytes: Buffer, start: number, end: number): void {
    if (transportLog !== undefined) transportLog(this, `< ${end - start} bytes`);
    noteRead();
    this.corked++;
    try {
      this.sink.onBytes(bytes, start, end);
    } finally {
      if (--this.corked === 0 && this.gathered > 0) this.flushOrSchedule();
    }
  }

  private afterWrite(): void {
    if (this.corked === 0 || this.gathered > GATHER_BYTES) this.flushOrSchedule();
  }

  private flushOrSchedule(): void {
    if (this.gathered > GATHER_BYTES) this.flush();
    else this.flushLater();
  }

  private flushLater(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    scheduleFlush(this);
  }
}

/** Returns the number of bytes that were handed over and that the system has refused so far. */
export function refusedBytes({
  pendingBytes,
  slackBytes,
}: Pick<Transport, "pendingBytes" | "slackBytes">): number {
  return Math.max(0, pendingBytes - slackBytes);
}

/** A Buffer on the same memory, because bytes can be from another realm, or of another array type. */
function asBuffer(data: Uint8Array): Buffer {
  return Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}
