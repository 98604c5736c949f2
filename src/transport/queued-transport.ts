import { ByteQueue } from "../bytes/byte-queue.ts";
import { DONE, UNDER_WAY, type WriteData } from "../node/direct-write.ts";
import { corkBuffer } from "./buffered-output.ts";
import { Transport } from "./transport.ts";

/** What waits behind a write in progress is copied up to this size, so that small pieces are joined. */
const JOIN_BYTES = 16_384;
/** The most that one write takes of what has waited, so that a long queue does not hold the event loop. */
const MAX_WRITE_BYTES = 1_048_576;
const MAX_WRITE_PIECES = 64;

/** A transport that makes one write at a time. The rest waits here. */
export abstract class QueuedTransport extends Transport {
  /** Bytes of the write in progress, 0 when there is none. */
  private inProgressBytes = 0;
  private isBusy = false;
  /** What waits for it. */
  private queue: ByteQueue | undefined = undefined;
  /** Releases the cork buffer that the write in progress lies in. */
  private releaseCorkBuffer: (() => void) | undefined = undefined;

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
    return this.inProgressBytes + (this.queue?.length ?? 0);
  }
  get bytesSent(): number {
    return this.startedTotal + (this.queue?.length ?? 0);
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
    this.releaseCorkBuffer?.();
    this.releaseCorkBuffer = undefined;
    if (this.closed) return;
    if (status < 0) {
      this.abandon(status);
      return;
    }
    this.isBusy = false;
    this.inProgressBytes = 0;
    this.writeWaiting();
    this.count(this.pendingBytes);
    if (this.isBusy) return;
    if (this.ended) this.startEnd();
    this.drained();
  }

  protected override reportClose(error: Error | undefined): void {
    this.queue = undefined;
    super.reportClose(error);
  }

  private get waiting(): ByteQueue {
    this.queue ??= new ByteQueue();
    return this.queue;
  }

  private enqueue(piece: Uint8Array): void {
    if (piece.length > JOIN_BYTES && Buffer.isBuffer(piece)) this.waiting.appendReference(piece);
    else this.waiting.append(piece);
  }

  private writeWaiting(): void {
    const { queue } = this;
    while (queue !== undefined && queue.length > 0 && !this.isBusy) {
      const pieces = queue.takePieces(MAX_WRITE_BYTES, MAX_WRITE_PIECES);
      const only = pieces.length === 1 ? pieces[0] : undefined;
      this.write(only ?? pieces, false);
    }
    if (queue?.length === 0) this.queue = undefined;
  }

  private write(data: WriteData, isInCork: boolean): void {
    const copies =
      isInCork && data instanceof Uint8Array && (!this.isCorkBufferReadable || corkBuffer.isCrowded);
    const kept = copies ? Buffer.from(data) : data;
    this.isBusy = true;
    const outcome = this.startWrite(kept);
    if (outcome === DONE) this.isBusy = false;
    else if (outcome === UNDER_WAY) {
      this.inProgressBytes = this.startedBytes(kept);
      if (isInCork && !copies) this.releaseCorkBuffer = corkBuffer.retain();
    } else this.abandon(outcome);
  }

  /** Not at once, because the handle might still be in use. */
  private abandon(status: number): void {
    process.nextTick(() => this.failWrite(status));
  }
}
