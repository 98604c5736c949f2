import type { Counters } from "../limits/counters.ts";
import type { DeadlineTimer, Ticking } from "../limits/deadline-timer.ts";
import type { Limits } from "../limits/limits.ts";
import { ownPauses, type Pauses } from "../limits/pauses.ts";
import { PAUSED_BY_BODY } from "../limits/pausing.ts";
import { SilenceDetector } from "../limits/silence-detector.ts";
import { WriteStallDetector } from "../limits/slow-client.ts";
import type { Transport } from "../transport/transport.ts";
import { type HttpState, IDLE, RECEIVING, RESPONDING } from "./http-states.ts";
import { BODY_TIMEOUT, HEAD_TIMEOUT, type Refusal } from "./refusal.ts";

/** What the client has to do in time, or the program: "answer". */
export type DeadlineKind = "none" | "head" | "next request" | "body" | "answer" | "close";

/** The state of a connection, as far as deadlines depend on it. */
export interface Progress {
  /** Requests so far. */
  readonly requests: number;
  /** Whether part of a request has been read. */
  readonly inProgress: boolean;
  /** Whether the client waits for 100 (Continue) before it sends the content. */
  readonly isContinueExpected: boolean;
  /** How long the program can take to answer, in milliseconds; 0 when it has answered. */
  readonly answerMs: number;
}

/** What is due: a look whether a silent client is still there, or the end of one that takes nothing or is late. */
export type Due = "nothing" | "look" | "write timeout" | "end";

/** A connection, as far as its deadlines act on it. */
interface Timed {
  readonly transport: Transport;
  pauses: Pauses;
  /** The exchange whose response is not complete. */
  readonly active: object | undefined;
  readonly context: { readonly counters: Counters };
  readonly held: { readonly reader: { readonly inProgress: boolean }; expire(): void } | undefined;
  refuse(reason: Refusal): void;
  /** Destroys the connection. */
  drop(): void;
}

/** The running deadline of a connection. The deadline of a client that reads nothing is separate. */
export class Deadline {
  kind: DeadlineKind = "none";
  private readonly timer: DeadlineTimer;
  private readonly limits: Limits;
  private readonly member: Ticking;
  private tick = 0;
  private answerMs = 0;
  private stallDetector: WriteStallDetector | undefined = undefined;
  private silence: SilenceDetector | undefined = undefined;
  /** When a connection that lingers ends, whatever still comes. */
  private lastTick = 0;

  /** @param member receives ticks */
  constructor(timer: DeadlineTimer, limits: Limits, member: Ticking) {
    this.timer = timer;
    this.limits = limits;
    this.member = member;
  }

  /** Starts a deadline in place of the one that runs, with the whole time for it. */
  start(kind: DeadlineKind): void {
    const { timer, limits } = this;
    this.kind = kind;
    if (kind === "none") return;
    if (kind === "next request") this.tick = timer.after(limits.keepAliveTimeoutMs);
    else if (kind === "head") this.tick = timer.after(limits.headTimeoutMs);
    else if (kind === "body") this.tick = timer.after(limits.bodyTimeoutMs);
    else if (kind === "answer") this.tick = timer.after(this.answerMs);
    else if (kind === "close") {
      this.lastTick = timer.after(limits.lingerTimeoutMs);
      this.renewClose();
    }
  }

  /** A client that is still sending has not read the response yet (RFC 9112 §9.6): its time to close begins again. */
  renewClose(): void {
    this.tick = Math.min(this.timer.after(this.limits.closeTimeoutMs), this.lastTick);
  }

  /** Does what is due in this tick. */
  act(tick: number, connection: Timed): void {
    const { transport, pauses, held } = connection;
    // A pause stops the time of the client, who cannot send, but not that of a program that has answered and takes no more.
    const isUnread = (pauses.by & PAUSED_BY_BODY) !== 0 && connection.active === undefined;
    const due = this.check(tick, transport, pauses.by !== 0 && !isUnread);
    if (due === "nothing") return;
    if (due === "look") ownPauses(connection).look();
    else if (due === "write timeout") {
      connection.context.counters.countError("HTTP_WRITE_TIMEOUT");
      connection.drop();
    } else if (this.kind === "answer") held?.expire();
    else if (this.kind === "body") connection.refuse(BODY_TIMEOUT);
    else if (this.kind === "head" && held?.reader.inProgress === true) connection.refuse(HEAD_TIMEOUT);
    else connection.drop();
  }

  /**
   * Says what is due in this tick.
   * @param isHeld whether the client cannot send because the program pauses
   */
  private check(tick: number, transport: Transport, isHeld: boolean): Due {
    const { kind, timer, limits } = this;
    this.stallDetector = WriteStallDetector.for(transport, this.stallDetector);
    if (this.stallDetector?.isStalled(transport, timer, limits.writeTimeoutMs) === true)
      return "write timeout";
    if (kind === "answer" && tick > this.tick) return "end";
    if (kind === "none" || kind === "answer" || isHeld) {
      this.silence ??= new SilenceDetector();
      return this.silence.isSilent(transport, timer, limits.keepAliveTimeoutMs) ? "look" : "nothing";
    }
    // One that is still taking a response is not idle.
    if ((kind === "next request" || kind === "close") && transport.pendingBytes > 0) this.start(kind);
    return tick > this.tick ? "end" : "nothing";
  }

  /** Starts a deadline, unless one of the kind runs. */
  private ensure(kind: DeadlineKind): void {
    if (this.kind !== kind) this.start(kind);
  }

  /**
   * Starts the deadline of whoever has to act next, unless it runs.
   * @param isBodyPaused whether the program does not take the content of the request
   */
  follow(state: HttpState, progress: Progress, isBodyPaused: boolean): void {
    if (state === IDLE) {
      if (progress.inProgress) this.ensure("head");
      else if (progress.requests > 0) this.start("next request");
    } else if (state === RESPONDING) this.awaitAnswer(progress.answerMs);
    else if (state === RECEIVING) {
      // A client that waits for 100 (Continue), or that is not read from, is not late.
      if ((progress.isContinueExpected || isBodyPaused) && progress.answerMs > 0)
        this.awaitAnswer(progress.answerMs);
      else this.ensure(progress.isContinueExpected ? "none" : "body");
    }
  }

  /** The program is not waited for any more. @returns whether it was */
  stopAnswer(): boolean {
    if (this.kind !== "answer") return false;
    this.kind = "none";
    return true;
  }

  private awaitAnswer(ms: number): void {
    if (ms > 0 && this.kind === "answer") return;
    this.answerMs = ms;
    if (ms > 0 && ms < (this.limits.handlerTimeoutMs || Number.POSITIVE_INFINITY)) {
      this.timer.quicken(this.member, ms);
    }
    this.start(ms > 0 ? "answer" : "none");
  }
}
