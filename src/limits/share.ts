import type { QueueShare } from "../delivery/event-queue.ts";
import type { Limits } from "./limits.ts";
import { PAUSED_BY_SHARE, type Pausable } from "./pausing.ts";

/** What an event counts for at least: small ones hold little, but each of them takes the time of a handler. */
const LEAST_BYTES = 4_096;

/** What is needed of the limits. */
type ShareLimits = Pick<Limits, "maxQueueBytesPerSocket">;

/**
 * What one connection has in the queue of events. A connection with more than its share is not read from until half of
 * that has left the queue: then the others wait for a poll of that share at most, and their order stays that in which
 * things happened.
 */
export class Share implements QueueShare {
  private readonly connection: Pausable;
  private readonly limits: ShareLimits;
  private bytes = 0;
  private isExceeded = false;

  constructor(connection: Pausable, limits: ShareLimits) {
    this.connection = connection;
    this.limits = limits;
  }

  hold(bytes: number): void {
    this.bytes += Math.max(bytes, LEAST_BYTES);
    if (this.bytes <= this.limits.maxQueueBytesPerSocket) return;
    this.isExceeded = true;
    this.connection.pauseFor(PAUSED_BY_SHARE);
  }

  free(bytes: number): void {
    this.bytes -= Math.max(bytes, LEAST_BYTES);
    if (!this.isExceeded || this.bytes > this.limits.maxQueueBytesPerSocket / 2) return;
    this.isExceeded = false;
    // Later: a resumed connection can call the program, which is about to run the event that was taken.
    process.nextTick(() => {
      if (!this.isExceeded) this.connection.resumeFrom(PAUSED_BY_SHARE);
    });
  }
}
