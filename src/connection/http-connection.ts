import { PorticoError } from "../exchange/errors.ts";
import type { Exchange, Upgrade } from "../exchange/exchange.ts";
import type { BodyDemand, ResponseErrorCode } from "../exchange/http-stream.ts";
import type { Connection } from "../limits/connection.ts";
import { NOT_PAUSED, ownPauses, type Pauses } from "../limits/pauses.ts";
import { PAUSED_BY_BODY, PAUSED_BY_PIPELINE, PAUSED_BY_WRITES } from "../limits/pausing.ts";
import { isCongested } from "../limits/slow-client.ts";
import { TURN_IS_OVER, waitForTurn } from "../limits/turns.ts";
import { BODY, END, FAILED, NEED_BYTES, REQUEST } from "../protocol/http1/request-reader.ts";
import { httpLog } from "../trace/debug-log.ts";
import type { Transport, TransportSink } from "../transport/transport.ts";
import { Deadline } from "./deadline.ts";
import type { ExchangeIntake } from "./exchange-intake.ts";
import type { HttpContext } from "./http-context.ts";
import { CLOSED, type HttpState, IDLE, LINGERING, RECEIVING, RESPONDING, UPGRADED } from "./http-states.ts";
import type { IntakeHost } from "./intake-host.ts";
import { endIntake, type IntakePool, leaveIntake, ownIntake } from "./intake-pool.ts";
import { CLOSING, type Refusal } from "./refusal.ts";
import { openWebSocket } from "./upgrade.ts";

/** HTTP/1.1 on one transport. */
export class HttpConnection implements TransportSink, IntakeHost {
  readonly transport: Transport;
  releaseSlot: (() => void) | undefined;
  share: Connection["share"] = undefined;
  readonly deadline: Deadline;
  hasEnded = false;
  requests = 0;
  steps = 0;
  readonly intakes: IntakePool;
  held: ExchangeIntake | undefined = undefined;
  state: HttpState = IDLE;
  pauses: Pauses = NOT_PAUSED;
  private isPumping = false;
  /** The response is complete, and has said that the connection ends with the exchange. */
  private isLast = false;

  constructor(intakes: IntakePool, transport: Transport, releaseSlot: () => void) {
    const { timer, limits } = intakes.context;
    this.intakes = intakes;
    this.transport = transport;
    this.releaseSlot = releaseSlot;
    this.deadline = new Deadline(timer, limits, this);
    this.deadline.start("head");
    transport.sink = this;
  }

  get kind(): "http" {
    return "http";
  }

  get active(): Exchange | undefined {
    return this.held?.active;
  }

  get context(): HttpContext {
    return this.intakes.context;
  }

  get intake(): ExchangeIntake {
    return ownIntake(this);
  }

  beginShutdown(): void {
    if (this.state !== IDLE) return;
    if (this.transport.bufferedBytes > 0) this.linger();
    else if (this.held?.reader.inProgress !== true) this.drop();
  }

  forceClose(): void {
    if (this.held?.exchange?.headSent === false) this.refuse(CLOSING);
    this.transport.flush();
    this.drop();
  }

  // TransportSink

  onBytes(bytes: Buffer, start: number, end: number): void {
    const { context } = this;
    context.counters.bytesReceived += end - start;
    if (this.state === LINGERING) this.deadline.renewClose();
    if (this.state === LINGERING || this.state === CLOSED) return;
    context.onInput(this, end - start);
    this.pauses.onRead(end - start);
    this.intake.receive(bytes, start, end);
    this.pump();
    const reader = this.held?.reader;
    if (reader === undefined) return;
    reader.release();
    if (this.state === RESPONDING && reader.buffered > context.limits.maxHeadBytes) {
      this.pauseFor(PAUSED_BY_PIPELINE);
    }
  }

  onEnd(): void {
    this.hasEnded = true;
    const isHeld = !this.context.allowHalfOpen && ownPauses(this).end();
    if (this.pauses.by !== 0) return;
    // The program gets the data read so far before it learns of the end.
    if (isHeld && this.state === RECEIVING) this.pump();
    else this.finishInput();
  }

  onDrain(): void {
    const exchange = this.held?.exchange;
    this.resumeFrom(PAUSED_BY_WRITES);
    if (exchange === undefined || exchange.finished || !exchange.driver.isWritableWanted) return;
    this.intake.delivery.writable(exchange, this);
  }

  onClose(error: Error | undefined): void {
    if (error !== undefined) this.context.counters.countSystemError(error);
    if (this.state === UPGRADED) return;
    this.held?.abandon();
    this.enter(this.state.lost);
    this.context.onConnectionClosed(this);
  }

  // Ticking

  onTick(tick: number): void {
    this.deadline.act(tick, this);
  }

  // Pausable

  pauseFor(reason: number): void {
    if (this.state === LINGERING || this.state === CLOSED || this.state === UPGRADED) return;
    ownPauses(this).add(reason);
  }

  resumeFrom(reason: number): void {
    if (!this.pauses.remove(reason)) return;
    // The client could not send meanwhile: its time begins again.
    if (this.deadline.kind !== "answer") this.deadline.start(this.deadline.kind);
    this.transport.resume();
    this.pump();
  }

  // StreamOwner

