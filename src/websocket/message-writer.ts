import { copyPayload, encodeFrame, frameHeaderSize, writeFrameHeader } from "../protocol/websocket/frame.ts";
import { randomMaskKey } from "../protocol/websocket/mask.ts";
import { BINARY, FIN, PING_FRAME, PONG_FRAME, RSV1, TEXT } from "../protocol/websocket/opcodes.ts";
import { webSocketLog } from "../trace/debug-log.ts";
import { corkBuffer } from "../transport/buffered-output.ts";
import { byteLengthOf, writePayload } from "../transport/payload.ts";
import type { Transport } from "../transport/transport.ts";
import type { ConnectionTerms } from "./connection-terms.ts";
import { describeFrame } from "./describe-frame.ts";
import type { Deadlines } from "./keep-alive.ts";
import type { SharedFrames } from "./shared-frames.ts";
import type { SendOptions, SendResult } from "./web-socket-handlers.ts";

const headerMemory = Buffer.alloc(14);

/*
 * The sending half of a WebSocket that is open: frames, compression, and limits for clients that do not read. It needs
 * no separate object, because its state is two fields of the connection.
 */

/** A WebSocket, as far as it sends. */
export interface Sender extends Deadlines {
  readonly transport: Transport;
  readonly terms: ConnectionTerms;
  /** Whether a send returned "queued" or "dropped", so that the program waits for `drain`. */
  isSlow: boolean;
  /** The answer to a ping, which waits for the data before it. */
  pendingPong: Buffer | undefined;
}

/** Sends a message, unless too much data already waits. */
export function sendMessage(sender: Sender, data: string | Uint8Array, options: SendOptions): SendResult {
  const length = byteLengthOf(data);
  return hasRoom(sender, length) ? sendAlways(sender, data, length, options) : dropMessage(sender);
}

/**
 * Sends a message, even if much data already waits.
 * @param length in bytes
 */
export function sendAlways(
  sender: Sender,
  data: string | Uint8Array,
  length: number,
  options: SendOptions,
): SendResult {
  const { deflater, thresholdBytes } = sender.terms.agreement;
  const opcode = (options.binary ?? typeof data !== "string") ? BINARY : TEXT;
  if (deflater !== undefined && length >= thresholdBytes && options.compress !== false) {
    sendFrame(sender, FIN | RSV1 | opcode, deflater.compress(data));
  } else sendFrame(sender, FIN | opcode, data);
  return sent(sender);
}

/** Whether a message can be written where it leaves from: uncompressed, and by a server, which does not mask. */
export function canWriteInPlace(sender: Sender, size: number, { compress }: SendOptions): boolean {
  const { role, deflater, thresholdBytes } = sender.terms.agreement;
  return role === "server" && (deflater === undefined || compress === false || size < thresholdBytes);
}

/** A message was written where it leaves from. @param payload only for the debug log */
export function sentInPlace(sender: Sender, payload: Buffer, { binary }: SendOptions): SendResult {
  if (webSocketLog !== undefined)
    webSocketLog(sender.transport, `> ${describeFrame(FIN | (binary === false ? TEXT : BINARY), payload)}`);
  return sent(sender);
}

/** Sends a message whose frames are shared with others. */
export function sendShared(sender: Sender, frames: SharedFrames): SendResult {
  if (!hasRoom(sender, frames.length)) return dropMessage(sender);
  const { deflater, thresholdBytes } = sender.terms.agreement;
  // A client masks each frame for itself.
  if (sender.terms.agreement.role === "client") return sendMessage(sender, frames.data, frames.options);
  if (webSocketLog !== undefined) {
    webSocketLog(sender.transport, `> ${describeFrame(FIN | frames.opcode, frames.data)} (shared)`);
  }
  if (deflater !== undefined && frames.length >= thresholdBytes && frames.options.compress !== false) {
    frames.writeCompressed(sender.transport, deflater);
  } else frames.writePlain(sender.transport);
  return sent(sender);
}

export function sendPing(sender: Sender, data: string | Uint8Array): SendResult {
  if (!hasRoom(sender, 0)) return "dropped";
  sendFrame(sender, FIN | PING_FRAME, data);
  return resultOf(sender);
}

/** Answers a ping. RFC 6455 §5.5.3: of several pings only the last needs an answer. */
export function sendPong(sender: Sender, data: Buffer): void {
  if (sender.transport.pendingBytes > sender.terms.limits.writeHighWaterBytes)
    sender.pendingPong = Buffer.from(data);
  else sendFrame(sender, FIN | PONG_FRAME, data);
}

/**
 * All data has been sent. The answer to a ping that waited for that follows.
 * @returns whether the program waits for it
 */
export function onSent(sender: Sender): boolean {
  const { pendingPong, isSlow } = sender;
  sender.pendingPong = undefined;
  if (pendingPong !== undefined) sendFrame(sender, FIN | PONG_FRAME, pendingPong);
  sender.isSlow = false;
  return isSlow;
}

/** Sends a frame. @param first its first byte: FIN, RSV1 and opcode */
export function sendFrame(sender: Sender, first: number, payload: string | Uint8Array): void {
  const { transport } = sender;
  if (webSocketLog !== undefined) webSocketLog(transport, `> ${describeFrame(first, payload)}`);
  if (sender.terms.agreement.role === "server") writeFrame(transport, first, payload);
  else {
    const options = { maskKey: randomMaskKey(), compressed: (first & RSV1) !== 0 };
    transport.writeBytes(encodeFrame(first & 0x0f, payload, options));
  }
}

/** Whether a message can be sent within the limits for a slow client. */
export function hasRoom(sender: Sender, length: number): boolean {
  const pending = sender.transport.pendingBytes - sender.transport.slackBytes;
  if (pending <= 0) return true;
  const { limits, counters } = sender.terms;
  return (
    pending + length <= limits.maxBackpressureBytes &&
    counters.pendingBytes + length <= limits.maxTotalBackpressureBytes
  );
}

/** Counts a dropped message. */
export function dropMessage(sender: Sender): "dropped" {
  sender.isSlow = true;
  sender.terms.counters.messagesDropped++;
  return "dropped";
}

function sent(sender: Sender): SendResult {
  sender.terms.counters.messagesSent++;
  if (sender.terms.agreement.sendResetsIdle) sender.terms.keepAlive.touch(sender);
  return resultOf(sender);
}

function resultOf(sender: Sender): SendResult {
  const { transport } = sender;
  // The client has disconnected; the program learns of it when it returns. A program with a loop must not continue.
  if (transport.closed) return "closed";
  if (transport.pendingBytes <= transport.slackBytes) return "sent";
  sender.isSlow = true;
  return "queued";
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
      copyPayload(corkBuffer.bytes, start, payload);
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
