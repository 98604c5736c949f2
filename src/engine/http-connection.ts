import { HttpError } from "../http1/http-error.ts";
import { BODY, END, FAILED, NEED_BYTES, REQUEST, RequestReader } from "../http1/request-reader.ts";
import type { Transport, TransportSink } from "../transport/transport.ts";
import { type Connection, type Core, PAUSED_BY_BODY, PAUSED_BY_PIPELINE, PAUSED_BY_QUEUE } from "./core.ts";
import { PorticoError } from "./errors.ts";
import { Exchange, type ExchangeHost } from "./exchange.ts";
import { refusal } from "./refusal.ts";
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
  countedAddress: string | undefined = undefined;
  private readonly core: Core;
  private readonly reader: RequestReader;
  private state: State = "idle";
  private exchange: Exchange | undefined;
  private awaited: Awaited = "head";
  private deadline: number;
  private pausedBy = 0;
  private pumping = false;
  private requests = 0;
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
    if (core.queue?.isFull) this.pauseFor(PAUSED_BY_QUEUE);
  }

  // TransportSink

  onBytes(bytes: Buffer, start: number, end: number): void {
    this.core.counters.bytesReceived += end - start;
    if (this.state === "lingering") {
      this.discarded += end - start;
      if (this.discarded > this.core.limits.maxDiscardBytes) this.transport.destroy();
      return;
    }
    this.reader.receive(bytes, start, end);
    this.pump();
    this.reader.release();
    if (this.state === "response" && this.reader.buffered > this.core.limits.maxHeadBytes) {
      this.pauseFor(PAUSED_BY_PIPELINE);
    }
  }

  onEnd(): void {
    // A peer that closes and one that only ends its half look the same: a response that is not complete counts as
    // unwanted, one that is complete is sent to its end.
    if (this.transport.bufferedBytes > 0 && this.exchange === undefined) this.linger();
    else this.transport.destroy();
  }

  onDrain(): void {
    const { exchange } = this;
    if (exchange === undefined || exchange.finished || !exchange.wantsWritable) return;
    if (this.core.queue === null) exchange.runWritable();
    else this.core.queue.push({ type: "writable", exchange });
  }

  onClose(error: Error | undefined): void {
    if (error !== undefined && "code" in error) this.core.counters.countError(String(error.code));
    if (this.state === "upgraded") return;
    this.state = "closed";
    this.lose();
    this.core.removed(this);
  }

  // Connection

  onTick(tick: number): void {
    const { core, transport } = this;
    if (this.writeWatch.isStalled(transport, core, tick)) {
      core.counters.countError("HTTP_WRITE_TIMEOUT");
      transport.destroy();
    }
    if (this.awaited === "nothing" || tick <= this.deadline || this.pausedBy !== 0) return;
    if (this.awaited === "content" || (this.awaited === "head" && this.reader.midway)) {
      core.counters.countError(this.awaited === "head" ? "HTTP_HEAD_TIMEOUT" : "HTTP_BODY_TIMEOUT");
      this.refuse(408);
    } else transport.destroy();
  }

  pauseFor(reason: number): void {
    if (this.pausedBy === 0) this.transport.pause();
    this.pausedBy |= reason;
  }

  resumeFrom(reason: number): void {
    if ((this.pausedBy & reason) === 0) return;
    this.pausedBy &= ~reason;
    if (this.pausedBy !== 0) return;
    this.transport.resume();
    this.pump();
  }

  shutDown(): void {
    if (this.state !== "idle") return;
    if (this.transport.pendingBytes > 0) this.linger();
    else if (!this.reader.midway) this.transport.destroy();
  }

  cutOff(): void {
    if (this.exchange !== undefined && !this.exchange.headSent) this.refuse(503);
    this.transport.flush();
    this.transport.destroy();
  }

  // ExchangeHost

  get writeHighWaterBytes(): number {
    return this.core.limits.writeHighWaterBytes;
  }
  get maxBackpressureBytes(): number {
    const { limits, counters } = this.core;
    return counters.pendingBytes > limits.maxTotalBackpressureBytes ? 0 : limits.maxBackpressureBytes;
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
    exchange?.settle();
    if (closes) {
      this.linger();
    } else if (this.state === "content") {
      // The rest of the content is read and dropped, so that the next request can be found.
      this.discarded = 0;
      this.resumeFrom(PAUSED_BY_BODY);
    } else {
      this.endExchange();
      if (!this.pumping) {
        this.resumeFrom(PAUSED_BY_PIPELINE);
        this.pump();
      }
    }
  }

  broke(code: "ERR_CONTENT_LENGTH" | "ERR_BACKPRESSURE"): void {
    const { exchange } = this;
    this.core.counters.countError(code);
    this.core.report(new PorticoError(code), exchange);
    this.transport.destroy();
  }

  wantBody(): void {
    if (!this.continueOwed) return;
    this.continueOwed = false;
    if (this.exchange?.headSent === false) this.transport.writeText("HTTP/1.1 100 Continue\r\n\r\n");
  }

  pauseBody(): void {
    this.pauseFor(PAUSED_BY_BODY);
  }

  resumeBody(): void {
    this.resumeFrom(PAUSED_BY_BODY);
  }

  abort(): void {
    this.transport.destroy();
  }

  upgrade(exchange: Exchange, handlers: WebSocketHandlers<unknown>, options: UpgradeOptions): boolean {
    if (exchange !== this.exchange) return false;
    const head = exchange.requestHead;
    const hands = shakeHands(head, exchange, options, () => exchange.takeUpgradeFields());
    if (!hands.ok) {
      exchange.refuse(hands.status, hands.headers);
      return false;
    }
    const { core, transport } = this;
    const rest = this.reader.takeRest();
    this.state = "upgraded";
    this.exchange = undefined;
    core.connections.delete(this);
    transport.cork();
    transport.writeText(hands.response);
    const socket = new WebSocket(core, transport, handlers, hands.agreement, options.data, exchange);
    socket.countedAddress = this.countedAddress;
    socket.start(rest);
    transport.uncork();
    return true;
  }

  register(id: string, exchange: Exchange): void {
    this.core.found.set(id, exchange);
  }

  unregister(id: string): void {
    this.core.found.delete(id);
  }

  report(error: unknown, exchange: Exchange): void {
    this.core.report(error, exchange);
  }

  /** Answers with an error status what cannot be answered by the program, and closes. */
  private refuse(status: number): void {
    const { exchange, transport } = this;
    if (exchange === undefined || !exchange.headSent) transport.writeText(refusal(status));
    else if (!exchange.finished) {
      transport.destroy();
      return;
    }
    this.lose();
    this.linger();
  }

  private pump(): void {
    if (this.pumping) return;
    this.pumping = true;
    while (this.pausedBy === 0 && (this.state === "idle" || this.state === "content")) {
      const signal = this.reader.next();
      if (signal === NEED_BYTES) break;
      if (signal === REQUEST) this.begin();
      else if (signal === BODY) this.takeBody();
      else if (signal === END) this.endRequest();
      else if (signal === FAILED) this.fail(this.reader.error);
    }
    this.pumping = false;
    this.setDeadline();
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
    const limit = core.route(exchange);
    if (limit === undefined || this.checkBodyLimit(exchange, limit)) return;
    if (core.queue === null) core.handle(exchange);
    else core.queue.push({ type: "request", exchange });
  }

  private takeBody(): void {
    const { core, exchange, reader } = this;
    const length = reader.bodyEnd - reader.bodyStart;
    this.continueOwed = false;
    this.bodyProgress += length;
    if (this.bodyProgress >= BODY_PROGRESS_BYTES) {
      this.bodyProgress = 0;
      this.awaited = "nothing";
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
    const { queue } = this.core;
    if (queue === null) exchange.runBody(data, last);
    else queue.push({ type: "body", exchange, data: Buffer.from(data), last });
  }

  /** Both request and response are complete. */
  private endExchange(): void {
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
    this.fail(new HttpError("HTTP_BODY_TOO_LARGE", `more than ${limit} bytes of content`));
    return true;
  }

  /** The exchange can get no further: the program is told once. */
  private lose(): void {
    const { exchange } = this;
    this.exchange = undefined;
    if (exchange === undefined || exchange.finished) return;
    exchange.lose();
    if (this.core.queue === null) exchange.runAbort();
    else this.core.queue.push({ type: "abort", exchange });
  }

  /**
   * Ends the stream, but reads on for a while: a peer that is still sending would otherwise be reset and might
   * lose the response (RFC 9112 §9.6).
   */
  private linger(): void {
    if (this.state === "lingering" || this.state === "closed") return;
    this.exchange = undefined;
    this.state = "lingering";
    this.discarded = 0;
    this.awaited = "peer's close";
    this.deadline = this.core.ticker.after(this.core.limits.closeTimeoutMs);
    this.pausedBy = 0;
    this.transport.resume();
    this.transport.end();
  }

  private setDeadline(): void {
    const { core, state } = this;
    const { limits, ticker } = core;
    if (state === "idle") {
      if (!this.reader.midway) {
        if (this.requests === 0) return;
        this.awaited = "next request";
        this.deadline = ticker.after(limits.keepAliveTimeoutMs);
      } else if (this.awaited !== "head") {
        this.awaited = "head";
        this.deadline = ticker.after(limits.headTimeoutMs);
      }
    } else if (state === "content") {
      if (this.awaited === "content" && this.pausedBy === 0) return;
      this.awaited = "content";
      this.deadline = ticker.after(limits.bodyTimeoutMs);
    } else if (state === "response") this.awaited = "nothing";
  }
}
