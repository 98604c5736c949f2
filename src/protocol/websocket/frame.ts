import { Buffer } from "node:buffer";
import { pieceMemory } from "../../bytes/new-memory.ts";
import { NO_BYTES } from "../../bytes/no-bytes.ts";
import { partOf } from "../../node/fast-buffers.ts";
import { applyMask } from "./mask.ts";
import { BINARY, CLOSE_FRAME, CONTINUATION, FIN, MAX_CONTROL_BYTES, PONG_FRAME, RSV1 } from "./opcodes.ts";
import { WebSocketError, type WebSocketErrorCode } from "./websocket-error.ts";

// 2 bytes, an extended length of 8, a mask key of 4. RFC 6455 §5.2.
const MAX_HEADER_BYTES = 14;
/** Up to this length a loop is faster than a call of V8's runtime. */
const LOOP_BYTES = 32;

/**
 * Reads and checks frame headers, whole or in pieces. RFC 6455 §5.2. The fields are valid after `read` has
 * answered more than 0, until the next call.
 *
 * Each byte is checked once it is there, in the order of the wire, so that the error does not depend on how
 * the bytes were cut.
 */
export class FrameHeader {
  fin = false;
  /** RSV1 on the first frame of a data message. RFC 7692 §6. */
  compressed = false;
  opcode = 0;
  /** Payload length in bytes, at most 2^53 - 1. */
  length = 0;
  /** uint32, first byte on the wire most significant; 0 without a mask. */
  maskKey = 0;
  /** Set when `read` has answered -1. */
  error: WebSocketError | null = null;

  readonly #masked: boolean;
  readonly #allowedBits: number;
  // A fragmented message is in progress (§5.4).
  #isOpen = false;
  // The beginning of a header that is not whole yet; memory only for connections that ever need it.
  #kept: Uint8Array = NO_BYTES;
  #keptLength = 0;

  constructor(options: { masked: boolean; deflate: boolean }) {
    this.#masked = options.masked;
    this.#allowedBits = options.deflate ? FIN | RSV1 | 0x0f : FIN | 0x0f;
  }

  /** Whether a new message is next, of which nothing has been read. */
  get isAtRest(): boolean {
    return this.#keptLength === 0 && !this.#isOpen;
  }

  /**
   * @param available the number of readable bytes from `at` on.
   * @returns the number of these bytes that belong to the header, if it is complete. 0 if more bytes are needed (these
   *   are kept). -1 on an error (see `error`).
   */
  read(bytes: Uint8Array, at: number, available: number): number {
    if (this.#keptLength === 0) {
      const size = this.#parse(bytes, at, available);
      if (size === 0)
        for (let taken = 0; taken < available; taken += 1) this.#keep(bytes[at + taken] as number);
      return size;
    }
    for (let taken = 0; taken < available; taken += 1) {
      this.#keep(bytes[at + taken] as number);
      const size = this.#parse(this.#kept, 0, this.#keptLength);
      if (size === 0) continue;
      this.#keptLength = 0;
      return size > 0 ? taken + 1 : size;
    }
    return 0;
  }

  #keep(byte: number): void {
    if (this.#kept.length === 0) this.#kept = new Uint8Array(MAX_HEADER_BYTES);
    this.#kept[this.#keptLength] = byte;
    this.#keptLength += 1;
  }

