import type { Transport } from "../transport/transport.ts";

/** Bytes that text takes as UTF-8, or that there are. */
export function byteLengthOf(data: string | Uint8Array): number {
  return typeof data === "string" ? Buffer.byteLength(data) : data.length;
}

/** Text as UTF-8 bytes; bytes as they are. */
export function asBytes(data: string | Uint8Array): Uint8Array {
  return typeof data === "string" ? Buffer.from(data) : data;
}

/**
 * Writes data between two pieces of latin1 text.
 * @param before latin1
 * @param data text is sent as UTF-8
 * @param length its {@link byteLengthOf}
 * @param after latin1
 * @param copyLimit bytes up to this size are copied
 */
export function writePayload(
  transport: Transport,
  before: string,
  data: string | Uint8Array,
  length: number,
  after: string,
  copyLimit?: number,
): void {
  // All characters are ASCII: the same bytes in latin1.
  if (typeof data === "string" && length === data.length) {
    transport.writeText(before + data + after);
    return;
  }
  transport.writeText(before);
  transport.writeCopy(asBytes(data), copyLimit);
  transport.writeText(after);
}
