import { isLent, type Lease, retain } from "../bytes/lease.ts";
import { outbox, type Sender } from "./outbox.ts";

/** Who is told what happens to a transport. Calls come one at a time, never from inside a call to the transport. */
export interface TransportSink {
  /** Bytes have come: `bytes[start..end)`, lent for the call, and free to be changed in place. */
  onBytes(bytes: Buffer, start: number, end: number): void;
  /** The peer will send nothing more; it may still read. */
  onEnd(): void;
  /** Nothing waits to be taken by the peer any more, after something did. */
  onDrain(): void;
  /** The transport is gone: once, and the last call. */
  onClose(error: Error | undefined): void;
}

/** Who is at the other end. */
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

const nobody: TransportSink = { onBytes() {}, onEnd() {}, onDrain() {}, onClose() {} };

/*
 * How output is gathered, and what changes that:
 *
 *   state   call                                  next
 *   text    writeText                             text      (one string, which leaves in one write)
 *           claim, writeCopy                      outbox    (the text is moved there), or pieces when it is full
 *   outbox  claim, writeCopy, writeText           outbox    (a part of it, which leaves in one write)
 *           the same after another transport's    pieces    (the part is taken back)
 *   any     writeBytes                            pieces    (and text behind them)
 *   any     flush                                 text      (empty)
 */
type Gathering = "text" | "outbox" | "pieces";

/** So much text is gathered as a string before it moves to the outbox. */
const TEXT_BYTES = 2_048;

/** Bytes are copied up to this size; larger ones are kept by reference until the peer takes them. */
const COPY_BYTES = 65_536;

/** Up to this size bytes are always copied: they join the outbox, or the text around them. */
const INLINE_BYTES = 2_048;

/** Beyond this many bytes there is nothing to win by gathering more into one system call. */
const GATHER_BYTES = 65_536;

/** Lent bytes that were written, until the peer has taken all up to a position in what was sent. */
interface Retained {
  readonly end: number;
  readonly lease: Lease;
}

/** Kept from when this was loaded: fake timers of a program's tests must not hold what it sends. */
const { setImmediate: nextTurn } = globalThis;

/** Who has something to send when this tick ends, or when this turn of the event loop does if something was read in it. */
let waiting: Transport[] = [];
let isReading = false;

function sendAll(): void {
  const transports = waiting;
  waiting = [];
  for (const transport of transports) transport.flushScheduled();
}

function endTurn(): void {
  isReading = false;
  sendAll();
}

/**
 * A two-way stream of bytes. What is written in response to reads in one turn of the event loop, or in one tick of the
 * program, is gathered and leaves together. Nothing here throws; after the end all calls do nothing.
 */
export abstract class Transport implements Sender {
  sink: TransportSink = nobody;
  totals: TransportTotals = { pendingBytes: 0, bytesSent: 0 };
  /** By performance.now(). */
  readonly openedAt: number = performance.now();
  private counted = 0;
  private gathering: Gathering = "text";
  private text = "";
  private partStart = 0;
  private partEnd = 0;
  private pieces: Buffer[] = [];
  private gathered = 0;
  private corked = 0;
  private isScheduled = false;
  private drainOwed = false;
  private retained: Retained[] | undefined;
  /** Nothing more is sent: the end of the stream is, or will be. */
  protected ended = false;

  /** Bytes that were flushed and that the system or the peer has not taken yet. */
  abstract readonly pendingBytes: number;
  /** Bytes that may be pending without meaning that the peer is slow (TLS takes them a little later). */
  abstract readonly slackBytes: number;
  /** A number that stays the same for as long as the peer takes nothing of what is pending. */
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
  /** Drops everything at once. */
  abstract destroy(): void;
  /**
   * Sends bytes, and tells by {@link drained} when what is pending has been taken.
   * @param inOutbox whether bytes lie in the outbox: what is kept of them must be copied
   */
  protected abstract send(data: string | Uint8Array, inOutbox: boolean): void;
  protected abstract sendAll(pieces: readonly Buffer[]): void;
  /** Sends the end of the stream behind what is pending. */
  protected abstract sendEnd(): void;

  /** All bytes that were written and have not been taken. */
  get bufferedBytes(): number {
    return this.gathered + this.pendingBytes;
  }

  /** @param text latin1: each character is one byte */
  writeText(text: string): void {
    if (text === "") return;
    const at = this.gathering === "outbox" || this.gathered > TEXT_BYTES ? this.claim(text.length) : -1;
    if (at >= 0) {
      outbox.bytes.write(text, at, "latin1");
      return;
    }
    this.takePartBack();
    this.text += text;
    if (this.gathering === "pieces" && this.text.length > TEXT_BYTES) this.sealText();
    this.grow(text.length);
  }

