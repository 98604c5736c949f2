import type { Transport } from "../transport/transport.ts";
import { PAUSED_BY_TURN, PAUSED_BY_WRITES } from "./pausing.ts";

/** Reasons that hold when the peer has ended its half, too: those of the program do not. */
const KEPT_AT_THE_END = PAUSED_BY_TURN | PAUSED_BY_WRITES;

/** So much is read from a peer that is paused, to see whether it is still there. */
const AHEAD_BYTES = 16_384;

/**
 * Why a connection is not read from. A peer that disconnects meanwhile cannot be seen, so from time to time the owner
 * looks for it: a little is read anyway, and the system is asked.
 */
export class Pauses {
  /** PAUSED_BY_…, as bits. */
  by = 0;
  private readonly transport: Transport;
  private isReadAhead = false;
  /** What was read since it is paused. */
  private aheadBytes = 0;
  private hasEnded = false;

  constructor(transport: Transport) {
    this.transport = transport;
  }

  /** Whether what the peer sends is read, if only a little of it. */
  get isHeard(): boolean {
    return this.by === 0 || this.isReadAhead;
  }

  add(reason: number): void {
    if (this.hasEnded && (reason & KEPT_AT_THE_END) === 0) return;
    if (this.by === 0) {
      this.aheadBytes = 0;
      this.stop();
    }
    this.by |= reason;
  }

  /** @returns whether it was the last reason: reading can go on */
  remove(reason: number): boolean {
    if ((this.by & reason) === 0) return false;
    this.by &= ~reason;
    return this.by === 0;
  }

  /**
   * The peer has sent its last byte, so nothing that the program pauses has to wait any more: what was read by then is
   * little, and the program is to learn of the end.
   * @returns whether the program had paused something
   */
  end(): boolean {
    const isHeld = (this.by & ~KEPT_AT_THE_END) !== 0;
    this.hasEnded = true;
    this.by &= KEPT_AT_THE_END;
    return isHeld;
  }

  /**
   * Looks whether the peer is still there.
   * @returns whether it can answer; otherwise only the system can tell
   */
  look(): boolean {
    this.transport.probe();
    if (this.by !== 0 && this.aheadBytes <= AHEAD_BYTES) {
      this.isReadAhead = true;
      this.transport.resume();
    }
    return this.isHeard;
  }

  /** Bytes have come; to be called before they are used. */
  onRead(bytes: number): void {
    if (this.by === 0) return;
    this.aheadBytes += bytes;
    if (this.aheadBytes > AHEAD_BYTES) this.stop();
  }

  private stop(): void {
    this.isReadAhead = false;
    this.transport.pause();
  }
}
