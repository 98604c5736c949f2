// WebSocket frames as bytes, wrong ones too. RFC 6455 §5.2. Nothing here comes from src/: what the library reads with
// must not be what tests write with.
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

/** For `rsv`: the message is compressed. RFC 7692 §6. */
export const RSV1 = 4;

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

const MASK = [0x9d, 0x21, 0xf0, 0x5b];

/** The header of a frame whose payload has that length. */
export function frameHead(opcode: number, length: number, options: FrameOptions = {}): Buffer {
  const { fin = true, rsv = 0, mask = MASK, announced = length } = options;
  const form = options.form ?? (announced < 126 ? 7 : announced < 65_536 ? 16 : 64);
  const lengthBytes = Buffer.alloc(form === 7 ? 0 : form / 8);
  if (form === 16) lengthBytes.writeUInt16BE(Number(announced));
  if (form === 64) lengthBytes.writeBigUInt64BE(BigInt(announced));
  const lengthField = form === 7 ? Number(announced) : form === 16 ? 126 : 127;
  return Buffer.from([
    (fin ? 0x80 : 0) | (rsv << 4) | opcode,
    (mask === null ? 0 : 0x80) | lengthField,
    ...lengthBytes,
    ...(mask ?? []),
  ]);
}

/** A client's frame. */
export function frame(opcode: number, payload: string | Uint8Array = "", options: FrameOptions = {}): Buffer {
  const { mask = MASK } = options;
  const data = Buffer.from(payload);
  const head = frameHead(opcode, data.length, options);
  if (mask !== null) for (let at = 0; at < data.length; at++) data[at]! ^= mask[at & 3]!;
  return Buffer.concat([head, data]);
}

/** A server's frame, which has no mask. */
export function serverFrame(opcode: number, payload: string | Uint8Array = ""): Buffer {
  return frame(opcode, payload, { mask: null });
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

/** The payload in pieces of at most that many bytes; one empty piece when it is empty. */
export function piecesOf(payload: Uint8Array, size: number): Uint8Array[] {
  const count = Math.max(1, Math.ceil(payload.length / size));
  return Array.from({ length: count }, (_, i) => payload.subarray(i * size, (i + 1) * size));
}
