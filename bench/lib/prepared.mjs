// What the servers `net` and `handles` answer with, and how they take the mask off payloads. They check nothing.
import { BYTES, blobs, greeting, TEXT } from "./workload.mjs";

/** The answer to the handshake of the loads, which all use the key of RFC 6455 §1.3. */
export const UPGRADE =
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
  "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

export const smallAnswer = answer(TEXT, Buffer.from(greeting)).toString("latin1");
/** By path. */
export const largeAnswers = new Map(Object.entries(blobs).map(([path, blob]) => [path, answer(BYTES, blob)]));

/** Below this many bytes a view by words costs more than it saves. */
const WORDS_FROM = 64;

/** @param {string} type @param {Buffer} content */
function answer(type, content) {
  const head = `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nContent-Length: ${content.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), content]);
}

/**
 * The size of a frame's header without its key, and the length of its payload.
 * @param {Uint8Array} bytes @param {number} at
 * @returns {[size: number, length: number]}
 */
export function headerAt(bytes, at) {
  const octet = (/** @type {number} */ index) => bytes[at + index] ?? 0;
  const short = octet(1) & 127;
  if (short < 126) return [2, short];
  if (short === 126) return [4, octet(2) * 256 + octet(3)];
  return [10, ((octet(6) * 256 + octet(7)) * 256 + octet(8)) * 256 + octet(9)];
}

/**
 * Takes the mask off in place.
 * @param {Uint8Array} bytes @param {number} start @param {number} end
 * @param {number} key its bytes on the wire, the first one lowest
 * @param {number} offset of `start` in the payload
 */
export function unmask(bytes, start, end, key, offset) {
  let at = start;
  const octets = (/** @type {number} */ until) => {
    for (; at < until; at++) bytes[at] = (bytes[at] ?? 0) ^ (key >>> (((offset + at - start) & 3) * 8));
  };
  const { buffer, byteOffset } = bytes;
  if (end - start >= WORDS_FROM) {
    octets(at + (-(byteOffset + at) & 3));
    const turn = ((offset + at - start) & 3) * 8;
    const turned = (key >>> turn) | (key << (32 - turn));
    const words = new Uint32Array(buffer, byteOffset + at, (end - at) >>> 2);
    for (let i = 0; i < words.length; i++) words[i] = (words[i] ?? 0) ^ turned;
    at += words.length * 4;
  }
  octets(end);
}

/** @param {Uint8Array} bytes @param {number} at */
export function keyAt(bytes, at) {
  const octet = (/** @type {number} */ index) => bytes[at + index] ?? 0;
  return octet(0) | (octet(1) << 8) | (octet(2) << 16) | (octet(3) << 24);
}
