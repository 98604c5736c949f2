import { Buffer } from "node:buffer";
import { applyMask } from "./mask.ts";
import { FIN, RSV1 } from "./opcodes.ts";

export { encodeClosePayload } from "./close-payload.ts";

export interface EncodeFrameOptions {
  /** The payload comes from a `MessageDeflater`: sets RSV1. RFC 7692 §6. */
  compressed?: boolean | undefined;
  /** uint32; given by a client for every frame, never by a server. RFC 6455 §5.3. */
  maskKey?: number | undefined;
}

const SERVER_FRAME: EncodeFrameOptions = {};

/** Size of a frame header in bytes for a payload of `length` bytes. RFC 6455 §5.2. */
export function frameHeaderSize(length: number, masked: boolean): number {
  return (length < 126 ? 2 : length < 0x1_0000 ? 4 : 10) + (masked ? 4 : 0);
}

/**
 * Writes a frame header at `offset` of `target`, which has room for `frameHeaderSize` bytes. RFC 6455 §5.2.
 *
 * @param length payload length in bytes.
 * @param flags `FIN`, `RSV1`, both or 0.
 * @param maskKey uint32, first byte on the wire most significant; undefined for a frame without a mask.
 * @returns the offset behind the header.
 */
export function writeFrameHeader(
  target: Uint8Array,
  offset: number,
  opcode: number,
  length: number,
  flags: number,
  maskKey: number | undefined,
): number {
  const maskBit = maskKey === undefined ? 0 : 0x80;
  let at = offset;
  target[at++] = flags | opcode;
  if (length < 126) {
    target[at++] = maskBit | length;
  } else if (length < 0x1_0000) {
    target[at++] = maskBit | 126;
    target[at++] = length >>> 8;
    target[at++] = length & 255;
  } else {
    target[at++] = maskBit | 127;
    at = writeUint32(target, at, Math.floor(length / 0x1_0000_0000));
    at = writeUint32(target, at, length >>> 0);
  }
  return maskKey === undefined ? at : writeUint32(target, at, maskKey);
}

/**
 * A whole frame (FIN set) in one new buffer, header and payload. RFC 6455 §5.2.
 *
 * The payload is copied, never changed. Control frames need a payload of at most 125 bytes (§5.5).
 */
export function encodeFrame(
  opcode: number,
  payload: Uint8Array | string,
  options: EncodeFrameOptions = SERVER_FRAME,
): Buffer {
  const { maskKey } = options;
  const flags = options.compressed === true ? FIN | RSV1 : FIN;
  const length = typeof payload === "string" ? Buffer.byteLength(payload) : payload.length;
  const frame = Buffer.allocUnsafe(frameHeaderSize(length, maskKey !== undefined) + length);
  const at = writeFrameHeader(frame, 0, opcode, length, flags, maskKey);
  if (typeof payload === "string") frame.write(payload, at);
  else frame.set(payload, at);
  if (maskKey !== undefined) applyMask(frame, at, frame.length, maskKey, 0);
  return frame;
}

function writeUint32(target: Uint8Array, at: number, value: number): number {
  target[at] = value >>> 24;
  target[at + 1] = (value >>> 16) & 255;
  target[at + 2] = (value >>> 8) & 255;
  target[at + 3] = value & 255;
  return at + 4;
}
