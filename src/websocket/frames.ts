import { encodeFrame, frameHeaderSize, writeFrameHeader } from "../protocol/websocket/frame-writer.ts";
import { compressShared, type MessageDeflater } from "../protocol/websocket/message-deflater.ts";
import { BINARY, TEXT } from "../protocol/websocket/opcodes.ts";
import { corkBuffer } from "../transport/cork-buffer.ts";
import { byteLengthOf, writePayload } from "../transport/payload.ts";
import type { Transport } from "../transport/transport.ts";
import type { SendOptions } from "./web-socket-handlers.ts";

const scratch = Buffer.alloc(14);

/** Below this size a shared frame is kept as text, which is joined to what else a socket has to send. */
const TEXT_FRAME_BYTES = 2_048;

/**
 * Writes a whole frame without a mask (RFC 6455 §5.2).
 * @param first its first byte: FIN, RSV1 and opcode
 * @param payload text is sent as UTF-8
 */
export function writeFrame(transport: Transport, first: number, payload: string | Uint8Array): void {
  const length = byteLengthOf(payload);
  if (typeof payload !== "string") {
    const at = transport.reserve(frameHeaderSize(length, false) + length);
    if (at >= 0) {
      const start = writeFrameHeader(corkBuffer.bytes, at, first & 0x0f, length, first & 0xf0, undefined);
      corkBuffer.bytes.set(payload, start);
      return;
    }
  }
  writePayload(transport, frameHead(first, length), payload, length, "");
}

/** A frame header as latin1 text. */
function frameHead(first: number, length: number): string {
  if (length < 126) return String.fromCharCode(first, length);
  if (length < 65_536) return String.fromCharCode(first, 126, length >>> 8, length & 255);
  const end = writeFrameHeader(scratch, 0, first & 0x0f, length, first & 0xf0, undefined);
  return scratch.toString("latin1", 0, end);
}

/** One message for many sockets. It is framed once, and compressed once for each window size. */
export class SharedFrames {
  readonly data: string | Uint8Array;
  readonly options: SendOptions;
  /** Bytes of the message. */
  readonly length: number;
  readonly opcode: number;
  private plain: string | Buffer | undefined;
  private readonly packed = new Map<number, string | Buffer>();

  constructor(data: string | Uint8Array, options: SendOptions) {
    this.data = data;
    this.options = options;
    this.length = byteLengthOf(data);
    this.opcode = (options.binary ?? typeof data !== "string") ? BINARY : TEXT;
  }

  writePlain(transport: Transport): void {
    this.plain ??= shareable(encodeFrame(this.opcode, this.data));
    write(transport, this.plain);
  }

  writeCompressed(transport: Transport, deflater: MessageDeflater): void {
    const { windowBits } = deflater.options;
    let frame = this.packed.get(windowBits);
    if (frame === undefined) {
      const payload = compressShared(this.data, deflater.options);
      frame = shareable(encodeFrame(this.opcode, payload, { compressed: true }));
      this.packed.set(windowBits, frame);
    }
    // RFC 7692 §7.2.1: the receiver's window has moved by a message that this compressor has not seen.
    deflater.resetContext();
    write(transport, frame);
  }
}

function shareable(frame: Buffer): string | Buffer {
  return frame.length <= TEXT_FRAME_BYTES ? frame.toString("latin1") : frame;
}

function write(transport: Transport, frame: string | Buffer): void {
  if (typeof frame === "string") transport.writeText(frame);
  else transport.writeBytes(frame);
}
