import type { Worker } from "node:cluster";
import { ENVELOPE, type Envelope, type Message } from "./supervisor.ts";

/** One process of a group. */
export class Member {
  readonly number: number;
  readonly process: Worker;
  readonly ended: Promise<void>;
  /** When it became ready, by performance.now(); Infinity before. */
  readyAt: number = Number.POSITIVE_INFINITY;
  /** Whether it reported that it stopped on request. */
  hasStopped = false;

  constructor(number: number, worker: Worker) {
    this.number = number;
    this.process = worker;
    this.ended = new Promise((resolve) => worker.once("exit", () => resolve()));
  }

  get isReady(): boolean {
    return this.readyAt < Number.POSITIVE_INFINITY;
  }

  /** How long it has served, in milliseconds. */
  get servedMs(): number {
    return Math.max(0, performance.now() - this.readyAt);
  }

  /** Sends a message. @param onSent called when it has been sent */
  send(message: Message, onSent?: () => void): void {
    if (!this.process.isConnected()) return;
    const envelope: Envelope = { [ENVELOPE]: message };
    this.process.send(envelope, undefined, undefined, () => onSent?.());
  }
}
