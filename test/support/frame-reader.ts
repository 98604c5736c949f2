// Frames from a server, held to every rule for them. RFC 6455 §5. Nothing here comes from src/.
import assert from "node:assert/strict";
import { Buffer, isUtf8 } from "node:buffer";
import { ServerWindow } from "./deflate-window.ts";
import { BINARY, CLOSE, CONTINUATION, OPCODE_NAMES, PING, PONG, RSV1, TEXT } from "./frames.ts";
import type { Agreed } from "./web-socket-handshake.ts";

interface Frame {
  readonly firstByte: number;
  readonly opcode: number;
  readonly fin: boolean;
  readonly rsv: number;
  readonly payload: Buffer;
}

/** A message or a control frame. `compressed` is the payload as it was on the wire. */
export interface Received {
  readonly opcode: number;
  /** The first byte of its first frame. */
  readonly firstByte: number;
  readonly payload: Buffer;
  readonly compressed: Buffer | undefined;
}

/** Reads frames and puts messages together. It throws for what a server must not send. */
export class FrameReader {
  private readonly agreed: Agreed | null;
  private readonly window: ServerWindow | undefined;
  private pieces: Buffer[] = [];
  private length = 0;
  /** What has to be there before it is worth looking again. */
  private needed = 2;
  private message: Frame[] = [];

  /** @param agreed what was agreed on compression */
  constructor(agreed: Agreed | null = null) {
    this.agreed = agreed;
    if (agreed !== null) this.window = new ServerWindow(agreed);
  }

  push(bytes: Buffer): void {
    if (bytes.length > 0) this.pieces.push(bytes);
    this.length += bytes.length;
  }

  /** The stream must not end here. */
  get isMidway(): boolean {
    return this.length > 0 || this.message.length > 0;
  }

  /** The next message or control frame; undefined when it is not complete. */
  next(): Received | undefined {
    for (let frame = this.frame(); frame !== undefined; frame = this.frame()) {
      const { opcode, payload } = frame;
      const first = this.message[0];
      if (first === undefined) assert.notEqual(opcode, CONTINUATION, "a continuation without a message");
      else assert.equal(opcode, CONTINUATION, "the rest of a fragmented message");
      if (opcode >= CLOSE) return { opcode, firstByte: frame.firstByte, payload, compressed: undefined };
      if (first !== undefined) assert.equal(frame.rsv, 0, "RFC 7692 §6.1: RSV1 is for the first fragment");
      this.message.push(frame);
      if (frame.fin) return this.whole();
    }
    return undefined;
  }

  private whole(): Received {
    const frames = this.message;
    this.message = [];
    const { opcode, rsv, firstByte } = frames[0]!;
    const wire = frames.length === 1 ? frames[0]!.payload : Buffer.concat(frames.map((one) => one.payload));
    const packed = rsv === RSV1;
    const payload = packed ? this.window!.inflate(wire) : wire;
    if (opcode === TEXT) assert.ok(isUtf8(payload), "text from the server is not UTF-8");
    return { opcode, firstByte, payload, compressed: packed ? wire : undefined };
  }

  private frame(): Frame | undefined {
    if (this.length < this.needed) return undefined;
    const bytes = this.pieces.length === 1 ? this.pieces[0]! : Buffer.concat(this.pieces);
    this.pieces = [bytes];
    const first = bytes[0]!;
    const second = bytes[1]!;
    assert.ok(second < 0x80, "§5.1: a server's frame is masked");
    const size = second === 126 ? 4 : second === 127 ? 10 : 2;
    this.needed = size;
    if (bytes.length < size) return undefined;
    const length =
      size === 2 ? second : size === 4 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
    assert.ok(size !== 4 || length > 125, "§5.2: the length is not in its shortest form");
    assert.ok(size !== 10 || length > 65_535, "§5.2: the length is not in its shortest form");
    const opcode = first & 15;
    const fin = first >= 0x80;
    const rsv = (first >> 4) & 7;
    assert.ok([CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG].includes(opcode), `§5.2: opcode ${opcode}`);
    if (opcode >= CLOSE) assert.ok(fin && length < 126, "§5.5: a control frame is long or fragmented");
    const mayCompress = this.agreed !== null && (opcode === TEXT || opcode === BINARY);
    assert.ok(rsv === 0 || (rsv === RSV1 && mayCompress), `§5.2: RSV ${rsv} on ${OPCODE_NAMES[opcode]}`);
    this.needed = size + length;
    if (bytes.length < this.needed) return undefined;
    const rest = bytes.subarray(this.needed);
    this.pieces = [rest];
    this.length = rest.length;
    this.needed = 2;
    return { firstByte: first, opcode, fin, rsv, payload: Buffer.from(bytes.subarray(size, size + length)) };
  }
}

/** Code and reason of a close frame; 1005 when it has none. RFC 6455 §5.5.1, §7.1.5. */
export function closeOf(payload: Buffer): { code: number; reason: string } {
  assert.notEqual(payload.length, 1, "a close frame with one byte");
  assert.ok(isUtf8(payload.subarray(2)), "§5.5.1: the reason is not UTF-8");
  return { code: payload.length === 0 ? 1005 : payload.readUInt16BE(0), reason: payload.toString("utf8", 2) };
}
