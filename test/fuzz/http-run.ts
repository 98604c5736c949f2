import assert from "node:assert/strict";
import type { Fields } from "../../src/protocol/http/fields.ts";
import type { HttpError } from "../../src/protocol/http/http-error.ts";
import type { HttpLimits } from "../../src/protocol/http1/http-limits.ts";
import type { RequestHead } from "../../src/protocol/http1/request-head.ts";
import { ReaderDriver } from "../support/feed.ts";
import type { Random } from "../support/random.ts";

const SCRATCH_BYTES = 1 << 17;
const scratch = Buffer.alloc(SCRATCH_BYTES);
const BEFORE = Buffer.from("\r\n\0 GET ");
const AFTER = Buffer.from("\r\n\r\n\0POST / HTTP/1.1\r\n\r\n");

/** What a reader tells, as text. */
export class HttpRun extends ReaderDriver {
  /** Everything that was told; pieces of content are joined. */
  told = "";
  /** Method, target, version and content of each request that is complete. */
  requests = "";
  complete = 0;
  private content = "";

  protected onRequest(head: RequestHead): void {
    this.content = "";
    this.told += `\n> ${describeHead(head)}\n`;
  }

  protected onBody(data: string): void {
    this.told += data;
    this.content += data;
  }

  protected onEnd(head: RequestHead, trailers: Fields | null): void {
    this.complete += 1;
    this.told += `\n< ${trailers === null ? "" : trailers.raw}`;
    this.requests += `${head.method} ${head.target} ${head.minorVersion}\n${this.content}\n`;
  }

  protected onFailure(error: HttpError): void {
    this.told += `\n! ${error.code}`;
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
