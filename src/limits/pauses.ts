import type { Transport } from "../transport/transport.ts";
import { PAUSED_BY_TURN, PAUSED_BY_WRITES } from "./pausing.ts";

/** Reasons that still apply when the other side has ended its half. Those of the program do not. */
const KEPT_AT_THE_END = PAUSED_BY_TURN | PAUSED_BY_WRITES;

/** How much is read from a paused connection to see whether it is still open, in bytes. */
const AHEAD_BYTES = 16_384;

type PausedTransport = Pick<Transport, "pause" | "resume" | "probe">;

/**
 * The reasons why a connection is not read from. Meanwhile the end of the connection would go unnoticed. So the owner
 * checks from time to time: it reads a little, and asks the system.
 */
export class Pauses {
  /** PAUSED_BY_…, as bits. */
  by = 0;
  private readonly transport: PausedTransport;
  private isReadAhead = false;
  /** What was read since it is paused. */
  private aheadBytes = 0;
  /** The other side has ended its half. */
  hasEnded = false;

  constructor(transport: PausedTransport) {
    this.transport = transport;
  }

  /** Whether data is read, if only a little. */
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

  /** @returns whether it was the last reason, so that reading can continue */
  remove(reason: number): boolean {
    if ((this.by & reason) === 0) return false;
    this.by &= ~reason;
    return this.by === 0;
  }

  /**
   * Called when the other side has ended its half. The pauses of the program end, because little data is left and the
   * program should learn of the end.
   * @returns whether the program had paused it
   */
  end(): boolean {
    const isHeld = (this.by & ~KEPT_AT_THE_END) !== 0;
    this.hasEnded = true;
    this.by &= KEPT_AT_THE_END;
    return isHeld;
  }

  /**
   * Checks whether the other side is still connected.
   * @returns whether it can answer; otherwise only the system knows
   */
  look(): boolean {
    this.transport.probe();
    if (this.by !== 0 && this.aheadBytes <= AHEAD_BYTES) {
      this.isReadAhead = true;
      this.transport.resume();
    }
    return this.isHeard;
  }

  /** Forgets all reasons. The caller reads on. */
  clear(): void {
    if (this.by !== 0) this.by = 0;
  }

  /** Notes received bytes. Call it before they are used. */
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

/** Those of all connections that have never been paused: most of them never are. */
export const NOT_PAUSED: Pauses = new Pauses({ pause() {}, resume() {}, probe() {} });

/** Returns those of one connection, to be changed. */
export function ownPauses(connection: { pauses: Pauses; readonly transport: Transport }): Pauses {
  if (connection.pauses === NOT_PAUSED) connection.pauses = new Pauses(connection.transport);
  return connection.pauses;
}
