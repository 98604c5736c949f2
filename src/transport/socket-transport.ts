import type { Socket } from "node:net";
import { probeSocket } from "../node/peer-probe.ts";
import { queuedBytesOf, systemError } from "../node/raw-handle.ts";
import { shareReadBuffer } from "../node/shared-read.ts";
import { isTlsSocket } from "../node/tls-parent.ts";
import type { ProxiedPeer } from "../protocol/proxy/proxy-header.ts";
import { QueuedTransport } from "./queued-transport.ts";

const TRANSPORT: unique symbol = Symbol("transport");
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
  this[TRANSPORT]?.reportEnd();
}
function onError(this: OwnedSocket, error: Error): void {
  this[TRANSPORT]?.fail(error);
}
function onClose(this: OwnedSocket): void {
  this[TRANSPORT]?.finish();
}

/** Whether a transport has the socket, and hears of its events. */
export function isOwned(socket: Socket): boolean {
  return TRANSPORT in socket && socket[TRANSPORT] !== undefined;
}

/** A TCP, TLS or Unix socket of Node as a transport, but for how it writes. */
export abstract class SocketTransport extends QueuedTransport {
  readonly encrypted: boolean;
  readonly slackBytes: number;
  protected readonly socket: OwnedSocket;
  private readonly peer: ProxiedPeer | undefined;
  private error: Error | undefined = undefined;

  /**
   * @param socket connected, and not read from yet
   * @param direct whether to read into the buffer that all sockets share, if possible
   * @param peer the client, if it differs from the socket's other end
   * @param alreadyRead bytes that other code has read from it
   */
  constructor(socket: Socket, direct: boolean, peer?: ProxiedPeer, alreadyRead?: Buffer) {
    super();
    this.socket = socket;
    this.peer = peer;
    this.encrypted = isTlsSocket(socket);
    this.slackBytes = this.encrypted ? TLS_SLACK_BYTES : 0;
    this.socket[TRANSPORT] = this;
    socket.on("end", onEnd);
    socket.on("error", onError);
    socket.on("close", onClose);
    // A TLS socket reports data it has already read only through events.
    if (!direct || socket.readableLength > 0 || !shareReadBuffer(socket, onRead)) socket.on("data", onData);
    socket.resume();
    if (alreadyRead !== undefined && alreadyRead.length > 0) {
      process.nextTick(() => {
        if (!this.closed) this.receive(alreadyRead, alreadyRead.length);
      });
    }
  }

  protected get startedTotal(): number {
    return this.socket.bytesWritten;
  }
  get progressMark(): number {
    const { bytesWritten, writableLength } = this.socket;
    // Completed writes and, if Node reports it, the progress of the current one. Data that the program adds meanwhile
    // waits behind it and changes nothing.
    return bytesWritten - writableLength - queuedBytesOf(this.socket);
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

  protected startEnd(): void {
    this.socket.end();
  }

  protected failWrite(status: number): void {
    this.socket.destroy(systemError(status, "write"));
  }

  protected askSystem(): number {
    return probeSocket(this.socket);
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
    this.reportClose(this.error);
  }
}
