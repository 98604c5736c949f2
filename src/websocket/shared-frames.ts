import { encodeFrame } from "../protocol/websocket/frame.ts";
import { compressShared, type MessageDeflater } from "../protocol/websocket/message-deflater.ts";
import { BINARY, TEXT } from "../protocol/websocket/opcodes.ts";
import { byteLengthOf } from "../transport/payload.ts";
import type { Transport } from "../transport/transport.ts";
import type { SendOptions } from "./web-socket-handlers.ts";

/** Below this size a shared frame is kept as text, which is joined to what else a socket has to send. */
const TEXT_FRAME_BYTES = 2_048;

/** One message for many sockets: framed once, and compressed once for each window size among them. */
export class SharedFrames {
  readonly data: string | Uint8Array;
  readonly options: SendOptions;
  /** Bytes of the message. */
  readonly length: number;
  readonly opcode: number;
  private plain: string | Buffer | undefined = undefined;
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
