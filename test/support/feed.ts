import assert from "node:assert/strict";
import type { Fields } from "../../src/protocol/http/fields.ts";
import { HttpError } from "../../src/protocol/http/http-error.ts";
import type { HttpLimits } from "../../src/protocol/http1/http-limits.ts";
import { defaultHttpLimits } from "../../src/protocol/http1/http-limits.ts";
import type { RequestHead } from "../../src/protocol/http1/request-head.ts";
import {
  BODY,
  END,
  FAILED,
  NEED_BYTES,
  REQUEST,
  RequestReader,
} from "../../src/protocol/http1/request-reader.ts";

import { Random } from "./random.ts";

export interface HeadView {
  method: string;
  target: string;
  form: string;
  path: string;
  query: string;
  minorVersion: number;
  host: string | undefined;
  contentLength: number;
  chunked: boolean;
  keepAlive: boolean;
  expectContinue: boolean;
  upgrade: boolean;
  fields: [string, string][];
}

export type FeedEvent =
  | { type: "request"; head: HeadView }
  | { type: "body"; data: string }
  | { type: "end"; trailers: [string, string][] | null }
  | { type: "failed"; status: number; code: string };

export function limitsWith(changes: Partial<HttpLimits> = {}): HttpLimits {
  return { ...defaultHttpLimits, ...changes };
}

function entriesOf(fields: Fields): [string, string][] {
  return fields.entries().map(([name, value]): [string, string] => [name, value]);
}

function viewOf(head: RequestHead): HeadView {
  return {
    method: head.method,
    target: head.target,
    form: head.form,
    path: head.path,
    query: head.query,
    minorVersion: head.minorVersion,
    host: head.host,
    contentLength: head.contentLength,
    chunked: head.chunked,
    keepAlive: head.keepAlive,
    expectContinue: head.expectContinue,
    upgrade: head.upgrade,
    fields: entriesOf(head.fields),
  };
}

/**
 * Drives one reader. It checks on the way what must hold for every input: the order of the signals, the pieces' bounds,
 * the declared length, a bounded number of calls, bounded memory, and a final failure.
 */
export abstract class ReaderDriver {
  readonly reader: RequestReader;
  failure: HttpError | null = null;
  inMessage = false;
  /** Bytes given since the reader last told anything but NEED_BYTES or FAILED. */
  private silentBytes = 0;
  private bodyBytes = 0;
  private callsLeft = 16;
  private readonly limits: HttpLimits;

  constructor(limits: HttpLimits) {
    this.limits = limits;
    this.reader = new RequestReader(limits);
  }

  protected abstract onRequest(head: RequestHead): void;
  protected abstract onBody(data: string): void;
  protected abstract onEnd(head: RequestHead, trailers: Fields | null): void;
  protected abstract onFailure(error: HttpError): void;

  receive(bytes: Buffer, start: number, end: number): void {
    this.callsLeft += 8 + 4 * (end - start);
    this.silentBytes += end - start;
    this.reader.receive(bytes, start, end);
  }

  /** Takes one signal; false when there is nothing more to be told for now. */
  step(): boolean {
    assert(this.callsLeft-- > 0, "too many signals for this many bytes");
    const { reader } = this;
    const signal = reader.next();
    if (this.failure !== null) {
      assert(signal === FAILED && reader.error === this.failure, "something else was told after FAILED");
      return false;
    }
    switch (signal) {
      case NEED_BYTES:
        assert(reader.next() === NEED_BYTES, "NEED_BYTES before everything was told");
        assert(reader.buffered === 0, "NEED_BYTES while bytes are left");
        return false;
      case REQUEST:
        assert(!this.inMessage && reader.head !== undefined, "REQUEST inside a request");
        this.inMessage = true;
        this.bodyBytes = 0;
        this.onRequest(reader.head);
        break;
      case BODY:
        this.takeBody();
        break;
      case END:
        this.takeEnd();
        break;
      case FAILED:
        this.takeFailure();
        return false;
      default:
        assert.fail(`unknown signal ${String(signal)}`);
    }
    assert(!this.inMessage || reader.inProgress, "a request that has begun is under way");
    this.silentBytes = 0;
    return true;
  }

  drain(): void {
    while (this.step());
  }

  /** The lent bytes go back; what the reader still holds must be part of one head or trailer section. */
  release(longestPiece = 128): void {
    const { reader, limits } = this;
    reader.release();
    if (this.failure !== null) return;
    const section = Math.max(limits.maxHeadBytes, limits.maxTrailerBytes);
    assert(reader.bytes.length <= section + 2, "more is held than a head may have");
    // Without a signal there can be an empty line and a head, or chunk sizes, extensions and trailers.
    const silence = Math.max(limits.maxHeadBytes, limits.maxTrailerBytes + limits.maxChunkExtensionBytes);
    assert(this.silentBytes <= silence + 64 + longestPiece, "nothing was told for too many bytes");
  }

