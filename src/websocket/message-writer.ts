import { copyTo } from "../bytes/own-copy.ts";
import type { Counters } from "../limits/counters.ts";
import type { Limits } from "../limits/limits.ts";
import { encodeFrame, frameHeaderSize, writeFrameHeader } from "../protocol/websocket/frame.ts";
import { randomMaskKey } from "../protocol/websocket/mask.ts";
import { BINARY, FIN, PING_FRAME, PONG_FRAME, RSV1, TEXT } from "../protocol/websocket/opcodes.ts";
import { webSocketLog } from "../trace/debug-log.ts";
import { corkBuffer } from "../transport/buffered-output.ts";
import { byteLengthOf, writePayload } from "../transport/payload.ts";
import type { Transport } from "../transport/transport.ts";
import { describeFrame } from "./describe-frame.ts";
import type { HandshakeResult } from "./handshake-result.ts";
import type { KeepAlive } from "./keep-alive.ts";
import type { SharedFrames } from "./shared-frames.ts";
import type { SendOptions, SendResult } from "./web-socket-handlers.ts";

const headerMemory = Buffer.alloc(14);

/** The sending half of a WebSocket that is open: frames, compression, and limits for clients that do not read. */
export class MessageWriter {
  /** Whether a send returned "queued" or "dropped", so that the program waits for `drain`. */
  isSlow = false;
  private pendingPong: Buffer | undefined = undefined;
  private readonly transport: Transport;
  private readonly agreement: HandshakeResult;
  private readonly keepAlive: KeepAlive;
  private readonly limits: Limits;
  private readonly counters: Counters;

  constructor(
    transport: Transport,
    agreement: HandshakeResult,
    keepAlive: KeepAlive,
    limits: Limits,
    counters: Counters,
  ) {
    this.transport = transport;
    this.agreement = agreement;
    this.keepAlive = keepAlive;
    this.limits = limits;
    this.counters = counters;
  }

  /** Sends a message, unless too much data already waits. */
  send(data: string | Uint8Array, options: SendOptions): SendResult {
    const length = byteLengthOf(data);
    return this.hasRoom(length) ? this.sendAlways(data, length, options) : this.drop();
  }

  /**
   * Sends a message, even if much data already waits.
   * @param length in bytes
   */
  sendAlways(data: string | Uint8Array, length: number, options: SendOptions): SendResult {
    const { deflater, thresholdBytes } = this.agreement;
    const opcode = (options.binary ?? typeof data !== "string") ? BINARY : TEXT;
    if (deflater !== undefined && length >= thresholdBytes && options.compress !== false) {
      this.frame(FIN | RSV1 | opcode, deflater.compress(data));
    } else this.frame(FIN | opcode, data);
    return this.sent();
  }

  /** Whether a message can be written where it leaves from: uncompressed, and by a server, which does not mask. */
  canWriteInPlace(size: number, { compress }: SendOptions): boolean {
    const { role, deflater, thresholdBytes } = this.agreement;
    return role === "server" && (deflater === undefined || compress === false || size < thresholdBytes);
  }

  /** A message was written where it leaves from. @param payload only for the debug log */
  sentInPlace(payload: Buffer, { binary }: SendOptions): SendResult {
    if (webSocketLog !== undefined)
      webSocketLog(this.transport, `> ${describeFrame(FIN | (binary === false ? TEXT : BINARY), payload)}`);
    return this.sent();
  }

  /** Sends a message whose frames are shared with others. */
  sendShared(frames: SharedFrames): SendResult {
    if (!this.hasRoom(frames.length)) return this.drop();
    const { deflater, thresholdBytes } = this.agreement;
    // A client masks each frame for itself.
    if (this.agreement.role === "client") return this.send(frames.data, frames.options);
    if (webSocketLog !== undefined) {
      webSocketLog(this.transport, `> ${describeFrame(FIN | frames.opcode, frames.data)} (shared)`);
    }
    if (deflater !== undefined && frames.length >= thresholdBytes && frames.options.compress !== false) {
      frames.writeCompressed(this.transport, deflater);
    } else frames.writePlain(this.transport);
    return this.sent();
  }

  ping(data: string | Uint8Array): SendResult {
    if (!this.hasRoom(0)) return "dropped";
    this.frame(FIN | PING_FRAME, data);
    return this.result();
  }

  /** Answers a ping. RFC 6455 §5.5.3: of several pings only the last needs an answer. */
  pong(data: Buffer): void {
    if (this.transport.pendingBytes > this.limits.writeHighWaterBytes) this.pendingPong = Buffer.from(data);
    else this.frame(FIN | PONG_FRAME, data);
  }

  /** Sends the waiting answer to a ping, after all data has been sent. */
  sendPendingPong(): void {
    const data = this.pendingPong;
    this.pendingPong = undefined;
    if (data !== undefined) this.frame(FIN | PONG_FRAME, data);
  }

  /** Sends a frame. @param first its first byte: FIN, RSV1 and opcode */
  frame(first: number, payload: string | Uint8Array): void {
    const { transport } = this;
    if (webSocketLog !== undefined) webSocketLog(transport, `> ${describeFrame(first, payload)}`);
    if (this.agreement.role === "server") writeFrame(transport, first, payload);
    else {
      const options = { maskKey: randomMaskKey(), compressed: (first & RSV1) !== 0 };
      transport.writeBytes(encodeFrame(first & 0x0f, payload, options));
    }
  }

  /** Whether a message can be sent within the limits for a slow client. */
  hasRoom(length: number): boolean {
    const pending = this.transport.pendingBytes - this.transport.slackBytes;
    if (pending <= 0) return true;
    const { limits, counters } = this;
    return (
      pending + length <= limits.maxBackpressureBytes &&
      counters.pendingBytes + length <= limits.maxTotalBackpressureBytes
    );
  }

  /** Counts a dropped message. */
  drop(): "dropped" {
    this.isSlow = true;
    this.counters.messagesDropped++;
    return "dropped";
  }

  private sent(): SendResult {
    this.counters.messagesSent++;
    if (this.agreement.sendResetsIdle) this.keepAlive.touch();
    return this.result();
  }

  private result(): SendResult {
    const { transport } = this;
    // The client has disconnected; the program learns of it when it returns. A program with a loop must not continue.
    if (transport.closed) return "closed";
    if (transport.pendingBytes <= transport.slackBytes) return "sent";
    this.isSlow = true;
    return "queued";
  }
}

/**
 * Writes a whole frame without a mask (RFC 6455 §5.2).
 * @param first its first byte: FIN, RSV1 and opcode
 * @param payload text is sent as UTF-8
 */
function writeFrame(transport: Transport, first: number, payload: string | Uint8Array): void {
  const length = byteLengthOf(payload);
  if (typeof payload !== "string") {
    const at = transport.reserve(frameHeaderSize(length, false) + length);
    if (at >= 0) {
      const start = writeFrameHeader(corkBuffer.bytes, at, first & 0x0f, length, first & 0xf0, undefined);
      copyTo(corkBuffer.bytes, start, payload);
      return;
    }
  }
  writePayload(transport, frameHead(first, length), payload, length, "");
}

/** A frame header as latin1 text. */
function frameHead(first: number, length: number): string {
  if (length < 126) return String.fromCharCode(first, length);
  if (length < 65_536) return String.fromCharCode(first, 126, length >>> 8, length & 255);
  const end = writeFrameHeader(headerMemory, 0, first & 0x0f, length, first & 0xf0, undefined);
  return headerMemory.toString("latin1", 0, end);
}