  /** The size of the header in bytes, 0 when it is not whole, -1 on an error. */
  #parse(bytes: Uint8Array, at: number, available: number): number {
    if (available === 0) return 0;
    const first = bytes[at] as number;
    const opcode = first & 0x0f;
    // §5.2: RSV bits are 0 unless an extension gives them a meaning; RFC 7692 §6 only gives one to RSV1.
    if ((first & ~this.#allowedBits) !== 0) return this.#refuse("WS_RESERVED_BITS");
    if (opcode >= CLOSE_FRAME) {
      if (opcode > PONG_FRAME) return this.#refuse("WS_RESERVED_OPCODE");
      // RFC 7692 §6.1: RSV1 is never set on control frames.
      if ((first & RSV1) !== 0) return this.#refuse("WS_RESERVED_BITS");
      // §5.5: control frames are not fragmented.
      if ((first & FIN) === 0) return this.#refuse("WS_FRAGMENTED_CONTROL");
    } else if (opcode === CONTINUATION) {
      // RFC 7692 §6.1: only the first fragment carries RSV1.
      if ((first & RSV1) !== 0) return this.#refuse("WS_RESERVED_BITS");
      // §5.4: a continuation needs a message that has begun.
      if (!this.#isOpen) return this.#refuse("WS_UNEXPECTED_CONTINUATION");
    } else {
      if (opcode > BINARY) return this.#refuse("WS_RESERVED_OPCODE");
      // §5.4: fragments of two messages are not interleaved.
      if (this.#isOpen) return this.#refuse("WS_EXPECTED_CONTINUATION");
    }
    if (available === 1) return 0;

    const second = bytes[at + 1] as number;
    // §5.1: a client masks every frame, a server masks none.
    if (second >= 0x80 !== this.#masked) {
      return this.#masked ? this.#refuse("WS_MASK_REQUIRED") : this.#refuse("WS_MASK_FORBIDDEN");
    }
    let length = second & 0x7f;
    if (opcode >= CLOSE_FRAME && length > MAX_CONTROL_BYTES) {
      return this.#refuse("WS_CONTROL_TOO_LONG");
    }
    let size = 2;
    if (length === 126) {
      if (available < 4) return 0;
      length = ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
      // §5.2: the shortest form of the length.
      if (length < 126) return this.#refuse("WS_LENGTH_NOT_MINIMAL");
      size = 4;
    } else if (length === 127) {
      if (available < 10) return 0;
      const high = uint32(bytes, at + 2);
      length = high * 0x1_0000_0000 + uint32(bytes, at + 6);
      // §5.2: the most significant bit is 0.
      if (high >= 0x8000_0000) return this.#refuse("WS_LENGTH_INVALID");
      if (length < 0x1_0000) return this.#refuse("WS_LENGTH_NOT_MINIMAL");
      if (length > Number.MAX_SAFE_INTEGER) return this.#refuse("WS_MESSAGE_TOO_LARGE");
      size = 10;
    }
    if (this.#masked) {
      if (available < size + 4) return 0;
      this.maskKey = uint32(bytes, at + size);
      size += 4;
    }
    this.fin = (first & FIN) !== 0;
    this.compressed = (first & RSV1) !== 0;
    this.opcode = opcode;
    if (opcode < CLOSE_FRAME) this.#isOpen = !this.fin;
    this.length = length;
    return size;
  }

  #refuse(code: WebSocketErrorCode): -1 {
    this.error = new WebSocketError(code);
    return -1;
  }
}

function uint32(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  );
}

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

/**
 * Copies a whole payload for a program to keep, and takes its mask off. Faster than `Buffer.from`, which first finds out
 * what it is given: by about a tenth of an echo of 20 bytes in memory.
 * @param bytes longer payloads are unmasked in place, before they are copied
 * @param maskKey uint32, the first byte on the wire is the most significant; 0 for no mask
 * @returns the copy of `bytes[start..end)`
 */
export function ownPayload(bytes: Buffer, start: number, end: number, maskKey: number): Buffer {
  const length = end - start;
  const own = pieceMemory(length);
  if (length <= LOOP_BYTES) {
    let key = maskKey;
    for (let i = 0; i < length; i++) {
      key = (key << 8) | (key >>> 24);
      own[i] = (bytes[start + i] ?? 0) ^ key;
    }
  } else {
    if (maskKey !== 0) applyMask(bytes, start, end, maskKey, 0);
    own.set(partOf(bytes, start, end));
  }
  return own;
}

/** Copies all of a payload to `target[at..]`. */
export function copyPayload(target: Uint8Array, at: number, payload: Uint8Array): void {
  const { length } = payload;
  if (length <= LOOP_BYTES) for (let i = 0; i < length; i++) target[at + i] = payload[i] ?? 0;
  else target.set(payload, at);
}
