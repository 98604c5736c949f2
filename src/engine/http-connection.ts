import { fillsLentMemory, withLease } from "../bytes/lease.ts";
import type { HttpError } from "../http1/http-error.ts";
import { BODY, END, FAILED, NEED_BYTES, REQUEST, RequestReader } from "../http1/request-reader.ts";
import type { Transport, TransportSink } from "../transport/transport.ts";
import { type Connection, type Core, PAUSED_BY_BODY, PAUSED_BY_PIPELINE, PAUSED_BY_WRITES } from "./core.ts";
import { PorticoError } from "./errors.ts";
import { Exchange, type ExchangeHost } from "./exchange.ts";
import type { Outcome } from "./observers.ts";
import { refusal } from "./refusal.ts";
import { TURN_STEPS, waitForTurn } from "./turns.ts";
import { shakeHands } from "./upgrade.ts";
import { WebSocket } from "./web-socket.ts";
import type { UpgradeOptions, WebSocketHandlers } from "./web-socket-handlers.ts";
import { WriteWatch } from "./write-watch.ts";

/*
 *   state      event                              next
 *   idle       a head is complete                 content   (the exchange begins)
 *   content    the request is complete            response, or idle if the response is, too
 *   response   the response is complete           idle
 *   content,   the exchange becomes a WebSocket   upgraded
 *   response
 *   any        a response that closes, an error   lingering (the end of the stream is sent, what comes is dropped)
 *   any        the transport is gone              closed
 *
 * One exchange at a time: a pipelined request waits unread until the response before it is complete.
 */
type State = "idle" | "content" | "response" | "lingering" | "upgraded" | "closed";

/** What the deadline is for. */
type Awaited = "nothing" | "head" | "next request" | "content" | "peer's close";

const NOTHING = Buffer.alloc(0);
const BODY_PROGRESS_BYTES = 65_536;

/** HTTP/1.1 on one transport. */
export class HttpConnection implements Connection, TransportSink, ExchangeHost {
  readonly transport: Transport;
  release: (() => void) | undefined = undefined;
  private readonly core: Core;
  private readonly reader: RequestReader;
  private state: State = "idle";
  private exchange: Exchange | undefined;
  private awaited: Awaited = "head";
  private deadline: number;
  private pausedBy = 0;
  private pumping = false;
  private steps = 0;
  private requests = 0;
  private ended = false;
  private continueOwed = false;
  private lastSent = false;
  private discarded = 0;
  private bodyProgress = 0;
  private readonly writeWatch = new WriteWatch();

  constructor(core: Core, transport: Transport) {
    this.core = core;
    this.transport = transport;
    this.reader = new RequestReader(core.readerLimits);
    this.deadline = core.ticker.after(core.limits.headTimeoutMs);
    transport.sink = this;
  }

  // TransportSink

  onBytes(bytes: Buffer, start: number, end: number): void {
    const { core } = this;
    core.counters.bytesReceived += end - start;
    if (this.state === "lingering" || this.state === "closed") return;
    if (core.queue?.isFull) core.holdBack(this, end - start);
    this.steps += (end - start) >>> 10;
    this.reader.receive(bytes, start, end);
    this.pump();
    this.reader.release();
    if (this.state === "response" && this.reader.buffered > this.core.limits.maxHeadBytes) {
      this.pauseFor(PAUSED_BY_PIPELINE);
    }
  }

  onEnd(): void {
    this.ended = true;
    // What was received before the end is still to be looked at.
    if (this.pausedBy === 0) this.finishInput();
  }

  onDrain(): void {
    const { core, exchange } = this;
    this.resumeFrom(PAUSED_BY_WRITES);
    if (exchange === undefined || exchange.finished || !exchange.wantsWritable) return;
    if (core.queue === null) exchange.runWritable();
    else core.enqueue({ type: "writable", exchange }, this);
  }

  onClose(error: Error | undefined): void {
    if (error !== undefined && "code" in error) this.core.counters.countError(String(error.code));
    if (this.state === "upgraded") return;
    this.lose();
    this.state = "closed";
    this.core.removed(this);
  }

  // Connection

  get serves(): Exchange | undefined {
    return this.exchange?.finished === false ? this.exchange : undefined;
  }

