import type { FileHandle } from "node:fs/promises";
import { pipeline, Readable } from "node:stream";
import { constants, createBrotliCompress, createGzip } from "node:zlib";
import type { Exchange } from "../exchange/exchange.ts";
import type { ByteRange, MultipartRanges } from "../protocol/http/range.ts";

/** One read, and all the memory that a transfer has. */
const BUFFER_BYTES = 65_536;
/** What the exchange copies, so that the buffer can be used again at once. */
const PIECE_BYTES = 16_384;
/**
 * Fast enough to be done for each answer: a third of the time of the default and little larger. With this window a
 * compressor takes under 3 MB; with the default one, and told the size, it would take 10.
 */
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 4, [constants.BROTLI_PARAM_LGWIN]: 18 } };
/** Files that are compressed at a time in the whole process; a client that does not read keeps its compressor. */
export const MAX_COMPRESSORS = 64;

let compressors = 0;

/** The file has become shorter than it was when its length was told. */
class ShrunkError extends Error {}

/**
 * Sends ranges of a file at the speed of the client and completes the response, whose head has been set but for its
 * length. A file that has become shorter breaks the response off, and what it grows by is not sent.
 * @param around what goes between the ranges; needed for more than one
 * @throws the system's error when the file cannot be read
 */
export async function sendRanges(
  exchange: Exchange<unknown>,
  handle: FileHandle,
  ranges: readonly ByteRange[],
  around?: MultipartRanges,
): Promise<void> {
  const [only] = ranges;
  const total = around?.length ?? (only === undefined ? 0 : only.last - only.first + 1);
  exchange.setHeader("Content-Length", total);
  if (exchange.method === "HEAD" || only === undefined) {
    exchange.end();
    return;
  }
  const buffer = Buffer.allocUnsafeSlow(Math.min(total, BUFFER_BYTES));
  try {
    if (around === undefined && total <= BUFFER_BYTES) {
      exchange.end(await readFully(handle, buffer, only.first));
      return;
    }
    for (const [index, range] of ranges.entries()) {
      exchange.write(around?.heads[index] ?? "");
      if (!(await sendRange(exchange, handle, range, buffer))) return;
    }
    exchange.end(around?.tail);
  } catch (error) {
    if (!(error instanceof ShrunkError)) throw error;
    exchange.abort();
  }
}

/** Whether one more file can be compressed now; others are sent as they are. */
export function mayCompress(): boolean {
  return compressors < MAX_COMPRESSORS;
}

/** Sends a whole file compressed, as long as it is when it is sent. Otherwise like {@link sendRanges}. */
export async function sendCompressed(
  exchange: Exchange<unknown>,
  handle: FileHandle,
  size: number,
  coding: "br" | "gzip",
): Promise<void> {
  if (exchange.method === "HEAD") {
    // Nothing is known of the length.
    exchange.write("");
    return;
  }
  const compressor = coding === "br" ? createBrotliCompress(BROTLI) : createGzip();
  // How it went is seen at the other end of the compressor.
  pipeline(Readable.from(chunksOf(handle, size)), compressor, () => {});
  compressors++;
  try {
    await exchange.stream(compressor);
  } catch (error) {
    if (!(error instanceof ShrunkError)) throw error;
  } finally {
    compressors--;
  }
}

/** A whole file as text. @returns undefined when it is longer than the limit */
export async function readText(handle: FileHandle, size: number, limit: number): Promise<string | undefined> {
  if (size > limit) return undefined;
  return (await readFully(handle, Buffer.allocUnsafeSlow(size), 0)).toString("utf8");
}

/** @returns whether to continue */
async function sendRange(
  exchange: Exchange<unknown>,
  handle: FileHandle,
  { first, last }: ByteRange,
  buffer: Buffer,
): Promise<boolean> {
  for (let at = first; at <= last; at += buffer.length) {
    const bytes = await readFully(handle, buffer.subarray(0, last - at + 1), at);
    for (let from = 0; from < bytes.length; from += PIECE_BYTES) {
      if (!exchange.write(bytes.subarray(from, from + PIECE_BYTES)) && !(await exchange.drained()))
        return false;
    }
  }
  return true;
}

async function* chunksOf(handle: FileHandle, size: number): AsyncGenerator<Buffer, void, undefined> {
  for (let at = 0; at < size; at += BUFFER_BYTES) {
    // The compressor keeps what it is given for a while.
    yield await readFully(handle, Buffer.allocUnsafeSlow(Math.min(size - at, BUFFER_BYTES)), at);
  }
}

/** Fills a buffer. @throws ShrunkError where the file ends before */
async function readFully(handle: FileHandle, buffer: Buffer, position: number): Promise<Buffer> {
  for (let at = 0; at < buffer.length; ) {
    const { bytesRead } = await handle.read(buffer, at, buffer.length - at, position + at);
    if (bytesRead === 0) throw new ShrunkError();
    at += bytesRead;
  }
  return buffer;
}
