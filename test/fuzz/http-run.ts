import assert from "node:assert/strict";
import type { Fields } from "../../src/http1/fields.ts";
import { HttpError } from "../../src/http1/http-error.ts";
import type { HttpLimits } from "../../src/http1/limits.ts";
import type { RequestHead } from "../../src/http1/request-head.ts";
import { BODY, END, FAILED, NEED_BYTES, REQUEST, RequestReader } from "../../src/http1/request-reader.ts";
import type { Random } from "./random.ts";

const SCRATCH_BYTES = 1 << 17;
const scratch = Buffer.alloc(SCRATCH_BYTES);
const BEFORE = Buffer.from("\r\n\0 GET ");
const AFTER = Buffer.from("\r\n\r\n\0POST / HTTP/1.1\r\n\r\n");

/** One reader that is driven to the end of its input, with what must hold for every input checked on the way. */
export class HttpRun {
  readonly reader: RequestReader;
  /** Everything that was told, as one text; pieces of content are joined. */
  told = "";
  /** Method, target, version and content of each request that is complete. */
  requests = "";
  failure: HttpError | null = null;
  complete = 0;
  inMessage = false;
  private content = "";
  private bodyBytes = 0;
  private silentBytes = 0;
  private callsLeft = 16;
  private readonly limits: HttpLimits;

  constructor(limits: HttpLimits) {
    this.limits = limits;
    this.reader = new RequestReader(limits);
  }

  receive(bytes: Buffer, start: number, end: number): void {
    this.callsLeft += 8 + 4 * (end - start);
    this.silentBytes += end - start;
    this.reader.receive(bytes, start, end);
  }

  /** Takes one signal; false when nothing more is told. */
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
        assert(reader.buffered === 0, "NEED_BYTES while bytes are left");
        return false;
      case REQUEST:
        assert(!this.inMessage && reader.head !== undefined, "REQUEST inside a request");
        this.inMessage = true;
        this.bodyBytes = 0;
        this.content = "";
        this.told += `\n> ${describeHead(reader.head)}\n`;
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
    assert(this.inMessage === false || reader.midway, "a request that has begun is under way");
    this.silentBytes = 0;
    return true;
  }

  drain(): void {
    while (this.step());
  }

  /** The lent bytes go back; what the reader keeps must be part of one head or trailer section. */
  release(longestPiece: number): void {
    const { reader, limits } = this;
    reader.release();
    if (this.failure !== null) return;
    const section = Math.max(limits.maxHeadBytes, limits.maxTrailerBytes);
    assert(reader.bytes.length <= section + 2, "more is held than a head may have");
    const silence = Math.max(limits.maxHeadBytes, limits.maxTrailerBytes + limits.maxChunkExtensionBytes);
    assert(this.silentBytes <= silence + 64 + longestPiece, "nothing was told for too many bytes");
  }

  private takeBody(): void {
    const { bytes, bodyStart, bodyEnd } = this.reader;
    assert(this.inMessage, "BODY outside a request");
    assert(bodyStart >= 0 && bodyStart < bodyEnd && bodyEnd <= bytes.length, "BODY out of bounds");
    this.bodyBytes += bodyEnd - bodyStart;
    assert(this.bodyBytes <= this.limits.maxBodyBytes, "more content than the limit");
    const text = bytes.toString("latin1", bodyStart, bodyEnd);
    this.told += text;
    this.content += text;
  }

  private takeEnd(): void {
    const { head, trailers } = this.reader;
    assert(this.inMessage && head !== undefined, "END outside a request");
    if (!head.chunked) {
      assert.equal(this.bodyBytes, Math.max(head.contentLength, 0), "content and Content-Length differ");
      assert.equal(trailers, null, "trailers without chunks");
    }
    this.inMessage = false;
    this.complete += 1;
    this.told += `\n< ${trailers === null ? "" : trailers.raw}`;
    this.requests += `${head.method} ${head.target} ${head.minorVersion}\n${this.content}\n`;
  }

  private takeFailure(): void {
    const { reader } = this;
    const { error } = reader;
    assert(error instanceof HttpError && error.status >= 400 && error.status <= 599, "no HTTP error");
    this.failure = error;
    this.told += `\n! ${error.code}`;
    assert(reader.next() === FAILED, "FAILED must stay");
  }
}

function describeHead(head: RequestHead): string {
  return (
    `${head.method} ${head.target} ${head.minorVersion} ${head.form} ${head.path} ${head.query} ${head.host} ` +
    `${head.contentLength} ${head.chunked} ${head.keepAlive} ${head.expectContinue} ${head.upgrade}\n${head.fields.raw}`
  );
}

/** Name and value of each line, in a form that other parsers can be brought to. */
export function describeFields(fields: Fields): string {
  let text = "";
  for (const [name, value] of fields.entries()) text += `${name}: ${value}\n`;
  return text;
}

/** Everything at once, in the middle of bytes that must not be looked at. */
export function readWhole(input: Buffer, limits: HttpLimits): HttpRun {
  const run = new HttpRun(limits);
  const start = BEFORE.length;
  const end = start + input.length;
  const lent = end + AFTER.length <= SCRATCH_BYTES ? scratch : Buffer.alloc(end + AFTER.length);
  BEFORE.copy(lent, 0);
  input.copy(lent, start);
  AFTER.copy(lent, end);
  run.receive(lent, start, end);
  run.drain();
  run.release(input.length);
  lent.fill(0, 0, end + AFTER.length);
  assert(!run.step(), "something was told after NEED_BYTES");
  return run;
}

/** Pieces out of one buffer that is overwritten each time; some are given before all of the last one was told. */
export function readCut(input: Buffer, limits: HttpLimits, random: Random): HttpRun {
  const run = new HttpRun(limits);
  const longest = longestPiece(input.length, random);
  const patient = random.oneIn(2);
  for (let at = 0; at < input.length; ) {
    const length = Math.min(longest === 1 ? 1 : random.below(longest + 1), input.length - at);
    const start = random.below(16);
    lend(input, at, length, start);
    run.receive(scratch, start, start + length);
    at += length;
    if (patient || random.oneIn(2)) run.drain();
    else if (run.step()) {
      run.reader.release();
      takeBack(start, length);
      run.drain();
    }
    run.release(longest);
    takeBack(start, length);
  }
  run.drain();
  return run;
}

/** One byte now and then: it finds the most, and costs the most. */
function longestPiece(length: number, random: Random): number {
  const style = random.below(64);
  if (style === 0) return 1;
  return 1 + random.below(style < 3 ? 8 : style < 16 ? 80 : length + 8);
}

// Pieces are short: loops take less time than calls.
function lend(input: Buffer, at: number, length: number, start: number): void {
  for (let offset = 0; offset < length; offset += 1) scratch[start + offset] = input[at + offset] as number;
}

function takeBack(start: number, length: number): void {
  for (let offset = 0; offset < length; offset += 1) scratch[start + offset] = 0;
}
