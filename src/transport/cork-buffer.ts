/** A transport with output in the cork buffer. */
export interface Sender {
  /** Sends what was gathered. */
  flush(): void;
}

/** This fits into a usual second-level cache, together with what is copied into it. */
const CORK_BYTES = 262_144;

/** How many former memories slow clients may hold that did not take everything at once. */
const MAX_RETAINED = 16;

/**
 * Memory in which output is gathered until it leaves. All transports share one piece, because what is written in one turn
 * of the event loop leaves at its end. A message is copied once, into memory that is in the cache, and none is allocated.
 * A separate buffer for each message would cost several times as much, from 1 KiB on.
 */
class CorkBuffer {
  bytes: Buffer = Buffer.allocUnsafeSlow(CORK_BYTES);
  private top = 0;
  private senders: Sender[] = [];
  private reservations = 0;
  private isRetained = false;
  private retained = 0;
  /** A program fills memory that is still free: nothing is reserved meanwhile. */
  isLocked = false;

  /**
   * Finds room without reserving it.
   * @param end of the reservation to extend; undefined for a new one
   * @returns where the next reservation would begin, or -1 when there is no room
   */
  find(count: number, end: number | undefined): number {
    const isPossible = !this.isLocked && this.top + count <= CORK_BYTES && (end ?? this.top) === this.top;
    return isPossible ? this.top : -1;
  }

  /**
   * Begins a reservation. The sender ends it with {@link endReservation}.
   * @returns where it begins, or -1 when there is no room
   */
  beginReservation(sender: Sender, count: number): number {
    if (this.isLocked) return -1;
    if (this.top + count > CORK_BYTES) this.flushOthers(sender);
    if (this.top + count > CORK_BYTES) return -1;
    this.reservations++;
    this.senders.push(sender);
    const start = this.top;
    this.top += count;
    return start;
  }

  /** Makes the reservation that ends at `end` longer. @returns false if another one follows, or there is no room */
  extendReservation(end: number, count: number): boolean {
    if (this.find(count, end) < 0) return false;
    this.top += count;
    return true;
  }

  /** Call this when a reservation has been sent, or moved elsewhere. */
  endReservation(): void {
    if (--this.reservations > 0) return;
    this.senders = [];
    this.top = 0;
    if (!this.isRetained) return;
    this.bytes = Buffer.allocUnsafeSlow(CORK_BYTES);
    this.isRetained = false;
  }

  /** Whether slow clients hold too many former memories, so that reservations must be copied before they are sent. */
  get isCrowded(): boolean {
    return this.retained >= MAX_RETAINED;
  }

  /** Keeps the memory as it is while the system still reads from it. @returns what to call when it has done so */
  retain(): () => void {
    this.isRetained = true;
    this.retained++;
    return this.release;
  }

  private readonly release = (): void => {
    this.retained--;
  };

  private flushOthers(one: Sender): void {
    for (const sender of this.senders) if (sender !== one) sender.flush();
  }
}

export const corkBuffer: CorkBuffer = new CorkBuffer();
