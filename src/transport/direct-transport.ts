import type { Socket } from "node:net";
import type { WriteHandle } from "../node/handles.ts";
import { lengthOf, type WriteData, writeDirectly } from "../node/raw-handle.ts";
import type { ProxiedPeer } from "../protocol/proxy/proxy-header.ts";
import { SocketTransport } from "./socket-transport.ts";

/** A socket whose handle is written to; its stream only ends it. */
export class DirectTransport extends SocketTransport {
  private readonly handle: WriteHandle;

  constructor(socket: Socket, handle: WriteHandle, peer?: ProxiedPeer, alreadyRead?: Buffer) {
    super(socket, true, peer, alreadyRead);
    this.handle = handle;
    // When the other side ends its half, the stream must not end this half automatically.
    socket.allowHalfOpen = true;
  }

  /** TLS copies what it is given, and holds each write for a while anyway. */
  protected get isCorkBufferReadable(): boolean {
    return !this.encrypted;
  }

  protected startWrite(data: WriteData): number {
    return writeDirectly(this.handle, data, this);
  }

  protected startedBytes(data: WriteData): number {
    return this.encrypted ? lengthOf(data) : this.handle.writeQueueSize;
  }
}
