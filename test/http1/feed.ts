import assert from "node:assert/strict";
import type { Fields } from "../../src/http1/fields.ts";
import { HttpError } from "../../src/http1/http-error.ts";
import type { HttpLimits } from "../../src/http1/limits.ts";
import { defaultHttpLimits } from "../../src/http1/limits.ts";
import type { RequestHead } from "../../src/http1/request-head.ts";
import { BODY, END, FAILED, NEED_BYTES, REQUEST, RequestReader } from "../../src/http1/request-reader.ts";

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

/** A small seeded generator: the random cuts of a failing case can be repeated. */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/**
 * Drives one reader and records what it tells. It checks on the way what must hold for every input: the order
 * of the signals, the pieces' bounds, the declared length, a bounded number of calls, and a final failure.
 */
export class Feeder {
  readonly reader: RequestReader;
  readonly events: FeedEvent[] = [];
  /** Bytes given since the reader last told anything but NEED_BYTES or FAILED. */
  silentBytes = 0;
  failed = false;
  private inMessage = false;
  private announced: HeadView | null = null;
  private bodyBytes = 0;
  private callsLeft = 16;
  private readonly mostHeld: number;
  private readonly mostSilent: number;

  /** @param longestPiece bytes that are given at a time, at most */
  constructor(limits: HttpLimits, longestPiece = 128) {
    this.mostHeld = Math.max(limits.maxHeadBytes, limits.maxTrailerBytes) + 2;
    // Without a signal there can be an empty line and a head, or chunk sizes, extensions and trailers.
    this.mostSilent =
      Math.max(limits.maxHeadBytes, limits.maxTrailerBytes + limits.maxChunkExtensionBytes) +
      64 +
      longestPiece;
    this.reader = new RequestReader(limits);
  }

  receive(bytes: Buffer, start: number, end: number): void {
    this.callsLeft += 8 + 4 * (end - start);
    this.silentBytes += end - start;
    this.reader.receive(bytes, start, end);
  }

  /** Takes one signal; false when there is nothing more to be told for now. */
  step(): boolean {
    assert.ok(this.callsLeft-- > 0, "too many signals for this many bytes");
    const { reader } = this;
    const signal = reader.next();
    if (this.failed) {
      assert.equal(signal, FAILED, "a failed reader reported something else");
      return false;
    }
    switch (signal) {
      case NEED_BYTES:
        assert.equal(reader.next(), NEED_BYTES, "NEED_BYTES before everything was told");
        return false;
      case REQUEST:
        assert.ok(!this.inMessage, "REQUEST inside a message");
        this.inMessage = true;
        this.bodyBytes = 0;
        this.announced = viewOf(reader.head!);
        this.events.push({ type: "request", head: this.announced });
        break;
      case BODY:
        assert.ok(this.inMessage, "BODY outside a message");
        this.takeBody();
        break;
      case END:
        assert.ok(this.inMessage, "END outside a message");
        this.takeEnd();
        break;
      case FAILED:
        this.takeFailure();
        return false;
      default:
        assert.fail(`unknown signal ${String(signal)}`);
    }
    this.silentBytes = 0;
    return true;
  }

  drain(): void {
    while (this.step());
  }

  /** Asks the lent bytes back; what the reader still holds must be part of one head or trailer section. */
  release(): void {
    this.reader.release();
    const held = this.reader.bytes.length;
    assert.ok(this.failed || held <= this.mostHeld, `${held} bytes held by the reader`);
    assert.ok(
      this.failed || this.silentBytes <= this.mostSilent,
      `nothing told of ${this.silentBytes} bytes`,
    );
  }

  private takeBody(): void {
    const { bytes, bodyStart, bodyEnd } = this.reader;
    assert.ok(bodyStart >= 0 && bodyStart < bodyEnd && bodyEnd <= bytes.length, "BODY piece out of bounds");
    this.bodyBytes += bodyEnd - bodyStart;
    const data = bytes.toString("latin1", bodyStart, bodyEnd);
    const last = this.events.at(-1);
    if (last?.type === "body") last.data += data;
    else this.events.push({ type: "body", data });
  }

  private takeEnd(): void {
    const head = viewOf(this.reader.head!);
    assert.deepEqual(head, this.announced, "the head changed before the END of its message");
    if (!head.chunked) {
      assert.equal(this.bodyBytes, Math.max(head.contentLength, 0), "body and Content-Length differ");
    }
    const { trailers } = this.reader;
    this.inMessage = false;
    this.events.push({ type: "end", trailers: trailers === null ? null : entriesOf(trailers) });
  }

  private takeFailure(): void {
    const { error } = this.reader;
    assert.ok(error instanceof HttpError, "FAILED without an HttpError");
    assert.ok(error.status >= 400 && error.status <= 599, `status ${error.status} is no error`);
    assert.ok(error.code.length > 0, "an error without a code");
    this.failed = true;
    this.events.push({ type: "failed", status: error.status, code: error.code });
    assert.equal(this.reader.next(), FAILED, "FAILED must stay");
    assert.equal(this.reader.error?.code, error.code);
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
  const random = randomFrom(seed);
  const longest = 1 + random(60);
  return feedPieces(input, limits, (piece) => random(longest) + (piece % 8 === 0 ? 1 : 0));
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
