import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { ByteQueue } from "../bytes/byte-queue.ts";
import { DONE, UNDER_WAY, type WriteData, writeError } from "./direct-write.ts";
import { outbox } from "./outbox.ts";
import type { ProxiedPeer } from "./proxy-header.ts";
import { shareReadBuffer } from "./shared-read.ts";
import { Transport } from "./transport.ts";

const TRANSPORT: unique symbol = Symbol("transport");
const TLS_SLACK_BYTES = 16_384;

/** What waits behind a write that is under way is copied up to this size, so that small pieces are joined. */
const JOIN_BYTES = 16_384;
/** The most that one write takes of what has waited, so that a long queue does not hold the event loop. */
const MAX_WRITE_BYTES = 1_048_576;
const MAX_WRITE_PIECES = 64;

type OwnedSocket = Socket & { [TRANSPORT]?: SocketTransport | undefined };

// One function of each kind for all sockets: a connection costs no closures.
function onRead(this: OwnedSocket, count: number, buffer: Buffer): boolean {
  this[TRANSPORT]?.receive(buffer, count);
  return true;
}
function onData(this: OwnedSocket, bytes: Buffer): void {
  this[TRANSPORT]?.receive(bytes, bytes.length);
}
function onEnd(this: OwnedSocket): void {
  this[TRANSPORT]?.sink.onEnd();
}
function onError(this: OwnedSocket, error: Error): void {
  this[TRANSPORT]?.fail(error);
}
function onClose(this: OwnedSocket): void {
  this[TRANSPORT]?.finish();
}

/** A TCP, TLS or Unix socket of Node as a transport, but for how it writes: one write at a time, the rest waits here. */
export abstract class SocketTransport extends Transport {
  readonly encrypted: boolean;
  readonly slackBytes: number;
  protected readonly socket: OwnedSocket;
  private readonly peer: ProxiedPeer | undefined;
  private error: Error | undefined;
  /** Bytes of the write that is under way, 0 when none is. */
  private underWay = 0;
  private isBusy = false;
  /** What waits for it. */
  private queue: ByteQueue | undefined;
  /** Gives back the outbox that the write under way lies in. */
  private releaseOutbox: (() => void) | undefined;

  /**
   * @param socket connected, and not read from yet
   * @param direct read into the buffer that all sockets share, where that is possible
   * @param peer who is at the other end, when that is not the socket's peer
   * @param rest what has been read from it all the same
   */
  constructor(socket: Socket, direct: boolean, peer?: ProxiedPeer, rest?: Buffer) {
    super();
    this.socket = socket;
    this.peer = peer;
    this.encrypted = socket instanceof TLSSocket;
    this.slackBytes = this.encrypted ? TLS_SLACK_BYTES : 0;
    this.socket[TRANSPORT] = this;
    socket.on("end", onEnd);
    socket.on("error", onError);
    socket.on("close", onClose);
    // What a TLS socket has read by now is told by events only.
    if (!direct || socket.readableLength > 0 || !shareReadBuffer(socket, onRead)) socket.on("data", onData);
    socket.resume();
    if (rest !== undefined && rest.length > 0) {
      process.nextTick(() => {
        if (!this.closed) this.receive(rest, rest.length);
      });
    }
  }

  /**
   * Begins a write; no other is under way.
   * @param data not empty; stays as it is until the write is done
   * @returns {@link DONE}; {@link UNDER_WAY}: {@link onWritten} will be called; or the negative number of an error
   */
  protected abstract startWrite(data: WriteData): number;
  /** Bytes of the write that has just begun and that the system has not taken. */
  protected abstract startedBytes(data: WriteData): number;
  /** Whether a write that is under way may read from the outbox; else it gets a copy. */
  protected abstract readonly writesFromOutbox: boolean;

  get pendingBytes(): number {
    return this.underWay + (this.queue?.length ?? 0);
  }
  get bytesSent(): number {
    return this.socket.bytesWritten + (this.queue?.length ?? 0);
  }
  get progressMark(): number {
    const { bytesWritten, writableLength } = this.socket;
    // Writes that are done, and where Node tells, how far the one that is under way has come. What the program adds
    // meanwhile waits behind it and changes nothing.
    const handle: unknown = Reflect.get(this.socket, "_handle");
    const queued =
      typeof handle === "object" && handle !== null ? Reflect.get(handle, "writeQueueSize") : undefined;
    return bytesWritten - writableLength - (typeof queued === "number" ? queued : 0);
  }
  get remoteAddress(): string | undefined {
    return this.peer === undefined ? this.socket.remoteAddress : this.peer.remoteAddress;
  }
  get remotePort(): number | undefined {
    return this.peer === undefined ? this.socket.remotePort : this.peer.remotePort;
  }
  get bytesReceived(): number {
    return this.socket.bytesRead;
  }
  get closed(): boolean {
    // A write that fails at once destroys the socket a little later.
    return this.socket.destroyed || this.socket.errored !== null;
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  destroy(): void {
    this.socket.destroy();
  }

  protected send(data: string | Uint8Array, inOutbox: boolean): void {
    if (!this.isBusy) this.write(data, inOutbox);
    else if (typeof data === "string") this.enqueue(Buffer.from(data, "latin1"));
    else if (inOutbox) this.waiting.append(data);
    else this.enqueue(data);
  }

  protected sendAll(pieces: readonly Buffer[]): void {
    if (this.isBusy) for (const piece of pieces) this.enqueue(piece);
    else this.write(pieces, false);
  }

  protected sendEnd(): void {
    if (!this.isBusy) this.socket.end();
  }

  /** The write that was under way has ended. @param status 0, or the negative number of a system error */
  onWritten(status: number): void {
    this.releaseOutbox?.();
    this.releaseOutbox = undefined;
    if (this.closed) return;
    if (status < 0) {
      this.abandon(status);
      return;
    }
    this.isBusy = false;
    this.underWay = 0;
    this.writeWaiting();
    this.count(this.pendingBytes);
    if (this.isBusy) return;
    if (this.ended) this.socket.end();
    this.drained();
  }

  /** Called by the socket's own events. */
  receive(bytes: Buffer, count: number): void {
    this.deliver(bytes, 0, count);
  }

  fail(error: Error): void {
    this.error = error;
  }

  finish(): void {
    this.socket[TRANSPORT] = undefined;
    this.queue = undefined;
    this.count(0);
    this.sink.onClose(this.error);
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

  private write(data: WriteData, inOutbox: boolean): void {
    const copies = inOutbox && data instanceof Uint8Array && (!this.writesFromOutbox || outbox.isCrowded);
    const kept = copies ? Buffer.from(data) : data;
    this.isBusy = true;
    const outcome = this.startWrite(kept);
    if (outcome === DONE) this.isBusy = false;
    else if (outcome === UNDER_WAY) {
      this.underWay = this.startedBytes(kept);
      if (inOutbox && !copies) this.releaseOutbox = outbox.hold();
    } else this.abandon(outcome);
  }

  /** Not at once: it may be that the handle is still at work. */
  private abandon(status: number): void {
    process.nextTick(() => this.socket.destroy(writeError(status)));
  }
}