  /** @param bytes must not change any more, unless they are lent: those are retained, or copied where they cannot be */
  writeBytes(bytes: Uint8Array): void {
    const lease = bytes.length <= INLINE_BYTES ? undefined : retain(bytes);
    if (lease === undefined && (bytes.length <= INLINE_BYTES || isLent(bytes))) {
      this.copy(bytes);
      return;
    }
    if (lease !== undefined) {
      this.retained ??= [];
      this.retained.push({ end: this.bytesSent + this.gathered + bytes.length, lease });
    }
    this.addPiece(asBuffer(bytes));
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
   * @returns where it begins in the outbox, or -1 when there is none: then write the bytes in another way
   */
  claim(count: number): number {
    if (count === 0 || count > COPY_BYTES || this.gathering === "pieces") return -1;
    if (this.gathered > GATHER_BYTES) this.flush();
    const at = this.gathering === "outbox" ? this.lengthenPart(count) : this.beginPart(count);
    if (at < 0) return at;
    this.gathered += count;
    if (this.corked === 0) this.flushLater();
    return at;
  }

  /** Calls `onDrain` when everything that was written has been taken, even if that takes no time at all. */
  requestDrain(): void {
    this.drainOwed = true;
    if (this.bufferedBytes === 0) this.payDrain();
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
    const { gathering, gathered } = this;
    // What comes too late is dropped, and not counted.
    if (!this.closed && !this.ended) {
      this.totals.bytesSent += gathered;
      if (gathering === "text") this.send(this.text, false);
      else if (gathering === "outbox") this.send(outbox.bytes.subarray(this.partStart, this.partEnd), true);
      else this.sendPieces();
    }
    this.gathering = "text";
    this.gathered = 0;
    this.text = "";
    if (gathering === "outbox") outbox.release();
    else if (gathering === "pieces") this.pieces = [];
    if (this.closed) return;
    const pending = this.pendingBytes;
    if (pending !== this.counted || this.retained !== undefined) this.count(pending);
    if (pending === 0 && this.drainOwed) this.payDrain();
  }

  private sendPieces(): void {
    const { pieces } = this;
    if (pieces.length === 0) {
      this.send(this.text, false);
      return;
    }
    if (this.text !== "") this.sealText();
    const only = pieces.length === 1 ? pieces[0] : undefined;
    if (only !== undefined) this.send(only, false);
    else this.sendAll(pieces);
  }

  private copy(bytes: Uint8Array): void {
    const at = this.claim(bytes.length);
    if (at >= 0) outbox.bytes.set(bytes, at);
    else if (bytes.length <= INLINE_BYTES) this.writeText(asBuffer(bytes).toString("latin1"));
    else this.addPiece(Buffer.from(bytes));
  }

  private addPiece(bytes: Buffer): void {
    this.takePartBack();
    this.gathering = "pieces";
    if (this.text !== "") this.sealText();
    this.pieces.push(bytes);
    this.grow(bytes.length);
  }

  /** Text becomes a piece: as long as it is joined of many strings it holds several times its length. */
  private sealText(): void {
    this.pieces.push(Buffer.from(this.text, "latin1"));
    this.text = "";
  }

  private beginPart(count: number): number {
    const { text } = this;
    const start = outbox.begin(this, text.length + count);
    if (start < 0) {
      this.gathering = "pieces";
      return start;
    }
    this.gathering = "outbox";
    if (text !== "") outbox.bytes.write(text, start, "latin1");
    this.text = "";
    this.partStart = start;
    this.partEnd = start + text.length + count;
    return start + text.length;
  }

  private lengthenPart(count: number): number {
    const at = this.partEnd;
    if (!outbox.extend(at, count)) {
      this.takePartBack();
      return -1;
    }
    this.partEnd += count;
    return at;
  }

  /** What follows cannot join the part: from here on this transport gathers text and pieces of its own. */
  private takePartBack(): void {
    if (this.gathering !== "outbox") return;
    this.text = outbox.bytes.toString("latin1", this.partStart, this.partEnd);
    outbox.release();
    this.gathering = "pieces";
  }

  /** Never from inside a call to the transport. */
  private payDrain(): void {
    process.nextTick(() => {
      if (this.drainOwed && this.bufferedBytes === 0 && !this.closed) this.drained();
    });
  }

  /** Everything that was flushed has been taken; it is told when nothing has been gathered meanwhile. */
  protected drained(): void {
    this.drainOwed = this.gathered > 0;
    if (!this.drainOwed) this.sink.onDrain();
  }

  /** Brings the total up to date, and lets go of lent bytes that have been taken. */
  protected count(pending: number): void {
    this.totals.pendingBytes += pending - this.counted;
    this.counted = pending;
    if (this.retained !== undefined) this.releaseTaken(this.retained, this.bytesSent - pending);
  }

  private releaseTaken(retained: Retained[], taken: number): void {
    const open = this.closed ? -1 : retained.findIndex(({ end }) => end > taken);
    for (const { lease } of open < 0 ? retained : retained.splice(0, open)) lease.release();
    if (open < 0) this.retained = undefined;
  }

  /**
   * Tells the sink of bytes that have come. What is written meanwhile, and until this turn of the event loop has ended,
   * leaves when all sockets that were ready have been read from: 1.1 to 1.3 times the rate of writing in between,
   * which wakes the peers one by one.
   */
  protected deliver(bytes: Buffer, start: number, end: number): void {
    if (!isReading) {
      isReading = true;
      nextTurn(endTurn);
    }
    this.corked++;
    try {
      this.sink.onBytes(bytes, start, end);
    } finally {
      if (--this.corked === 0 && this.gathered > 0) this.settle();
    }
  }

  private grow(count: number): void {
    this.gathered += count;
    if (this.corked === 0 || this.gathered > GATHER_BYTES) this.settle();
  }

  private settle(): void {
    if (this.gathered > GATHER_BYTES) this.flush();
    else this.flushLater();
  }

  private flushLater(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    // The rest of the tick, its microtasks included, is gathered, too.
    if (waiting.push(this) === 1 && !isReading) process.nextTick(sendAll);
  }
}

/** A Buffer on the same memory: bytes may be those of another realm, or of another type of array. */
function asBuffer(data: Uint8Array): Buffer {
  return Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}
