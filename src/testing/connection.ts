import { type ChunkReader, readerOf } from "../exchange/chunk-source.ts";
import type { Fields } from "../protocol/http/fields.ts";
import type { ResponseHeadReader } from "../protocol/http1/response-head-reader.ts";
import { ResponseReader } from "../protocol/http1/response-reader.ts";
import type { MemoryTransport } from "../transport/memory-transport.ts";
import type { TransportSink } from "../transport/transport.ts";
import { ContentStream } from "./content-stream.ts";
import { TestClientError } from "./errors.ts";
import type { PreparedRequest } from "./request.ts";
import { TestResponse } from "./response.ts";

/** Content of a request that waits to be taken makes its source wait from here on. */
const HIGH_WATER_BYTES = 65_536;
const LAST_CHUNK = "0\r\n";
const CRLF = "\r\n";

/** What is sent: a request, or the handshake of a WebSocket. */
interface Question {
  readonly method: string;
  readonly head: string;
  readonly request: PreparedRequest | undefined;
  /** Takes the transport over when the server has answered 101. */
  readonly upgrade: ((head: ResponseHeadReader) => void) | undefined;
}

/*
 *   state   event                                              next
 *   idle    ask()                                              busy
 *   busy    request and response are complete                  idle, or closed where either side said so
 *   busy    the response is complete, the request is not       closed (RFC 9112 §9.5: stop sending)
 *   busy    the response is 101                                upgraded
 *   any     the transport is gone, or fail()                   closed
 */
type State = "idle" | "busy" | "upgraded" | "closed";

/** One connection of a test client: one request at a time, kept alive between them (RFC 9112 §9.3). */
export class ClientConnection implements TransportSink {
  private readonly near: MemoryTransport;
  private readonly far: MemoryTransport;
  /** Called once when the exchange in progress has ended for any reason. */
  onFree: () => void = () => {};
  private state: State = "idle";
  private response: ResponseReader | undefined;
  private content: ContentStream | undefined;
  private source: ChunkReader | undefined;
  private sent = false;
  private settleHead: { resolve(response: TestResponse): void; reject(reason: unknown): void } | undefined;
  private settleTrailers: { resolve(trailers: Headers): void; reject(reason: unknown): void } | undefined;
  private askedToContinue: (() => void) | undefined;
  private drained: (() => void) | undefined;

  /** @param pair the client's end, and the one that the server has accepted */
  constructor([near, far]: readonly [MemoryTransport, MemoryTransport]) {
    this.near = near;
    this.far = far;
    near.sink = this;
  }

  /** Whether it can take a request: the server's end is looked at, so nothing is sent to one that has closed. */
  get isIdle(): boolean {
    return this.state === "idle" && !this.near.closed && !this.far.closed;
  }

  get isOpen(): boolean {
    return !this.near.closed;
  }

  /** Sends a request. @param head the head of the request @returns its response, once the head has arrived */
  ask(head: string, request: PreparedRequest): Promise<TestResponse> {
    return this.put({ method: request.method, head, request, upgrade: undefined });
  }

  /**
   * Sends the handshake of a WebSocket.
   * @param upgrade takes the transport over when the answer is 101; what it throws is thrown here
   * @returns the answer when it is another one; it is pending forever otherwise
   */
  askToUpgrade(
    head: string,
    upgrade: (head: ResponseHeadReader, transport: MemoryTransport) => void,
  ): Promise<TestResponse> {
    const take = (answer: ResponseHeadReader): void => upgrade(answer, this.near);
    return this.put({ method: "GET", head, request: undefined, upgrade: take });
  }

  /** Drops the connection and rejects waiting calls with an error. */
  fail(reason: unknown): void {
    this.near.destroy();
    if (this.state === "closed") return;
    this.state = "closed";
    this.settleHead?.reject(reason);
    this.settleTrailers?.reject(reason);
    this.content?.fail(reason);
    this.source?.cancel();
    this.askedToContinue?.();
    this.drained?.();
    this.onFree();
  }

  // TransportSink

  onBytes(bytes: Buffer, start: number, end: number): void {
    if (this.state === "idle") this.fail(undefined);
    if (this.state !== "busy") return;
    const received = bytes.subarray(start, end);
    try {
      const taken = this.response?.receive(received) ?? received.length;
      // Bytes after its end.
      if (taken < received.length) this.fail(undefined);
    } catch (error) {
      this.fail(badResponse(error));
    }
  }

  onEnd(): void {
    if (this.state === "idle" || this.response?.end() === true) this.end();
    else this.fail(this.lost());
  }

