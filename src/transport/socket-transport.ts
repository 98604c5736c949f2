import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
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
  private error: Error | undefined;
  private awaitsDrain = false;

  /**
   * @param socket connected, and not read from yet
   * @param sharedRead read into the buffer that all sockets share, where that is possible
   */
  constructor(socket: Socket, sharedRead: boolean) {
    super();
    this.socket = socket;
    this.encrypted = socket instanceof TLSSocket;
    this.slackBytes = this.encrypted ? TLS_SLACK_BYTES : 0;
    this.socket[TRANSPORT] = this;
    socket.on("end", onEnd);
    socket.on("error", onError);
    socket.on("close", onClose);
    if (!sharedRead || this.encrypted || !shareReadBuffer(socket, onRead)) socket.on("data", onData);
    socket.resume();
  }

  get pendingBytes(): number {
    return this.socket.writableLength;
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
    return this.socket.remoteAddress;
  }
  get remotePort(): number | undefined {
    return this.socket.remotePort;
  }
  get closed(): boolean {
    return this.socket.destroyed;
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  end(): void {
    this.flush();
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

  protected send(data: string | Uint8Array): void {
    if (!this.socket.writable) return;
    if (typeof data === "string") this.socket.write(data, "latin1");
    else this.socket.write(data);
  }

  protected sendAll(pieces: readonly (string | Uint8Array)[]): void {
    this.socket.cork();
    for (const piece of pieces) this.send(piece);
    this.socket.uncork();
  }

  protected awaitDrain(): void {
    if (this.awaitsDrain || !this.socket.writable) return;
    this.awaitsDrain = true;
    // An empty write is done when all before it is: unlike 'drain', that also tells the end of small amounts.
    this.socket.write("", (error) => {
      this.awaitsDrain = false;
      if (error || this.closed) return;
      const pending = this.pendingBytes;
      this.count(pending);
      if (pending > 0) this.awaitDrain();
      else this.drained();
    });
  }
}
