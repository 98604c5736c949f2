import { PAUSED_BY_BUDGET } from "../limits/pausing.ts";
import { MAX_TIMER_MS } from "../node/max-timer.ts";
import { POLICY_VIOLATION } from "../protocol/websocket/close-codes.ts";

/** The number of messages that a client can send. */
export interface BudgetOptions {
  /** The average number of messages per second. */
  perSecond: number;
  /** The number of messages at once, after silence. Default: the value of `perSecond`, at least 1. */
  burst?: number;
  /** "pause" (default): stops reading from the client until the budget allows more. "close": closes with 1008. */
  whenExceeded?: "pause" | "close";
}

/** The connection that it limits. */
interface Limited {
  pauseFor(reason: number): void;
  resumeFrom(reason: number): void;
  close(code: number, reason: string): void;
}

/** A token bucket: messages take tokens, and time adds them. */
export class MessageBudget {
  private readonly connection: Limited;
  private readonly closes: boolean;
  private readonly perMs: number;
  private readonly burst: number;
  private tokens: number;
  private at: number;

  constructor(connection: Limited, options: BudgetOptions) {
    const { perSecond, burst = Math.max(1, perSecond), whenExceeded } = options;
    this.connection = connection;
    this.closes = whenExceeded === "close";
    this.perMs = perSecond / 1_000;
    this.burst = burst;
    this.tokens = burst;
    this.at = performance.now();
  }

  /** Takes a token for a message, or pauses or closes the connection. @returns whether the program gets the message */
  admits(): boolean {
    const now = performance.now();
    this.tokens = Math.min(this.burst, this.tokens + (now - this.at) * this.perMs) - 1;
    this.at = now;
    if (this.tokens < 0 && this.closes) {
      this.connection.close(POLICY_VIOLATION, "too many messages");
      return false;
    }
    if (this.tokens < 1 && !this.closes) this.pause((1 - this.tokens) / this.perMs);
    return true;
  }

  /** Continues reading when there is a token for the next message. */
  private pause(ms: number): void {
    this.connection.pauseFor(PAUSED_BY_BUDGET);
    setTimeout(
      () => this.connection.resumeFrom(PAUSED_BY_BUDGET),
      Math.min(Math.ceil(ms), MAX_TIMER_MS),
    ).unref();
  }
}

/** Checks the options. @throws RangeError for an invalid number; TypeError for another value of `whenExceeded` */
export function checkBudget({ perSecond, burst = 1, whenExceeded = "pause" }: BudgetOptions): void {
  if (!(perSecond > 0)) throw new RangeError(`budget.perSecond cannot be ${perSecond}. Use a number above 0`);
  if (!(burst >= 1)) throw new RangeError(`budget.burst cannot be ${burst}. Use a number of at least 1`);
  if (whenExceeded !== "pause" && whenExceeded !== "close")
    throw new TypeError(`budget.whenExceeded cannot be ${String(whenExceeded)}. Use "pause" or "close"`);
}
