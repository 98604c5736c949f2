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

/** Beyond this many bytes there is nothing to win by gathering more into one system call. */
const GATHER_BYTES = 65_536;

/** Who has something to send when this tick ends, and when this turn of the event loop ends. */
let atTickEnd: Transport[] = [];
let atTurnEnd: Transport[] = [];

function endTick(): void {
  const transports = atTickEnd;
  atTickEnd = [];
  for (const transport of transports) transport.flush();
}

function endTurn(): void {
  const transports = atTurnEnd;
  atTurnEnd = [];
  for (const transport of transports) transport.flush();
}

/**
 * A two-way stream of bytes. What is written in response to reads in one turn of the event loop, or in one tick of the
 * program, is gathered and leaves together. Nothing here throws; after the end all calls do nothing.
 */
export abstract class Transport {
  sink: TransportSink = nobody;
  totals: TransportTotals = { pendingBytes: 0, bytesSent: 0 };
  private counted = 0;
  private text = "";
  private pieces: (string | Uint8Array)[] = [];
  private gathered = 0;
  private corked = 0;
  private isScheduled = false;
  private drainOwed = false;

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

  /** Asks for no more bytes until {@link resume}; one read may still come. */
  abstract pause(): void;
  abstract resume(): void;
  /** Sends what was written and then the end of the stream; reading goes on. */
  abstract end(): void;
  /** Drops everything at once. */
  abstract destroy(): void;
  protected abstract send(data: string | Uint8Array): void;
  protected abstract sendAll(pieces: readonly (string | Uint8Array)[]): void;
  /** Called after a flush that left something pending, to arrange for `onDrain`. */
  protected abstract awaitDrain(): void;

  /** All bytes that were written and have not been taken. */
  get bufferedBytes(): number {
    return this.gathered + this.pendingBytes;
  }

  /** @param text latin1: each character is one byte */
  writeText(text: string): void {
    this.text += text;
    this.gathered += text.length;
    if (this.corked === 0 || this.gathered > GATHER_BYTES) this.settle();
  }

  /** @param bytes belong to the transport from here on: they must not change any more */
  writeBytes(bytes: Uint8Array): void {
    if (this.text !== "") {
      this.pieces.push(this.text);
      this.text = "";
    }
    this.pieces.push(bytes);
    this.gathered += bytes.length;
    if (this.corked === 0 || this.gathered > GATHER_BYTES) this.settle();
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

  /** Hands over what was gathered. */
  flush(): void {
    this.isScheduled = false;
    if (this.gathered === 0) return;
    const { text, pieces, gathered } = this;
    this.text = "";
    this.gathered = 0;
    if (pieces.length > 0) this.pieces = [];
    // What comes too late is dropped, and not counted: the totals have been settled.
    if (this.closed) return;
    this.totals.bytesSent += gathered;
    if (pieces.length === 0) {
      this.send(text);
    } else {
      if (text !== "") pieces.push(text);
      const only = pieces.length === 1 ? pieces[0] : undefined;
      if (only !== undefined) this.send(only);
      else this.sendAll(pieces);
    }
    const pending = this.pendingBytes;
    if (pending !== this.counted) this.count(pending);
    if (pending > 0) this.awaitDrain();
    else if (this.drainOwed) this.payDrain();
  }

  /** Never from inside a call to the transport. */
  private payDrain(): void {
    process.nextTick(() => {
      if (this.drainOwed && this.bufferedBytes === 0 && !this.closed) this.drained();
    });
  }

  /** Everything has been taken. */
  protected drained(): void {
    this.drainOwed = false;
    this.sink.onDrain();
  }

  /** Brings the total up to date. */
  protected count(pending: number): void {
    this.totals.pendingBytes += pending - this.counted;
    this.counted = pending;
  }

  /** Tells the sink of bytes that have come, with everything that it writes meanwhile gathered. */
  protected deliver(bytes: Buffer, start: number, end: number): void {
    this.corked++;
    try {
      this.sink.onBytes(bytes, start, end);
    } finally {
      if (--this.corked === 0 && this.gathered > 0) this.settleLater();
    }
  }

  /** Runs after the current callback and its microtasks: the rest of the tick is gathered, too. */
  private settle(): void {
    if (this.gathered > GATHER_BYTES) {
      this.flush();
    } else if (!this.isScheduled) {
      this.isScheduled = true;
      if (atTickEnd.push(this) === 1) process.nextTick(endTick);
    }
  }

  /**
   * Answers to what has been read leave when all sockets that were ready have been read from: 1.1 to 1.3 times the
   * rate of writing in between, which wakes the peers one by one.
   */
  private settleLater(): void {
    if (this.gathered > GATHER_BYTES) {
      this.flush();
    } else if (!this.isScheduled) {
      this.isScheduled = true;
      if (atTurnEnd.push(this) === 1) setImmediate(endTurn);
    }
  }
}
