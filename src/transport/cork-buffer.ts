/** A transport with output in the cork buffer. */
export interface Sender {
  /** Sends what was gathered. */
  flush(): void;
}

/** This fits into a usual second-level cache, together with what is copied into it. */
const CORK_BYTES = 262_144;

/** How many former buffers can be held for slow clients. */
const MAX_RETAINED = 16;

/**
 * Memory in which output is gathered until it is sent. All transports share it, because output of one turn of the event
 * loop is sent at its end. A message is copied once, into cached memory, without an allocation. A separate buffer for
 * each message would cost several times as much, from 1 KiB on.
 */
class CorkBuffer {
  bytes: Buffer = Buffer.allocUnsafeSlow(CORK_BYTES);
  private top = 0;
  private senders: Sender[] = [];
  private reservations = 0;
  private isRetained = false;
  private retained = 0;

  /**
   * Begins a reservation. The sender ends it with {@link endReservation}.
   * @returns its position, or -1 if there is no room
   */
  beginReservation(sender: Sender, count: number): number {
    if (this.top + count > CORK_BYTES) this.flushOthers(sender);
    if (this.top + count > CORK_BYTES) return -1;
    this.reservations++;
    this.senders.push(sender);
    const start = this.top;
    this.top += count;
    return start;
  }

  /** Extends the reservation that ends at `end`. @returns false if another one follows, or there is no room */
  extendReservation(end: number, count: number): boolean {
    if (end !== this.top || end + count > CORK_BYTES) return false;
    this.top += count;
    return true;
  }

  /** Ends a reservation, after it has been sent or moved elsewhere. */
  endReservation(): void {
    if (--this.reservations > 0) return;
    this.senders = [];
    this.top = 0;
    if (!this.isRetained) return;
    this.bytes = Buffer.allocUnsafeSlow(CORK_BYTES);
    this.isRetained = false;
  }

  /** Whether slow clients hold too many former buffers, so that reservations must be copied before sending. */
  get isCrowded(): boolean {
    return this.retained >= MAX_RETAINED;
  }

  /**
   * Keeps the memory unchanged while the system reads from it.
   * @returns a function to call when the system has finished
   */
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