  onTick(tick: number): void {
    const { core, transport } = this;
    if (this.writeWatch.isStalled(transport, core.ticker, core.limits.writeTimeoutMs)) {
      core.counters.countError("HTTP_WRITE_TIMEOUT");
      this.drop();
      return;
    }
    // Content that nobody takes after the response has its time, too.
    const isUnread = this.pausedBy === PAUSED_BY_BODY && this.exchange?.finished === true;
    if (this.awaited === "nothing" || (this.pausedBy !== 0 && !isUnread)) return;
    const peerReads = this.awaited === "next request" || this.awaited === "peer's close";
    // A peer that is still taking a response is not idle.
    if (peerReads && transport.pendingBytes > 0) this.expect(this.awaited);
    if (tick <= this.deadline) return;
    if (this.awaited === "content" || (this.awaited === "head" && this.reader.midway)) {
      core.counters.countError(this.awaited === "head" ? "HTTP_HEAD_TIMEOUT" : "HTTP_BODY_TIMEOUT");
      this.refuse(408);
    } else this.drop();
  }

  pauseFor(reason: number): void {
    if (this.state === "lingering" || this.state === "closed" || this.state === "upgraded") return;
    if (this.pausedBy === 0) this.transport.pause();
    this.pausedBy |= reason;
  }

  resumeFrom(reason: number): void {
    if ((this.pausedBy & reason) === 0) return;
    this.pausedBy &= ~reason;
    if (this.pausedBy !== 0) return;
    // The peer could not send meanwhile: its time begins anew.
    this.expect(this.awaited);
    this.transport.resume();
    this.pump();
  }

  shutDown(): void {
    if (this.state !== "idle") return;
    if (this.transport.bufferedBytes > 0) this.linger();
    else if (!this.reader.midway) this.drop();
  }

  cutOff(): void {
    if (this.exchange?.headSent === false) this.refuse(503);
    this.transport.flush();
    this.drop();
  }

  // ExchangeHost

  get writeHighWaterBytes(): number {
    // 0 would have a program that answers each `writable` write nothing again and again.
    return this.core.limits.writeHighWaterBytes || 1;
  }
  get maxBackpressureBytes(): number {
    const { limits, counters } = this.core;
    const scarce = counters.pendingBytes > limits.maxTotalBackpressureBytes;
    return scarce ? limits.writeHighWaterBytes : limits.maxBackpressureBytes;
  }
  get maxBodyBytes(): number {
    return this.reader.maxBodyBytes;
  }

  mustClose(): boolean {
    const { core, reader, exchange } = this;
    if (core.closing || exchange === undefined || !exchange.requestHead.keepAlive) return true;
    if (this.requests >= core.limits.maxRequestsPerConnection) return true;
    // RFC 9110 §10.1.1: who was not asked to continue may or may not send the content; only closing is safe.
    if (this.continueOwed) return true;
    return reader.remainingBytes > core.limits.maxDiscardBytes && !exchange.readsBody;
  }

  responded(closes: boolean): void {
    const { exchange } = this;
    exchange?.conclude();
    if (exchange !== undefined) this.tellEnd(exchange, "complete", exchange.statusCode);
    if (closes) {
      this.linger();
    } else if (this.state === "content") {
      // The rest of the content is read and dropped, so that the next request can be found.
      this.discarded = 0;
      this.resumeFrom(PAUSED_BY_BODY);
    } else {
      this.endExchange();
      this.resumeFrom(PAUSED_BY_BODY | PAUSED_BY_PIPELINE);
      this.pump();
    }
  }

  broke(code: "ERR_CONTENT_LENGTH" | "ERR_BACKPRESSURE"): void {
    const { exchange } = this;
    this.core.counters.countError(code);
    this.core.report(new PorticoError(code), exchange);
    this.drop();
  }

  wantBody(exchange: Exchange): void {
    if (exchange !== this.exchange || !this.continueOwed) return;
    this.continueOwed = false;
    if (exchange.headSent) return;
    this.transport.writeText("HTTP/1.1 100 Continue\r\n\r\n");
    this.expect("content");
  }

  pauseBody(exchange: Exchange): void {
    if (exchange === this.exchange && this.state === "content") this.pauseFor(PAUSED_BY_BODY);
  }

  resumeBody(exchange: Exchange): void {
    if (exchange === this.exchange) this.resumeFrom(PAUSED_BY_BODY);
  }

  holdsBody(change: number): boolean {
    const { counters, limits } = this.core;
    counters.incompleteBytes += change;
    return change < 0 || counters.incompleteBytes <= limits.maxTotalIncompleteBytes;
  }

  abort(exchange: Exchange): void {
    if (exchange === this.exchange) this.drop();
  }

