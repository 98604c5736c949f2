import type { Upgrade } from "../exchange/exchange.ts";
import {
  type BodyDemand,
  type HttpStream,
  type Output,
  type ResponseErrorCode,
  type ResponseHead,
  UNKNOWN_LENGTH,
} from "../exchange/http-stream.ts";
import type { Counters } from "../limits/counters.ts";
import type { Limits } from "../limits/limits.ts";
import { dateLine } from "../protocol/http/date.ts";
import { sentFraming } from "../protocol/http1/body-framing.ts";
import type { RequestHead } from "../protocol/http1/request-head.ts";
import {
  contentLengthLine,
  headOf,
  keepAliveLines,
  lastContentLengthLine,
  statusLine,
} from "../protocol/http1/response-head.ts";
import { httpLog, quoted } from "../trace/debug-log.ts";
import { turn } from "../transport/flush-scheduler.ts";
import { writePayload } from "../transport/payload.ts";
import type { Transport } from "../transport/transport.ts";

/** Content is copied up to this size; from 64 KiB without the copy a third of the time is saved. */
const COPY_BYTES = 16_384;
const LAST_CHUNK = "0\r\n\r\n";

/** What is known of the request that is answered. */
export interface AnsweredRequest {
  readonly maxBodyBytes: number;
  /**
   * Whether the connection must be closed after this response, as far as can be said now.
   * @param isWhole whether the response is complete with its head
   */
  mustClose(isWhole: boolean): boolean;
  /** Whether the client waits for 100 (Continue), which counts as sent then. */
  takeContinue(): boolean;
}

/** The listener of the stream: its connection. */
export interface StreamOwner {
  /**
   * @param closes whether the connection ends after the exchange
   * @param isUndelimited whether the end of the connection is the end of the response, too
   */
  onResponseComplete(closes: boolean, isUndelimited: boolean): void;
  onResponseError(code: ResponseErrorCode | undefined): void;
  /** @param demand "wanted" when the client has just been asked to send it */
  onBodyDemand(demand: BodyDemand): void;
  /** Called when the program has changed the timeout of its answer. */
  onAnswerTime(): void;
  upgrade(to: Upgrade): boolean;
}

/** The responses of one HTTP/1.1 connection, one after the other (RFC 9112). */
export class Http1Stream implements HttpStream<Upgrade> {
  output: Output;
  private owner: StreamOwner;
  private readonly request: AnsweredRequest;
  private transport: Transport;
  private readonly limits: Limits;
  private readonly counters: Counters;
  private minorVersion = 1;
  private shouldNameKeepAlive = false;
  private isChunked = false;
  private closes = false;
  private isUndelimited = false;

  constructor(
    owner: StreamOwner,
    request: AnsweredRequest,
    transport: Transport,
    limits: Limits,
    counters: Counters,
  ) {
    this.owner = owner;
    this.request = request;
    this.transport = transport;
    this.output = transport;
    this.limits = limits;
    this.counters = counters;
  }

  /** Continues with the responses of another connection. */
  serve(owner: StreamOwner, transport: Transport): void {
    this.owner = owner;
    this.transport = transport;
    this.output = transport;
  }

  /** Called when a request has arrived. Output from now on answers it. */
  begin(head: RequestHead): void {
    this.minorVersion = head.minorVersion;
    this.shouldNameKeepAlive = head.hasKeepAliveOption;
    this.isChunked = false;
    this.closes = false;
  }

  get highWaterBytes(): number {
    return this.limits.writeHighWaterBytes;
  }

  get maxBackpressureBytes(): number {
    const { limits, counters } = this;
    const isScarce = counters.pendingBytes > limits.maxTotalBackpressureBytes;
    return isScarce ? limits.writeHighWaterBytes : limits.maxBackpressureBytes;
  }

  get maxBodyBytes(): number {
    return this.request.maxBodyBytes;
  }

  writeHead(head: ResponseHead, length: number, hasContent: boolean, whole?: string | Uint8Array): void {
    const { minorVersion } = this;
    const { statusCode } = head;
    const framing = sentFraming(hasContent, minorVersion, length);
    this.isChunked = framing === "chunked";
    this.isUndelimited = framing === "close";
    const isWhole = whole !== undefined || !hasContent;
    this.closes = head.closes || this.isUndelimited || this.request.mustClose(isWhole);
    // RFC 9110 §15.3.6: 205 has no content.
    const told = statusCode === 205 ? 0 : statusCode === 204 || this.isChunked ? UNKNOWN_LENGTH : length;
    const isUsual = !this.closes && !this.shouldNameKeepAlive && told >= 0;
    let text = headOf(
      statusLine(statusCode, head.reason),
      head.fieldLines,
      head.hasDate ? "" : dateLine(turn),
      isUsual ? lastContentLengthLine(told) : "",
    );
    if (!isUsual) {
      if (this.isChunked) text += "Transfer-Encoding: chunked\r\n";
      else if (told >= 0) text += contentLengthLine(told);
      if (this.closes) text += "Connection: close\r\n";
      else if (this.shouldNameKeepAlive) text += keepAliveLines(this.limits.keepAliveTimeoutMs);
      text += "\r\n";
    }
    if (httpLog !== undefined) httpLog(this.transport, `> ${quoted(text)}`);
    if (whole === undefined) {
      this.transport.writeText(text);
      return;
    }
    if (httpLog !== undefined && length > 0) httpLog(this.transport, `> ${length} bytes of body`);
    writePayload(this.transport, text, whole, length, "", COPY_BYTES);
  }

  writeBody(chunk: string | Uint8Array, length: number): void {
    if (httpLog !== undefined) httpLog(this.transport, `> ${length} bytes of body`);
    const before = this.isChunked ? `${length.toString(16)}\r\n` : "";
    writePayload(this.transport, before, chunk, length, this.isChunked ? "\r\n" : "", COPY_BYTES);
  }

  end(): void {
    if (this.isChunked) this.transport.writeText(LAST_CHUNK);
    this.owner.onResponseComplete(this.closes, this.isUndelimited);
  }

  readBody(demand: BodyDemand): void {
    if (demand === "wanted") {
      if (!this.request.takeContinue()) return;
      this.transport.writeText("HTTP/1.1 100 Continue\r\n\r\n");
    }
    this.owner.onBodyDemand(demand);
  }

  restartAnswer(): void {
    this.owner.onAnswerTime();
  }

  upgrade(to: Upgrade): boolean {
    return this.owner.upgrade(to);
  }

  abort(code?: ResponseErrorCode): void {
    this.owner.onResponseError(code);
  }

  /**
   * Writes a whole response without content that ends the connection, to what is not a request.
   */
  refuse(status: number): void {
    const text = `${statusLine(status)}${dateLine()}${contentLengthLine(0)}Connection: close\r\n\r\n`;
    if (httpLog !== undefined) httpLog(this.transport, `> ${quoted(text)}`);
    this.transport.writeText(text);
  }
}
