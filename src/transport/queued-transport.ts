import { ByteQueue } from "../bytes/byte-queue.ts";
import { DONE, UNDER_WAY, type WriteData } from "../node/raw-handle.ts";
import { corkBuffer } from "./buffered-output.ts";
import { Transport } from "./transport.ts";

/** What waits behind a write in progress is copied up to this size, so that small pieces are joined. */
const JOIN_BYTES = 16_384;
/** The most that one write takes of what has waited, so that a long queue does not hold the event loop. */
const MAX_WRITE_BYTES = 1_048_576;
const MAX_WRITE_PIECES = 64;

/** What only a transport has whose system has not taken everything at once. */
interface Remainder {
  /** Bytes of the write in progress, 0 when there is none. */
  inProgressBytes: number;
  /** What waits for it. */
  queue: ByteQueue | undefined;
  /** Releases the cork buffer that the write in progress lies in. */
  releaseCorkBuffer: (() => void) | undefined;
}

/** A transport that makes one write at a time. The rest waits here. */
export abstract class QueuedTransport extends Transport {
  /** Whether a write is in progress. */
  protected isBusy = false;
  private remainder: Remainder | undefined = undefined;

  /** Bytes that were given to {@link startWrite}. */
  protected abstract readonly startedTotal: number;
  /** Whether a write in progress can read from the cork buffer. Otherwise it gets a copy. */
  protected abstract readonly isCorkBufferReadable: boolean;

  /**
   * Begins a write. No other is in progress.
   * @param data not empty; stays as it is until the write is done
   * @returns {@link DONE}; {@link UNDER_WAY}: {@link onWritten} will be called; or the negative number of an error
   */
  protected abstract startWrite(data: WriteData): number;
  /** Bytes of the write that has just begun and that the system has not taken. */
  protected abstract startedBytes(data: WriteData): number;
  /** Sends the end of this side. No write is in progress. */
  protected abstract startEnd(): void;
  /** A write has failed. Called outside of calls to the handle. */
  protected abstract failWrite(status: number): void;
  /** @returns 0, or the negative number of the error that the system knows of */
  protected abstract askSystem(): number;

  get pendingBytes(): number {
    const { remainder } = this;
    return remainder === undefined ? 0 : remainder.inProgressBytes + (remainder.queue?.length ?? 0);
  }
  get bytesSent(): number {
    return this.startedTotal + (this.remainder?.queue?.length ?? 0);
  }

  override probe(): void {
    const status = this.closed ? 0 : this.askSystem();
    if (status < 0) this.abandon(status);
  }

  protected send(data: string | Uint8Array, isInCork: boolean): void {
    if (!this.isBusy) this.write(data, isInCork);
    else if (typeof data === "string") this.enqueue(Buffer.from(data, "latin1"));
    else if (isInCork) this.waiting.append(data);
    else this.enqueue(data);
  }

  protected sendAll(pieces: readonly Buffer[]): void {
    if (this.isBusy) for (const piece of pieces) this.enqueue(piece);
    else this.write(pieces, false);
  }

  protected sendEnd(): void {
    if (!this.isBusy) this.startEnd();
  }

  /** The write in progress has ended. @param status 0, or the negative number of a system error */
  onWritten(status: number): void {
    const remainder = this.ownRemainder();
    remainder.releaseCorkBuffer?.();
    remainder.releaseCorkBuffer = undefined;
    if (this.closed) return;
    if (status < 0) {
      this.abandon(status);
      return;
    }
    this.isBusy = false;
    remainder.inProgressBytes = 0;
    this.writeWaiting(remainder);
    this.count(this.pendingBytes);
    if (this.isBusy) return;
    this.remainder = undefined;
    if (this.ended) this.startEnd();
    this.drained();
  }

  protected override reportClose(error: Error | undefined): void {
    if (this.remainder !== undefined) this.remainder.queue = undefined;
    super.reportClose(error);
  }

  private ownRemainder(): Remainder {
    this.remainder ??= { inProgressBytes: 0, queue: undefined, releaseCorkBuffer: undefined };
    return this.remainder;
  }

  private get waiting(): ByteQueue {
    const remainder = this.ownRemainder();
    remainder.queue ??= new ByteQueue();
    return remainder.queue;
  }

  private enqueue(piece: Uint8Array): void {
    if (piece.length > JOIN_BYTES && Buffer.isBuffer(piece)) this.waiting.appendReference(piece);
    else this.waiting.append(piece);
  }

  private writeWaiting(remainder: Remainder): void {
    const { queue } = remainder;
    while (queue !== undefined && queue.length > 0 && !this.isBusy) {
      const pieces = queue.takePieces(MAX_WRITE_BYTES, MAX_WRITE_PIECES);
      const only = pieces.length === 1 ? pieces[0] : undefined;
      this.write(only ?? pieces, false);
    }
    if (queue?.length === 0) remainder.queue = undefined;
  }

  private write(data: WriteData, isInCork: boolean): void {
    const copies =
      isInCork && data instanceof Uint8Array && (!this.isCorkBufferReadable || corkBuffer.isCrowded);
    const kept = copies ? Buffer.from(data) : data;
    this.isBusy = true;
    this.onStarted(this.startWrite(kept), kept, isInCork && !copies);
  }

  /** A write has begun while there was no other. @param isInCork whether its bytes lie in the cork buffer */
  protected onStarted(outcome: number, data: WriteData, isInCork: boolean): void {
    this.isBusy = outcome !== DONE;
    if (outcome === UNDER_WAY) {
      const remainder = this.ownRemainder();
      remainder.inProgressBytes = this.startedBytes(data);
      if (isInCork) remainder.releaseCorkBuffer = corkBuffer.retain();
    } else if (outcome !== DONE) this.abandon(outcome);
  }

  /** Not at once, because the handle might still be in use. */
  private abandon(status: number): void {
    process.nextTick(() => this.failWrite(status));
  }
}