  private takeBody(): void {
    const { bytes, bodyStart, bodyEnd } = this.reader;
    assert(this.inMessage, "BODY outside a request");
    assert(bodyStart >= 0 && bodyStart < bodyEnd && bodyEnd <= bytes.length, "BODY out of bounds");
    this.bodyBytes += bodyEnd - bodyStart;
    assert(this.bodyBytes <= this.limits.maxBodyBytes, "more content than the limit");
    this.onBody(bytes.toString("latin1", bodyStart, bodyEnd));
  }

  private takeEnd(): void {
    const { head, trailers } = this.reader;
    assert(this.inMessage && head !== undefined, "END outside a request");
    if (!head.chunked) {
      assert.equal(this.bodyBytes, Math.max(head.contentLength, 0), "content and Content-Length differ");
      assert.equal(trailers, null, "trailers without chunks");
    }
    this.inMessage = false;
    this.onEnd(head, trailers);
  }

  private takeFailure(): void {
    const { reader } = this;
    const { error } = reader;
    assert(error instanceof HttpError && error.status >= 400 && error.status <= 599, "no HTTP error");
    assert(error.code.length > 0, "an error without a code");
    this.failure = error;
    this.onFailure(error);
    assert(reader.next() === FAILED && reader.error === error, "FAILED must stay");
  }
}

/** Lists what the reader tells. */
export class Feeder extends ReaderDriver {
  readonly events: FeedEvent[] = [];
  private announced: HeadView | null = null;

  get failed(): boolean {
    return this.failure !== null;
  }

  protected onRequest(head: RequestHead): void {
    this.announced = viewOf(head);
    this.events.push({ type: "request", head: this.announced });
  }

  protected onBody(data: string): void {
    const last = this.events.at(-1);
    if (last?.type === "body") last.data += data;
    else this.events.push({ type: "body", data });
  }

  protected onEnd(head: RequestHead, trailers: Fields | null): void {
    assert.deepEqual(viewOf(head), this.announced, "the head changed before the END of its message");
    this.events.push({ type: "end", trailers: trailers === null ? null : entriesOf(trailers) });
  }

  protected onFailure({ status, code }: HttpError): void {
    this.events.push({ type: "failed", status, code });
  }
}

const before = Buffer.from("\r\n\0 GET ");
const after = Buffer.from("\r\n\r\n\0POST / HTTP/1.1\r\n\r\n");

/** Everything at once, in the middle of a larger buffer. */
export function feedWhole(input: Buffer, limits: HttpLimits): FeedEvent[] {
  const feeder = new Feeder(limits);
  const lent = Buffer.concat([before, input, after]);
  feeder.receive(lent, before.length, before.length + input.length);
  feeder.drain();
  feeder.reader.release();
  lent.fill(0);
  assert.equal(feeder.step(), false, "something was told after NEED_BYTES");
  return feeder.events;
}

/** Everything at once, but the lent bytes are asked back when only one signal was taken. */
export function feedHeldBack(input: Buffer, limits: HttpLimits): FeedEvent[] {
  const feeder = new Feeder(limits);
  const lent = Buffer.from(input);
  feeder.receive(lent, 0, lent.length);
  feeder.step();
  feeder.reader.release();
  lent.fill(0);
  feeder.drain();
  return feeder.events;
}

/** In pieces of the given lengths (the last one is repeated), out of one scratch buffer overwritten each time. */
export function feedPieces(
  input: Buffer,
  limits: HttpLimits,
  lengths: (piece: number) => number,
): FeedEvent[] {
  const feeder = new Feeder(limits);
  let scratch = Buffer.alloc(80);
  let at = 0;
  let piece = 0;
  while (at < input.length) {
    const length = Math.min(lengths(piece), input.length - at);
    const start = piece % 16;
    if (start + length > scratch.length) scratch = Buffer.alloc(start + length);
    input.copy(scratch, start, at, at + length);
    feeder.receive(scratch, start, start + length);
    feeder.drain();
    feeder.release();
    scratch.fill(0, start, start + length);
    at += length;
    piece++;
  }
  return feeder.events;
}

export function feedBytes(input: Buffer, limits: HttpLimits): FeedEvent[] {
  return feedPieces(input, limits, () => 1);
}

function feedRandom(input: Buffer, limits: HttpLimits, seed: number): FeedEvent[] {
  const random = new Random(seed);
  const longest = 1 + random.below(60);
  return feedPieces(input, limits, (piece) => random.below(longest) + (piece % 8 === 0 ? 1 : 0));
}

/** Feeds the input every way and returns the one list of events all of them must have given. */
export function feedEveryWay(text: string, limits: HttpLimits): FeedEvent[] {
  const input = Buffer.from(text, "latin1");
  const events = feedWhole(input, limits);
  assert.deepEqual(feedBytes(input, limits), events, "byte by byte differs from whole");
  assert.deepEqual(feedHeldBack(input, limits), events, "release() before everything was taken differs");
  for (const seed of [1, 2, 3]) {
    assert.deepEqual(
      feedRandom(input, limits, seed),
      events,
      `random pieces (seed ${seed}) differ from whole`,
    );
  }
  return events;
}
