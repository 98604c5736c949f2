import { readMemory } from "../bytes/read-memory.ts";
import { lengthOf, systemError, type WriteData, writeDirectly } from "../node/direct-write.ts";
import { probeHandle } from "../node/peer-probe.ts";
import {
  closeHandle,
  type HandleListener,
  type RawHandle,
  resumeReading,
  shutdownHandle,
  startReading,
} from "../node/raw-handle.ts";
import type { ProxiedPeer } from "../protocol/proxy/proxy-header.ts";
import { QueuedTransport } from "./queued-transport.ts";
import type { Peer } from "./transport.ts";

/*
 * What ends a connection. It closes when both halves have ended, or at once by destroy() or an error.
 *
 *   this side    end()          ended      what waits is written, then the end is sent
 *                onShutdown     sent       closes, if the other half has ended
 *   other side   onReadEnd      isReadEnded  closes, if the end of this side has been sent
 *   both         close          closed     nothing more is read or written; onClosed in a later turn
 */

/** A TCP or Unix connection without a socket of Node, on its handle alone. */
export class HandleTransport extends QueuedTransport implements HandleListener {
  bytesReceived = 0;
  closed = false;
  protected startedTotal = 0;
  private readonly handle: RawHandle;
  private peer: (Peer & { readonly remotePort?: number | undefined }) | undefined;
  private error: Error | undefined = undefined;
  private isEndSent = false;
  private isReadEnded = false;
  private isPaused = false;

  /**
   * @param handle connected, and not read from yet
   * @param peer the other end, when that is not the handle's
   * @param alreadyRead bytes that have been read from it by others
   */
  constructor(handle: RawHandle, peer?: ProxiedPeer, alreadyRead?: Buffer) {
    super();
    this.handle = handle;
    this.peer = peer;
    startReading(handle, this);
    if (alreadyRead === undefined || alreadyRead.length === 0) return;
    process.nextTick(() => {
      if (!this.closed) this.deliver(alreadyRead, 0, alreadyRead.length);
    });
  }

  // Not fields: an idle connection is to take little memory.
  get encrypted(): boolean {
    return false;
  }
  get slackBytes(): number {
    return 0;
  }
  protected get isCorkBufferReadable(): boolean {
    return true;
  }

  get progressMark(): number {
    return this.closed ? 0 : this.startedTotal - this.handle.writeQueueSize;
  }
  get remoteAddress(): string | undefined {
    return this.knownPeer.remoteAddress;
  }
  get remotePort(): number | undefined {
    return this.knownPeer.remotePort;
  }

  pause(): void {
    if (this.closed || this.isReadEnded || this.isPaused) return;
    this.isPaused = true;
    this.handle.readStop();
  }

  resume(): void {
    if (this.closed || this.isReadEnded || !this.isPaused) return;
    this.isPaused = false;
    resumeReading(this.handle, this);
  }

  destroy(): void {
    if (this.closed) return;
    this.closed = true;
    closeHandle(this.handle);
  }

  onRead(count: number): void {
    this.bytesReceived += count;
    this.deliver(readMemory.bytes, 0, count);
  }

  onReadEnd(): void {
    this.isReadEnded = true;
    this.reportEnd();
    this.closeWhenOver();
  }

  onReadError(error: Error): void {
    this.error ??= error;
    this.destroy();
  }

  onShutdown(): void {
    this.isEndSent = true;
    this.closeWhenOver();
  }

  onClosed(): void {
    this.reportClose(this.error);
  }

  protected startWrite(data: WriteData): number {
    this.startedTotal += lengthOf(data);
    return writeDirectly(this.handle, data, this);
  }

  protected startedBytes(): number {
    return this.handle.writeQueueSize;
  }

  protected startEnd(): void {
    if (!this.closed) shutdownHandle(this.handle, this);
  }

  protected failWrite(status: number): void {
    this.onReadError(systemError(status, "write"));
  }

  protected askSystem(): number {
    return probeHandle(this.handle);
  }

  private get knownPeer(): Peer & { readonly remotePort?: number | undefined } {
    this.peer ??= this.askPeer();
    return this.peer;
  }

  private askPeer(): Peer & { remotePort?: number | undefined } {
    if (this.closed) return {};
    const name: { address?: string; port?: number } = {};
    this.handle.getpeername?.(name);
    return { remoteAddress: name.address, remotePort: name.port };
  }

  private closeWhenOver(): void {
    if (this.isEndSent && this.isReadEnded) this.destroy();
  }
}
