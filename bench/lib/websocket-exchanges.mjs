// WebSocket messages that a load sends again and again, as frames, and the frames that it expects.
import { constants, deflateRawSync } from "node:zlib";
import { HOST, paths } from "./workload.mjs";

/** @typedef {{ text: boolean, payload: Buffer, request: Buffer, answer: Buffer }} WebSocketExchange */

const CYCLE_BYTES = 1 << 16;
const TEXT_FRAME = 0x81;
const BINARY_FRAME = 0x82;
export const COMPRESSED_BIT = 0x40;
const EXTENSION = "permessage-deflate; client_no_context_takeover; server_no_context_takeover";
/** What ends every flush and is left out. RFC 7692 §7.2.1. */
export const FLUSH_END = Buffer.from([0x00, 0x00, 0xff, 0xff]);
const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/** @type {Readonly<Partial<Record<import("./peers.mjs").Feature, string>>>} */
const pathsOf = { deflate: paths.deflate, topic: paths.topic, "topic-deflate": paths.topicDeflate };

/** @param {import("./cells.mjs").Cell} cell */
export function isCompressed(cell) {
  return cell.needs === "deflate" || cell.needs === "topic-deflate";
}

/** @param {import("./cells.mjs").Cell} cell */
export function handshakeRequest(cell) {
  const path = pathsOf[cell.needs] ?? paths.echo;
  const extension = isCompressed(cell) ? `Sec-WebSocket-Extensions: ${EXTENSION}\r\n` : "";
  return (
    `GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n${extension}\r\n`
  );
}

/** For the bare server. @param {import("./cells.mjs").Cell} cell */
export function handshakeAnswer(cell) {
  const extension = isCompressed(cell) ? `Sec-WebSocket-Extensions: ${EXTENSION}\r\n` : "";
  return (
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    `Sec-WebSocket-Accept: ${ACCEPT}\r\n${extension}\r\n`
  );
}

/** @param {import("./cells.mjs").Cell} cell @returns {WebSocketExchange[]} */
export function webSocketExchanges(cell) {
  const { size = 0, depth } = cell;
  const count = Math.max(2, depth, Math.floor(CYCLE_BYTES / (size + 14)));
  const compressed = isCompressed(cell);
  return Array.from({ length: count }, (_, index) => {
    const payload = compressed ? json(size, index) : letters(size, index);
    return webSocketExchange(payload, compressed, compressed, index);
  });
}

/**
 * @param {Buffer} payload
 * @param {boolean} text
 * @param {boolean} compressed
 * @param {number} index gives the mask
 * @returns {WebSocketExchange}
 */
export function webSocketExchange(payload, text, compressed, index) {
  const first = (text ? TEXT_FRAME : BINARY_FRAME) | (compressed ? COMPRESSED_BIT : 0);
  const data = compressed ? compress(payload) : payload;
  const mask = Buffer.from([0, 1, 2, 3].map((k) => (0x12 + 59 * index + 71 * k) & 0xff));
  const masked = Buffer.from(data.map((byte, at) => byte ^ (mask[at & 3] ?? 0)));
  return {
    text,
    payload,
    request: Buffer.concat([frameHead(first, data.length, 0x80), mask, masked]),
    answer: Buffer.concat([frameHead(first, data.length, 0), data]),
  };
}

/**
 * One whole message in one frame. RFC 6455 §5.2.
 * @param {number} first
 * @param {number} length
 * @param {number} maskBit
 */
function frameHead(first, length, maskBit) {
  if (length < 126) return Buffer.from([first, maskBit | length]);
  if (length < 65_536) return Buffer.from([first, maskBit | 126, length >> 8, length & 0xff]);
  const head = Buffer.alloc(10);
  head[0] = first;
  head[1] = maskBit | 127;
  head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}

/** @param {Buffer} payload */
function compress(payload) {
  const flushed = deflateRawSync(payload, { finishFlush: constants.Z_SYNC_FLUSH });
  return flushed.subarray(0, flushed.length - FLUSH_END.length);
}

/**
 * The alphabet, from another letter on for each message.
 * @param {number} size
 * @param {number} index
 */
function letters(size, index) {
  return Buffer.from(Array.from({ length: size }, (_, at) => 97 + ((index + at) % 26)));
}

/**
 * A list of records such as a game would send, with a text that fills it up.
 * @param {number} size
 * @param {number} index
 */
function json(size, index) {
  const players = Array.from({ length: 10 }, (_, player) => {
    const seed = (index + 1) * (player + 3) * 7_919;
    return {
      id: seed % 10_007,
      name: `player-${player}`,
      x: seed % 1_920,
      y: seed % 1_080,
      alive: seed % 3 > 0,
    };
  });
  const text = JSON.stringify({ type: "state", tick: 100_000 + index, players, note: "" });
  return Buffer.from(`${text.slice(0, -2)}${"all is well; ".repeat(size).slice(0, size - text.length)}"}`);
}
