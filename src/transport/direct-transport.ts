import type { Socket } from "node:net";
import {
  DONE,
  UNDER_WAY,
  type WriteData,
  type WriteHandle,
  writeDirectly,
  writeError,
} from "./direct-write.ts";
import { outbox } from "./outbox.ts";
import type { ProxiedPeer } from "./proxy-header.ts";
import { SocketTransport } from "./socket-transport.ts";

/** A socket whose handle is written to; its stream only ends it. */
export class DirectTransport extends SocketTransport {
  private readonly handle: WriteHandle;
  /** What the handle has not done yet, in bytes: it takes no other write meanwhile. */
  private underWay = 0;
  private isBusy = false;
  /** What waits for it. */
  private queue: (string | Uint8Array)[] | undefined;
  private queuedBytes = 0;
  /** Gives back the outbox that the write under way lies in. */
  private letGo: (() => void) | undefined;
  private ended = false;

  constructor(socket: Socket, handle: WriteHandle, peer?: ProxiedPeer, rest?: Buffer) {
    super(socket, true, peer, rest);
    this.handle = handle;
    // When the peer ends its half, the stream must not end this one on its own.
    socket.allowHalfOpen = true;
  }

  get pendingBytes(): number {
    return this.underWay + this.queuedBytes;
  }
  get bytesSent(): number {
    return this.socket.bytesWritten + this.queuedBytes;
  }

  end(): void {
    this.flush();
    if (this.ended) return;
    this.ended = true;
    if (!this.isBusy) this.socket.end();
  }

  protected send(data: string | Uint8Array, lent: boolean): void {
    if (this.ended) return;
    if (this.isBusy) this.enqueue(lent && typeof data !== "string" ? Buffer.from(data) : data);
    else this.write(data, lent);
  }

  protected sendAll(pieces: readonly (string | Uint8Array)[]): void {
    if (this.ended) return;
    if (this.isBusy) for (const piece of pieces) this.enqueue(piece);
    else this.write(pieces, false);
  }

  /** The end of the write that is under way tells. */
  protected awaitDrain(): void {}

  /** Called by the write that was under way. */
  onWritten(status: number): void {
    this.letGo?.();
    this.letGo = undefined;
    if (this.closed) return;
    if (status < 0) {
      this.abandon(status);
      return;
    }
    this.isBusy = false;
    this.underWay = 0;
    const { queue } = this;
    if (queue !== undefined) {
      this.queue = undefined;
      this.queuedBytes = 0;
      const only = queue.length === 1 ? queue[0] : undefined;
      this.write(only ?? queue, false);
    }
    this.count(this.pendingBytes);
    if (this.isBusy) return;
    if (this.ended) this.socket.end();
    this.drained();
  }

  private write(data: WriteData, lent: boolean): void {
    // TLS copies what it is given, and holds each write for a while all the same.
    const copies = lent && data instanceof Uint8Array && (this.encrypted || outbox.isCrowded);
    this.isBusy = true;
    const outcome = writeDirectly(this.handle, copies ? Buffer.from(data) : data, this);
    if (outcome === DONE) this.isBusy = false;
    else if (outcome === UNDER_WAY) {
      this.underWay = this.encrypted ? lengthOf(data) : this.handle.writeQueueSize;
      if (lent && !copies) this.letGo = outbox.hold();
    } else this.abandon(outcome);
  }

  private enqueue(piece: string | Uint8Array): void {
    this.queue ??= [];
    this.queue.push(piece);
    this.queuedBytes += piece.length;
  }

  /** Not at once: it may be that the handle is still at work. */
  private abandon(status: number): void {
    process.nextTick(() => this.socket.destroy(writeError(status)));
  }
}

function lengthOf(data: WriteData): number {
  if (typeof data === "string" || data instanceof Uint8Array) return data.length;
  let length = 0;
  for (const piece of data) length += piece.length;
  return length;
}