  upgrade(exchange: Exchange, handlers: WebSocketHandlers<unknown>, options: UpgradeOptions): boolean {
    if (exchange !== this.exchange) return false;
    if (this.core.closing) {
      exchange.refuse(503);
      return false;
    }
    const head = exchange.requestHead;
    const hands = shakeHands(head, exchange, options, () => exchange.takeUpgradeFields());
    if (!hands.ok) {
      exchange.refuse(hands.status, hands.headers);
      return false;
    }
    const { core, transport } = this;
    const rest = this.reader.takeRest();
    this.state = "upgraded";
    this.pausedBy = 0;
    this.exchange = undefined;
    transport.cork();
    transport.writeText(hands.response);
    const socket = new WebSocket(core, transport, handlers, hands.agreement, options.data, exchange);
    socket.release = this.release;
    core.forget(this);
    socket.attach();
    this.tellEnd(exchange, "upgraded", 101);
    socket.start(rest, this.ended);
    transport.uncork();
    return true;
  }

  register(id: string, exchange: Exchange): void {
    this.core.found.set(id, exchange);
  }

  unregister(id: string): void {
    this.core.found.delete(id);
  }

  handle(exchange: Exchange): void {
    this.core.handle(exchange);
  }

  fault(error: unknown, exchange: Exchange): void {
    this.core.fault(error, exchange);
  }

  /** Answers with an error status what cannot be answered by the program, and closes. */
  private refuse(status: number): void {
    const { exchange, transport } = this;
    if (exchange === undefined || !exchange.headSent)
      transport.writeText(refusal(status, exchange?.keptLines));
    else if (!exchange.finished) {
      this.drop();
      return;
    }
    this.lose(status);
    this.linger();
  }

  private pump(): void {
    if (this.pumping) return;
    this.pumping = true;
    while (this.pausedBy === 0 && (this.state === "idle" || this.state === "content")) {
      if (this.state === "idle" && this.mustWaitForWrites()) break;
      if (this.steps >= TURN_STEPS) {
        this.steps = 0;
        waitForTurn(this);
        continue;
      }
      const signal = this.reader.next();
      if (signal === NEED_BYTES) break;
      this.steps++;
      if (signal === REQUEST) this.begin();
      else if (signal === BODY) this.takeBody();
      else if (signal === END) this.endRequest();
      else if (signal === FAILED) this.fail(this.reader.error);
    }
    this.pumping = false;
    this.setDeadline();
    if (this.ended && this.pausedBy === 0) this.finishInput();
  }

  /** A peer that sends requests but does not read the responses gets no further. */
  private mustWaitForWrites(): boolean {
    const { transport, core } = this;
    const { writeHighWaterBytes } = core.limits;
    if (transport.bufferedBytes <= writeHighWaterBytes) return false;
    transport.flush();
    if (transport.pendingBytes <= writeHighWaterBytes) return false;
    this.pauseFor(PAUSED_BY_WRITES);
    return true;
  }

  /**
   * The peer has sent its last byte. One that closes and one that only ends its half look the same: a response that
   * is not complete counts as unwanted, one that is complete is sent to its end.
   */
  private finishInput(): void {
    if (this.state === "upgraded" || this.state === "closed") return;
    const complete = this.exchange?.finished ?? true;
    if (!complete || this.transport.bufferedBytes === 0) this.drop();
    else this.linger();
  }

  private begin(): void {
    const { core } = this;
    const head = this.reader.head;
    if (head === undefined) return;
    this.state = "content";
    this.requests++;
    this.lastSent = false;
    this.continueOwed = head.expectContinue && (head.chunked || head.contentLength > 0);
    this.bodyProgress = 0;
    core.counters.requests++;
    const exchange = new Exchange(this, head);
    this.exchange = exchange;
    if (core.observers.watchesExchanges && !this.tellBegin(exchange)) return;
    if (core.closing && core.queue !== null) {
      // Who polls has stopped to do so, or has been told of the last event.
      exchange.refuse(503);
      return;
    }
    const limit = core.route(exchange);
    if (limit === undefined || this.checkBodyLimit(exchange, limit)) return;
    if (core.queue === null) core.handle(exchange);
    else core.enqueue({ type: "request", exchange }, this);
  }

  private takeBody(): void {
    const { core, exchange, reader } = this;
    const length = reader.bodyEnd - reader.bodyStart;
    this.continueOwed = false;
    this.bodyProgress += length;
    if (this.bodyProgress >= BODY_PROGRESS_BYTES) {
      this.bodyProgress = 0;
      this.expect("content");
    }
    if (exchange === undefined) return;
    if (exchange.finished && !exchange.readsBody) {
      this.discarded += length;
      if (this.discarded > core.limits.maxDiscardBytes) this.linger();
      return;
    }
    this.lastSent = reader.complete;
    this.tellBody(exchange, reader.bytes.subarray(reader.bodyStart, reader.bodyEnd), this.lastSent);
  }

