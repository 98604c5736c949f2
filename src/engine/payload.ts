import type { Transport } from "../transport/transport.ts";

/** Bytes of a program are copied up to this size; larger ones are kept by reference until the peer takes them. */
const COPY_BYTES = 65_536;

/** Below this size bytes join the text around them, so that one string leaves in one write. */
const INLINE_BYTES = 2_048;

/** Bytes that text takes as UTF-8, or that there are. */
export function byteLengthOf(data: string | Uint8Array): number {
  return typeof data === "string" ? Buffer.byteLength(data) : data.length;
}

/** A Buffer on the same memory. */
function asBuffer(data: Uint8Array): Buffer {
  return Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

/** Text as UTF-8 bytes; bytes as they are. */
export function asOwnedBytes(data: string | Uint8Array): Buffer {
  return typeof data === "string" ? Buffer.from(data) : asBuffer(data);
}

/** Bytes that stay as they are whatever the program does with its own: see {@link COPY_BYTES}. */
function keep(data: Uint8Array): Uint8Array {
  return data.length <= COPY_BYTES ? Buffer.from(data) : data;
}

/**
 * Writes data between two pieces of latin1 text.
 * @param before latin1
 * @param data text is sent as UTF-8
 * @param after latin1
 */
export function writePayload(
  transport: Transport,
  before: string,
  data: string | Uint8Array,
  after: string,
): void {
  if (typeof data === "string") {
    if (data.length === 0) transport.writeText(before + after);
    // All characters are ASCII: the same bytes in latin1.
    else if (Buffer.byteLength(data) === data.length) transport.writeText(before + data + after);
    else writeBytes(transport, before, Buffer.from(data), after);
  } else if (data.length <= INLINE_BYTES) {
    transport.writeText(before + asBuffer(data).toString("latin1") + after);
  } else writeBytes(transport, before, keep(data), after);
}

function writeBytes(transport: Transport, before: string, bytes: Uint8Array, after: string): void {
  if (before !== "") transport.writeText(before);
  transport.writeBytes(bytes);
  if (after !== "") transport.writeText(after);
}
