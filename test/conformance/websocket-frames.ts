// Frames as bytes, the wrong ones too. RFC 6455 §5.2. Written for this suite alone: what the library reads with must not
// be what the suite writes with.
import { Buffer } from "node:buffer";

export const CONTINUATION = 0x0;
export const TEXT = 0x1;
export const BINARY = 0x2;
export const CLOSE = 0x8;
export const PING = 0x9;
export const PONG = 0xa;

export const OPCODE_NAMES: Readonly<Record<number, string>> = {
  [CONTINUATION]: "continuation",
  [TEXT]: "text",
  [BINARY]: "binary",
  [CLOSE]: "close",
  [PING]: "ping",
  [PONG]: "pong",
};

export interface FrameOptions {
  /** Default true. */
  readonly fin?: boolean;
  /** RSV1 is 4, RSV2 is 2, RSV3 is 1. */
  readonly rsv?: number;
  /** Four bytes; null: a frame without a mask, which a client must not send. */
  readonly mask?: readonly number[] | null;
  /** Bits of the length: 7, 16 or 64. Default: the shortest. */
  readonly form?: 7 | 16 | 64;
  /** The length that the header announces, in place of the payload's own. */
  readonly announced?: number | bigint;
}

export const RSV1 = 4;
const MASK = [0x9d, 0x21, 0xf0, 0x5b];

/** A client's frame. */
export function frame(opcode: number, payload: string | Uint8Array = "", options: FrameOptions = {}): Buffer {
  const { fin = true, rsv = 0, mask = MASK } = options;
  const data = Buffer.from(payload);
  const announced = BigInt(options.announced ?? data.length);
  const form = options.form ?? (announced < 126n ? 7 : announced < 65_536n ? 16 : 64);
  const lengthBytes = Buffer.alloc(form === 7 ? 0 : form / 8);
  if (form === 16) lengthBytes.writeUInt16BE(Number(announced));
  if (form === 64) lengthBytes.writeBigUInt64BE(announced);
  const lengthField = form === 7 ? Number(announced) : form === 16 ? 126 : 127;
  const head = Buffer.from([
    (fin ? 0x80 : 0) | (rsv << 4) | opcode,
    (mask === null ? 0 : 0x80) | lengthField,
    ...lengthBytes,
    ...(mask ?? []),
  ]);
  if (mask !== null) for (let at = 0; at < data.length; at++) data[at]! ^= mask[at % 4]!;
  return Buffer.concat([head, data]);
}

/** The payload of a close frame. */
export function closePayload(code: number, reason: string | Uint8Array = ""): Buffer {
  return Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]);
}

/** A message in fragments. `rsv` is for the first of them. */
export function fragments(
  opcode: number,
  pieces: readonly (string | Uint8Array)[],
  rsv: number = 0,
): Buffer[] {
  return pieces.map((piece, i) =>
    frame(i === 0 ? opcode : CONTINUATION, piece, {
      fin: i === pieces.length - 1,
      rsv: i === 0 ? rsv : 0,
    }),
  );
}

/** The bytes in pieces that end at each of `cuts`. */
export function cutAt(bytes: Uint8Array, cuts: readonly number[]): Buffer[] {
  const whole = Buffer.from(bytes);
  const ends = [...cuts, whole.length];
  return ends.map((end, i) => whole.subarray(i === 0 ? 0 : ends[i - 1], end));
}

/** Bytes that do not repeat soon and are no text. */
export function noise(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let seed = 0x2545_f491;
  for (let at = 0; at < length; at++) {
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    bytes[at] = seed >>> 24;
  }
  return bytes;
}

/** ASCII text of that length that compresses, but not to nothing. */
export function prose(length: number): string {
  let text = "";
  for (let i = 0; text.length < length; i++) text += `${i * 7919} words, `;
  return text.slice(0, length);
}

/** Spaces do not count. */
export function hex(digits: string): Buffer {
  return Buffer.from(digits.replaceAll(" ", ""), "hex");
}
