import type { Worker } from "node:cluster";
import { ENVELOPE, type Envelope, type Message } from "./supervisor.ts";

/** One process. */
export class Member {
  readonly number: number;
  readonly process: Worker;
  readonly ended: Promise<void>;
  /** Infinity until then. */
  readyAt: number = Number.POSITIVE_INFINITY;
  /** Whether it has said that it stopped on request. */
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

  /** @param onSent called when the message is on its way */
  send(message: Message, onSent?: () => void): void {
    if (!this.process.isConnected()) return;
    const envelope: Envelope = { [ENVELOPE]: message };
    this.process.send(envelope, undefined, undefined, () => onSent?.());
  }
}
