import type { QueueShare } from "../delivery/event-queue.ts";

/** The reasons for not reading from a connection, as bits. Reading continues when no reason is left. */
export const PAUSED_BY_QUEUE = 1;
export const PAUSED_BY_BODY = 2;
export const PAUSED_BY_PIPELINE = 4;
export const PAUSED_BY_PROGRAM = 8;
export const PAUSED_BY_WRITES = 16;
export const PAUSED_BY_SERVER = 32;
export const PAUSED_BY_TURN = 64;
export const PAUSED_BY_CONSUMER = 128;
export const PAUSED_BY_SHARE = 256;
export const PAUSED_BY_BUDGET = 512;
/** Too many events wait to be polled, of this connection or of all. */
export const PAUSED_BY_EVENTS: number = PAUSED_BY_QUEUE | PAUSED_BY_SHARE;

/** A connection that several parts can pause, each for a different reason. */
export interface Pausable {
  /** Its share of the event queue, once it has caused an event. */
  share: QueueShare | undefined;
  pauseFor(reason: number): void;
  resumeFrom(reason: number): void;
}
