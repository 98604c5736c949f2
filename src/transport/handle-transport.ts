import { readMemory } from "../bytes/read-memory.ts";
import type { HandleOwner, RawHandle } from "../node/handles.ts";
import { probeHandle } from "../node/peer-probe.ts";
import {
  closeHandle,
  DONE,
  lengthOf,
  resumeReading,
  shutdownHandle,
  startReading,
  systemError,
  type WriteData,
  writeDirectly,
} from "../node/raw-handle.ts";
import type { ProxiedPeer } from "../protocol/proxy/proxy-header.ts";
import { corkBuffer } from "./buffered-output.ts";
import { QueuedTransport } from "./queued-transport.ts";
import type { Peer } from "./transport.ts";

/*
 * What ends a connection. It closes when both halves have ended, or at once by destroy() or an error.
 *
 *   this side    end()          ended      what waits is written, then the end is sent
 *                onShutdown     sent       closes, if the other half has ended
 *   other side   push           isReadEnded  closes, if the end of this side has been sent
 *   both         close          closed     nothing more is read or written; onClosed in a later turn
 */

const PAUSED = 1;
const READ_ENDED = 2;
const END_SENT = 4;

/** A TCP or Unix connection without a socket of Node, on its handle alone. */
export class HandleTransport extends QueuedTransport implements HandleOwner {
  bytesReceived = 0;
  closed = false;
  protected startedTotal = 0;
  private readonly handle: RawHandle;
  private peer: (Peer & { readonly remotePort?: number | undefined }) | undefined;
  private error: Error | undefined = undefined;
  /** PAUSED, READ_ENDED and END_SENT, as bits: three fields would take 16 bytes more. */
  private halves = 0;

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
  get destroyed(): boolean {
    return this.closed;
  }
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

  // Most writes are done at once, and pass by the queue.
  override get pendingBytes(): number {
    return this.isBusy ? super.pendingBytes : 0;
  }
  override get bytesSent(): number {
    return this.isBusy ? super.bytesSent : this.startedTotal;
  }

  pause(): void {
    if (this.closed || (this.halves & (READ_ENDED | PAUSED)) !== 0) return;
    this.halves |= PAUSED;
    this.handle.readStop();
  }

  resume(): void {
    if (this.closed || (this.halves & (READ_ENDED | PAUSED)) !== PAUSED) return;
    this.halves &= ~PAUSED;
    resumeReading(this.handle, this);
  }

  /** @param error of the system, which has ended it */
  destroy(error?: Error): void {
    this.error ??= error;
    if (this.closed) return;
    this.closed = true;
    closeHandle(this.handle);
  }

  onRead(count: number): void {
    this.bytesReceived += count;
    this.deliver(readMemory.bytes, 0, count);
  }

  push(): void {
    this.halves |= READ_ENDED;
    this.reportEnd();
    this.closeWhenOver();
  }

  onShutdown(): void {
    this.halves |= END_SENT;
    this.closeWhenOver();
  }

  onClosed(): void {
    this.reportClose(this.error);
  }

  protected override send(data: string | Uint8Array, isInCork: boolean): void {
    if (this.isBusy || (isInCork && corkBuffer.isCrowded)) super.send(data, isInCork);
    else {
      const outcome = this.startWrite(data);
      if (outcome !== DONE) this.onStarted(outcome, data, isInCork);
    }
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
    this.destroy(systemError(status, "write"));
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
    const isOver = (END_SENT | READ_ENDED) === (this.halves & (END_SENT | READ_ENDED));
    if (isOver) this.destroy();
  }
}