  onDrain(): void {
    this.drained?.();
  }

  onClose(): void {
    this.fail(this.lost());
  }

  private put(question: Question): Promise<TestResponse> {
    const { method, head, request, upgrade } = question;
    this.state = "busy";
    this.sent = request?.content === undefined && request?.chunked !== true;
    const answer = new Promise<TestResponse>((resolve, reject) => {
      this.settleHead = { resolve, reject };
    });
    this.response = new ResponseReader(method, {
      onInterim: (status) => {
        if (status === 100) this.askedToContinue?.();
      },
      onHead: (answered, hasContent) => this.begin(answered, hasContent),
      onBody: (bytes, start, end) => {
        if (this.content?.push(bytes.subarray(start, end)) === false) this.near.pause();
      },
      onComplete: (trailers, isKeptAlive) => this.complete(trailers, isKeptAlive),
      ...(upgrade === undefined ? {} : { onUpgrade: (answered) => this.handOver(answered, upgrade) }),
    });
    this.near.writeText(head);
    if (request !== undefined && !this.sent) {
      this.sendContent(request).catch((error: unknown) => this.fail(error));
    }
    return answer;
  }

  private begin(head: ResponseHeadReader, hasContent: boolean): void {
    const { status, reason, fields } = head;
    if (hasContent) {
      this.content = new ContentStream(
        () => this.near.resume(),
        () => this.fail(new TestClientError("ERR_CUT_OFF", "its reader cancelled it")),
      );
    }
    const trailers = new Promise<Headers>((resolve, reject) => {
      this.settleTrailers = { resolve, reject };
    });
    // Code that does not ask for them does not have to check for them.
    trailers.catch(() => {});
    const init = { status, statusText: reason, headers: headersOf(fields) };
    this.settleHead?.resolve(new TestResponse(this.content?.readable ?? null, init, trailers));
    this.settleHead = undefined;
  }

  private handOver(head: ResponseHeadReader, upgrade: (head: ResponseHeadReader) => void): void {
    this.state = "upgraded";
    try {
      upgrade(head);
    } catch (error) {
      this.fail(error);
    }
  }

  private complete(trailers: Fields, isKeptAlive: boolean): void {
    if (this.state !== "busy") return;
    this.settleTrailers?.resolve(headersOf(trailers));
    this.content?.end();
    this.settleTrailers = this.content = undefined;
    // The last read can have paused it.
    this.near.resume();
    if (this.sent && isKeptAlive) this.state = "idle";
    else if (this.sent) this.end();
    else this.fail(undefined);
    this.onFree();
  }

  /** Both sides have said all: the end of the stream is answered with ours. */
  private end(): void {
    this.state = "closed";
    this.near.end();
  }

  private async sendContent({ content, chunked, trailers, expectsContinue }: PreparedRequest): Promise<void> {
    const { near } = this;
    if (expectsContinue) {
      await new Promise<void>((resolve) => {
        this.askedToContinue = resolve;
      });
    }
    if (this.state !== "busy") return;
    if (content instanceof Uint8Array) this.sendPiece(content, chunked);
    else if (content !== undefined) {
      const source = readerOf(content);
      this.source = source;
      for (let piece = await source.next(); piece !== undefined; piece = await source.next()) {
        if (this.state !== "busy") return;
        this.sendPiece(Buffer.from(piece), chunked);
        if (near.bufferedBytes > HIGH_WATER_BYTES) await this.untilDrained();
      }
      this.source = undefined;
    }
    if (this.state !== "busy") return;
    if (chunked) near.writeText(LAST_CHUNK + trailers + CRLF);
    this.sent = true;
  }

  private sendPiece(piece: Uint8Array, chunked: boolean): void {
    // RFC 9112 §7.1: a chunk of size 0 would be the last.
    if (piece.length === 0) return;
    if (chunked) this.near.writeText(`${piece.length.toString(16)}${CRLF}`);
    this.near.writeCopy(piece);
    if (chunked) this.near.writeText(CRLF);
  }

  private untilDrained(): Promise<void> {
    return new Promise((resolve) => {
      this.drained = resolve;
    });
  }

  private lost(): TestClientError {
    return new TestClientError(this.settleHead === undefined ? "ERR_CUT_OFF" : "ERR_NO_RESPONSE");
  }
}

function badResponse(cause: unknown): TestClientError {
  const what = cause instanceof Error ? cause.message : String(cause);
  return new TestClientError("ERR_BAD_RESPONSE", what, { cause });
}

function headersOf(fields: Fields): Headers {
  return new Headers(fields.entries());
}
