/** Who has output in the outbox. */
export interface Sender {
  /** Sends what was gathered. */
  flush(): void;
}

/** So much fits into a usual second-level cache, beside what is copied into it. */
const OUTBOX_BYTES = 262_144;

/** How many former outboxes may be held by peers that did not take everything at once. */
const MAX_HELD = 16;

/**
 * Memory in which output is gathered until it leaves: one piece for all transports, because what is written in one turn
 * of the event loop leaves at its end. A message is copied once, into memory that is in the cache, and none is allocated.
 * A buffer of its own for each message would cost several times as much, from 1 KiB on.
 */
class Outbox {
  bytes: Buffer = Buffer.allocUnsafeSlow(OUTBOX_BYTES);
  private top = 0;
  private senders: Sender[] = [];
  private inUse = 0;
  private isHeld = false;
  private held = 0;

  /**
   * Begins a part for a sender, who gives it back by {@link release}.
   * @returns where it begins, or -1 when there is no room
   */
  begin(sender: Sender, count: number): number {
    if (this.top + count > OUTBOX_BYTES) this.flushOthers(sender);
    if (this.top + count > OUTBOX_BYTES) return -1;
    this.inUse++;
    this.senders.push(sender);
    const start = this.top;
    this.top += count;
    return start;
  }

  /** Makes the part that ends at `end` longer. @returns false when another part follows, or there is no room */
  extend(end: number, count: number): boolean {
    if (end !== this.top || end + count > OUTBOX_BYTES) return false;
    this.top += count;
    return true;
  }

  /** A part has been sent. */
  release(): void {
    if (--this.inUse > 0) return;
    this.senders = [];
    this.top = 0;
    if (!this.isHeld) return;
    this.bytes = Buffer.allocUnsafeSlow(OUTBOX_BYTES);
    this.isHeld = false;
  }

  /** Whether too many peers hold former outboxes, so that parts must be copied before they are sent. */
  get isCrowded(): boolean {
    return this.held >= MAX_HELD;
  }

  /** The system still reads from a part. @returns what to call when it has done so */
  hold(): () => void {
    this.isHeld = true;
    this.held++;
    return this.letGo;
  }

  private readonly letGo = (): void => {
    this.held--;
  };

  private flushOthers(one: Sender): void {
    for (const sender of this.senders) if (sender !== one) sender.flush();
  }
}

export const outbox: Outbox = new Outbox();