  onResponseComplete(closes: boolean, isUndelimited: boolean): void {
    const { isPumping } = this;
    this.isPumping = true; // A hook can resume it. The next request must wait until this one is complete.
    this.intake.finishResponse();
    this.isPumping = isPumping;
    this.isLast = closes;
    if (closes && (isUndelimited || this.state !== RECEIVING || !this.intake.isRead)) this.linger();
    else {
      // While receiving, the rest of the content is read and dropped, so that the next request can be found.
      if (this.state !== RECEIVING) this.completeExchange();
      this.resumeFrom(PAUSED_BY_BODY | PAUSED_BY_PIPELINE);
      this.pump();
    }
  }

  onResponseError(code: ResponseErrorCode | undefined): void {
    const exchange = this.held?.exchange;
    this.drop(); // first: if `onError` answers, it must not fail again
    if (code === undefined) return;
    this.context.counters.countError(code);
    this.context.report(new PorticoError(code), exchange);
  }

  onBodyDemand(demand: BodyDemand): void {
    if (demand === "resumed") {
      // The program has let go of the content that kept the connection.
      if (this.isLast && !this.intake.isRead) this.linger();
      else this.resumeFrom(PAUSED_BY_BODY);
    } else if (demand === "paused") {
      if (this.state !== RECEIVING) return;
      this.pauseFor(PAUSED_BY_BODY);
      this.updateDeadline();
    } else this.deadline.start("body");
  }

  onAnswerTime(): void {
    if (this.deadline.stopAnswer()) this.updateDeadline();
  }

  upgrade(to: Upgrade): boolean {
    const { context, transport, intake } = this;
    const { exchange } = intake;
    if (exchange === undefined) return false;
    const socket = openWebSocket(context, transport, exchange, to, this.releaseSlot);
    if (socket === undefined) return false;
    const { connection } = socket.driver;
    const head = intake.takeUpgradeHead();
    this.enter(this.state.upgraded);
    this.pauses.clear();
    context.onConnectionReplaced(this);
    connection.attach();
    intake.completeUpgrade(exchange);
    connection.start(head, this.hasEnded);
    transport.uncork();
    if (!this.isPumping) leaveIntake(this);
    return true;
  }

  private pump(): void {
    if (this.isPumping) return;
    this.isPumping = true;
    const { intake } = this;
    while (this.pauses.by === 0 && (this.state === IDLE || this.state === RECEIVING)) {
      if (this.state === IDLE && isCongested(this.transport, this.context.limits)) {
        this.pauseFor(PAUSED_BY_WRITES);
        break;
      }
      const signal = intake.next();
      if (signal === NEED_BYTES) break;
      if (signal === TURN_IS_OVER) waitForTurn(this);
      else if (signal === REQUEST) {
        this.enter(this.state.headComplete);
        intake.begin();
      } else if (signal === BODY) {
        if (!intake.receiveBody()) this.linger();
      } else if (signal === END) this.endRequest();
      else if (signal === FAILED) this.fail();
    }
    this.isPumping = false;
    this.updateDeadline();
    if (this.hasEnded && this.pauses.by === 0) this.finishInput();
    if (this.state === LINGERING) endIntake(this);
    else if (this.state === IDLE || this.state === UPGRADED) leaveIntake(this);
  }

  private endRequest(): void {
    const { intake } = this;
    this.enter(this.state.requestComplete);
    intake.endRequest();
    if (intake.exchange?.finished === true && this.state === RESPONDING) this.completeExchange();
  }

  /** Both request and response are complete. */
  private completeExchange(): void {
    this.intake.complete();
    this.enter(this.state.exchangeComplete);
    this.deadline.start("none");
    if (this.isLast || this.context.isClosing) this.linger();
  }

  /** The request is invalid, or refused for its head alone. */
  private fail(): void {
    const { error, isHeadRefused } = this.intake.reader;
    if (isHeadRefused) {
      this.enter(this.state.headComplete);
      // Nothing more is read; the answer closes.
      this.enter(this.state.requestComplete);
      this.intake.begin();
    } else if (error !== null) this.refuse(error);
  }

  /** Answers with an error status what cannot be answered by the program, and closes. */
  refuse(reason: Refusal): void {
    if (this.intake.refuse(reason)) this.linger();
    else this.drop();
  }

  drop(): void {
    if (this.state === CLOSED) return;
    this.held?.abandon();
    this.enter(this.state.lost);
    this.transport.destroy();
  }

  /** Ends the stream, but reads on for a while: a client that still sends must not lose the response (RFC 9112 §9.6). */
  private linger(): void {
    if (this.state === LINGERING || this.state === CLOSED) return;
    this.held?.abandon();
    this.enter(this.state.ending);
    this.pauses.clear();
    this.deadline.start("close");
    this.transport.resume();
    this.transport.end();
    if (!this.isPumping) endIntake(this);
  }

  /**
   * The client has sent its last byte. One that closes and one that only ends its half look the same: a response that
   * is not complete counts as unwanted, unless the program wants it otherwise; one that is complete is sent to its end.
   */
  private finishInput(): void {
    if (this.state === UPGRADED || this.state === CLOSED) return;
    if (this.state === RESPONDING && this.context.allowHalfOpen) return;
    const isComplete = this.held?.exchange?.finished ?? true;
    if (!isComplete || this.transport.bufferedBytes === 0) this.drop();
    else this.linger();
  }

  private updateDeadline(): void {
    this.deadline.follow(this.state, this.intake, (this.pauses.by & PAUSED_BY_BODY) !== 0);
  }

  private enter(state: HttpState): void {
    if (httpLog !== undefined && state !== this.state)
      httpLog(this.transport, `= ${this.state.name} -> ${state.name}`);
    this.state = state;
  }
}
