import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import {
  DONE,
  directWriteHandle,
  PARTLY,
  type WriteData,
  type WriteHandle,
  writeDirectly,
  writeError,
} from "./direct-write.ts";
import { outbox } from "./outbox.ts";
import type { ProxiedPeer } from "./proxy-header.ts";
import { shareReadBuffer } from "./shared-read.ts";
import { Transport } from "./transport.ts";

const TRANSPORT = Symbol("transport");
const TLS_SLACK_BYTES = 16_384;

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
function holdOutbox(): () => void {
  return outbox.hold();
}
function onError(this: OwnedSocket, error: Error): void {
  this[TRANSPORT]?.fail(error);
}
function onClose(this: OwnedSocket): void {
  this[TRANSPORT]?.finish();
}

/** A TCP, TLS or Unix socket of Node as a transport. */
export class SocketTransport extends Transport {
  readonly encrypted: boolean;
  readonly slackBytes: number;
  private readonly socket: OwnedSocket;
  private readonly peer: ProxiedPeer | undefined;
  /** Where bytes go for as long as the system takes all of them at once. */
  private readonly handle: WriteHandle | undefined;
  /** Something may be pending: bytes go through the stream. */
  private isBusy = false;
  /** Bytes that a write to the handle has left. */
  private restBytes = 0;
  private ended = false;
  private error: Error | undefined;
  private awaitsDrain = false;

  /**
   * @param socket connected, and not read from yet
   * @param direct read into the buffer that all sockets share and write to the handle, where that is possible
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
    this.handle = direct && !this.encrypted ? directWriteHandle(socket) : undefined;
    // What a TLS socket has read by now is told by events only.
    if (!direct || socket.readableLength > 0 || !shareReadBuffer(socket, onRead)) socket.on("data", onData);
    socket.resume();
    if (rest !== undefined && rest.length > 0) {
      process.nextTick(() => {
        if (!this.closed) this.receive(rest, rest.length);
      });
    }
  }

  get pendingBytes(): number {
    return this.isBusy ? this.restBytes + this.socket.writableLength : 0;
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
  get bytesSent(): number {
    return this.socket.bytesWritten;
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

  end(): void {
    this.flush();
    this.ended = true;
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
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
    this.count(0);
    this.sink.onClose(this.error);
  }

  protected send(data: string | Uint8Array, lent: boolean): void {
    if (this.ended) return;
    if (this.handle !== undefined && !this.isBusy) this.sendDirectly(this.handle, data, lent);
    else this.sendThroughStream([typeof data !== "string" && lent ? Buffer.from(data) : data]);
  }

  protected sendAll(pieces: readonly (string | Uint8Array)[]): void {
    if (this.ended) return;
    if (this.handle !== undefined && !this.isBusy) this.sendDirectly(this.handle, pieces, false);
    else this.sendThroughStream(pieces);
  }

  private sendDirectly(handle: WriteHandle, data: WriteData, lent: boolean): void {
    const copies = lent && outbox.isCrowded && data instanceof Uint8Array;
    const outcome = writeDirectly(handle, copies ? Buffer.from(data) : data, lent ? holdOutbox : undefined);
    if (outcome === DONE) return;
    if (outcome !== PARTLY) {
      this.socket.destroy(writeError(outcome));
      return;
    }
    this.isBusy = true;
    this.restBytes = handle.writeQueueSize;
  }

  private sendThroughStream(pieces: readonly (string | Uint8Array)[]): void {
    const { socket } = this;
    if (!socket.writable) return;
    if (pieces.length > 1) socket.cork();
    for (const piece of pieces) {
      if (typeof piece === "string") socket.write(piece, "latin1");
      else socket.write(piece);
    }
    if (pieces.length > 1) socket.uncork();
    this.isBusy = this.restBytes > 0 || socket.writableLength > 0;
  }

  protected awaitDrain(): void {
    if (this.awaitsDrain || !this.socket.writable) return;
    this.awaitsDrain = true;
    // An empty write is done when all before it is: unlike 'drain', that also tells the end of small amounts.
    this.socket.write("", (error) => {
      this.awaitsDrain = false;
      this.restBytes = 0;
      if (error || this.closed) return;
      const pending = this.pendingBytes;
      this.isBusy = pending > 0;
      this.count(pending);
      if (this.isBusy) this.awaitDrain();
      else this.drained();
    });
  }
}
