import { isBorrowed, retain } from "../bytes/lease.ts";
import { transportLog } from "../trace/debug-log.ts";
import { BufferedOutput, corkBuffer } from "./buffered-output.ts";
import { type Flushable, noteRead, scheduleFlush } from "./flush-scheduler.ts";
import { RetainedLeases } from "./retained-leases.ts";

/** Hears of what happens to a transport. Calls come one at a time, never from inside a call to the transport. */
export interface TransportSink {
  /**
   * `bytes[start..end)` have been received. They may be changed in place. Valid until the handler returns. Copy it to
   * keep it.
   */
  onBytes(bytes: Buffer, start: number, end: number): void;
  /** The peer will send nothing more. It can still read. */
  onEnd(): void;
  /** Everything that was waiting to be sent has been taken. */
  onDrain(): void;
  /** The transport has closed. This is the last call. */
  onClose(error: Error | undefined): void;
}

/** The other end of a connection. */
export interface Peer {
  /** Asking for it may cost a call to the system and memory; undefined for a Unix socket. */
  readonly remoteAddress?: string | undefined;
}

/** Where the bytes of several transports are added up. */
export interface TransportTotals {
  /** Sent and not taken yet. */
  pendingBytes: number;
  /** Sent so far. */
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
 * A two-way stream of bytes. What is written in response to reads in one turn of the event loop, or in one tick of the
 * program, is gathered and leaves together. Nothing here throws; after the end all calls do nothing.
 */
export abstract class Transport extends BufferedOutput implements Flushable {
  sink: TransportSink = noSink;
  totals: TransportTotals = { pendingBytes: 0, bytesSent: 0 };
  /** By performance.now(). */
  readonly openedAt: number = performance.now();
  private counted = 0;
  private corked = 0;
  private isScheduled = false;
  private isDrainRequested = false;
  private retained: RetainedLeases | undefined;
  /** Nothing more is sent: the end of the stream is, or will be. */
  protected ended = false;

  /** Bytes that were flushed and that the system or the peer has not taken yet. */
  abstract readonly pendingBytes: number;
  /** Bytes that may be pending without meaning that the peer is slow (TLS takes them a little later). */
  abstract readonly slackBytes: number;
  /** A number that stays the same while the peer takes nothing of what is pending. */
  abstract readonly progressMark: number;
  abstract readonly remoteAddress: string | undefined;
  abstract readonly remotePort: number | undefined;
  abstract readonly encrypted: boolean;
  abstract readonly closed: boolean;
  /** Bytes that have come so far. */
  abstract readonly bytesReceived: number;
  /** Bytes that were handed over so far, those that are pending among them. */
  abstract readonly bytesSent: number;

  /** Asks for no more bytes until {@link resume}; one read may still come. */
  abstract pause(): void;
  abstract resume(): void;
  /** Asks the system whether the peer has gone, and closes if it has. Nothing is sent, and what can be read stays unread. */
  probe(): void {}
  /** Drops everything at once. */
  abstract destroy(): void;
  /** Sends the end of the stream behind what is pending. */
  protected abstract sendEnd(): void;

  /** Whether somebody hears of what happens to it. */
  get isServed(): boolean {
    return this.sink !== noSink;
  }

  /** All bytes that were written and have not been taken. */
  get bufferedBytes(): number {
    return this.gathered + this.pendingBytes;
  }

  /** @param text latin1: each character is one byte */
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

  /** @param bytes must not change any more, unless they are borrowed: those are retained, or else copied */
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
   * @param bytes can change afterwards, unless there are more than `limit`: see {@link writeBytes}
   * @param limit in bytes, at most 64 KiB
   */
  writeCopy(bytes: Uint8Array, limit: number = COPY_BYTES): void {
    if (bytes.length > limit) this.writeBytes(bytes);
    else this.copy(bytes);
  }

  /**
   * Makes room behind what has been written, which the caller fills at once.
   * @returns where it begins in the cork buffer, or -1 when there is none: then write the bytes in another way
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

  /** Holds back what is written until the same number of {@link uncork}. */
  cork(): void {
    this.corked++;
  }

  uncork(): void {
    if (--this.corked === 0 && this.gathered > 0) this.flush();
  }

  /** Sends what was written and then the end of the stream; reading goes on. */
  end(): void {
    this.flush();
    if (this.ended || this.closed) return;
    this.ended = true;
    if (transportLog !== undefined) transportLog(this, "> end");
    this.sendEnd();
  }

  /** The tick or the turn of the event loop ends, in which something was written. */
  flushScheduled(): void {
    this.isScheduled = false;
    this.flush();
  }

  /** Hands over what was gathered. */
  flush(): void {
    if (this.gathered === 0) return;
    // What comes too late is dropped, and not counted.
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

  /** Never from inside a call to the transport. */
  private scheduleDrain(): void {
    process.nextTick(() => {
      if (this.isDrainRequested && this.bufferedBytes === 0 && !this.closed) this.drained();
    });
  }

  /** Everything that was flushed has been taken; it is told when nothing has been gathered meanwhile. */
  protected drained(): void {
    this.isDrainRequested = this.gathered > 0;
    if (!this.isDrainRequested) this.sink.onDrain();
  }

  /** The peer has ended its half. */
  reportEnd(): void {
    if (transportLog !== undefined) transportLog(this, "< end");
    this.sink.onEnd();
  }

  /** The transport is gone. */
  protected reportClose(error: Error | undefined): void {
    this.count(0);
    if (transportLog !== undefined)
      transportLog(this, `= closed${error === undefined ? "" : ` by ${error.message}`}`);
    this.sink.onClose(error);
  }

  /** Brings the total up to date, and releases borrowed bytes that have been taken. */
  protected count(pending: number): void {
    this.totals.pendingBytes += pending - this.counted;
    this.counted = pending;
    const taken = this.closed ? Number.POSITIVE_INFINITY : this.bytesSent - pending;
    if (this.retained?.releaseUntil(taken) === true) this.retained = undefined;
  }

  /**
   * Tells the sink of bytes that have come. What is written meanwhile, and until this turn of the event loop has ended,
   * leaves when all sockets that were ready have been read from.
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

/** Bytes that were handed over and that the system has refused so far. */
export function refusedBytes({
  pendingBytes,
  slackBytes,
}: Pick<Transport, "pendingBytes" | "slackBytes">): number {
  return Math.max(0, pendingBytes - slackBytes);
}

/** A Buffer on the same memory: bytes may be those of another realm, or of another type of array. */
function asBuffer(data: Uint8Array): Buffer {
  return Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}
