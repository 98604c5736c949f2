// The global of the same name is a getter, which V8 does not inline.
import { Buffer } from "node:buffer";
import type { Transport } from "./transport.ts";

/**
 * Returns the length of bytes, or of text as UTF-8, in bytes.
 * @throws TypeError for other values, which programs without types can pass: further down it could not be reported
 */
export function byteLengthOf(data: string | Uint8Array): number {
  if (typeof data === "string") return Buffer.byteLength(data);
  // Not instanceof: test runners give programs another Uint8Array.
  if (data?.BYTES_PER_ELEMENT === 1) return data.length;
  throw new TypeError(
    `only text and bytes can be sent, not ${data === null ? "null" : `a value of type ${typeof data}`}`,
  );
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
    transport.writeText(after === "" ? before + data : before + data + after);
    return;
  }
  transport.writeText(before);
  transport.writeCopy(asBytes(data), copyLimit);
  transport.writeText(after);
}