  private endRequest(): void {
    const { exchange } = this;
    if (exchange === undefined) return;
    const tells = exchange.hasBody && !this.lastSent;
    this.state = "response";
    exchange.trailerFields = this.reader.trailers;
    if (tells && !(exchange.finished && !exchange.readsBody)) this.tellBody(exchange, NOTHING, true);
    if (exchange.finished && this.state === "response") this.endExchange();
  }

  private tellBody(exchange: Exchange, data: Buffer, last: boolean): void {
    const { core } = this;
    if (core.queue === null) {
      if (fillsLentMemory) withLease(data, "overwrite", () => exchange.runBody(data, last));
      else exchange.runBody(data, last);
    } else core.enqueue({ type: "body", exchange, data: Buffer.from(data), last }, this);
  }

  /** Both request and response are complete. */
  private endExchange(): void {
    this.exchange?.releaseContent();
    this.exchange = undefined;
    this.state = "idle";
    this.awaited = "nothing";
    if (this.core.closing) this.linger();
  }

  private fail(error: HttpError | null): void {
    if (error === null) return;
    this.core.counters.countError(error.code);
    this.refuse(error.status);
  }

  /** A route's own limit. @returns whether the request was refused */
  private checkBodyLimit(exchange: Exchange, limit: number): boolean {
    this.reader.maxBodyBytes = limit;
    if (exchange.requestHead.contentLength <= limit) return false;
    this.exchange = undefined;
    exchange.lose();
    this.tellEnd(exchange, "aborted", 413);
    this.core.counters.countError("HTTP_BODY_TOO_LARGE");
    this.transport.writeText(refusal(413, exchange.keptLines));
    this.linger();
    return true;
  }

  /** Those who look on learn of a request. @returns whether it still needs an answer */
  private tellBegin(exchange: Exchange): boolean {
    const { core } = this;
    const failed = (error: unknown): void => core.fault(error, exchange);
    try {
      core.observers.begun(exchange, failed);
      exchange.keepFields();
    } catch (error) {
      exchange.keepFields();
      failed(error);
    }
    return !exchange.headSent;
  }

  private tellEnd(exchange: Exchange, outcome: Outcome, status: number): void {
    // Nobody looked on when it began.
    if (exchange.startedAt === 0) return;
    const { core } = this;
    core.observers.ended(exchange, outcome, status, (error) => core.report(error, exchange));
  }

  /**
   * The exchange can get no further: the program is told once.
   * @param status what it was refused with
   */
  private lose(status = 0): void {
    const { exchange, core } = this;
    this.exchange = undefined;
    if (exchange === undefined) return;
    const sent = exchange.headSent ? exchange.statusCode : status;
    if (!exchange.lose()) return;
    this.tellEnd(exchange, "aborted", sent);
    if (core.queue === null) exchange.runAbort();
    else core.enqueue({ type: "abort", exchange }, this);
  }

  /** Destroys the connection. */
  private drop(): void {
    if (this.state === "closed") return;
    this.lose();
    this.state = "closed";
    this.transport.destroy();
  }

  /**
   * Ends the stream, but reads on for a while: a peer that is still sending would otherwise be reset and might
   * lose the response (RFC 9112 §9.6).
   */
  private linger(): void {
    if (this.state === "lingering" || this.state === "closed") return;
    this.lose();
    this.state = "lingering";
    this.pausedBy = 0;
    this.expect("peer's close");
    this.transport.resume();
    this.transport.end();
  }

  private setDeadline(): void {
    const { awaited, state } = this;
    if (state === "idle") {
      if (!this.reader.midway) {
        if (this.requests > 0) this.expect("next request");
      } else if (awaited !== "head") this.expect("head");
    } else if (state === "content") {
      // Who waits for 100 (Continue) is not late.
      const next = this.continueOwed ? "nothing" : "content";
      if (awaited !== next) this.expect(next);
    } else if (state === "response") this.awaited = "nothing";
  }

  /** Begins to wait for something, with the time that it may take. */
  private expect(awaited: Awaited): void {
    const { limits, ticker } = this.core;
    this.awaited = awaited;
    if (awaited === "next request") this.deadline = ticker.after(limits.keepAliveTimeoutMs);
    else if (awaited === "head") this.deadline = ticker.after(limits.headTimeoutMs);
    else if (awaited === "content") this.deadline = ticker.after(limits.bodyTimeoutMs);
    else if (awaited === "peer's close") this.deadline = ticker.after(limits.closeTimeoutMs || 1);
  }
}
