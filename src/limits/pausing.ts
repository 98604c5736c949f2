import type { QueueShare } from "../delivery/event-queue.ts";

/** Why a connection is not read from, as bits; reading goes on when no reason is left. */
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
/** What waits to be polled is too much, of this connection or of all. */
export const PAUSED_BY_EVENTS: number = PAUSED_BY_QUEUE | PAUSED_BY_SHARE;

/** A connection that several parts can pause, each for its own reason. */
export interface Pausable {
  /** What it has in the queue of events, once it has caused one. */
  share: QueueShare | undefined;
  pauseFor(reason: number): void;
  resumeFrom(reason: number): void;
}
