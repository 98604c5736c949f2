// The answers' bytes, checked before each load, so that nothing fast and wrong is measured.
import { constants, inflateRawSync } from "node:zlib";
import { headLength, RawClient } from "./raw-client.mjs";
import {
  COMPRESSED_BIT,
  FLUSH_END,
  handshakeRequest,
  isCompressed,
  webSocketExchange,
} from "./websocket-exchanges.mjs";

/** @typedef {import("./cells.mjs").Cell} Cell */
/** @typedef {import("./http-exchanges.mjs").HttpExchange} HttpExchange */
/** @typedef {import("./websocket-exchanges.mjs").WebSocketExchange} WebSocketExchange */

/** WebSocket messages that are checked where the frames of the answers are known beforehand. */
const CHECKED_MESSAGES = 64;

/**
 * @param {number} port
 * @param {Cell} cell
 * @param {readonly HttpExchange[]} exchanges
 */
export async function checkHttp(port, cell, exchanges) {
  let client = await RawClient.open(port, cell.tls);
  for (let at = 0; at < exchanges.length; at += cell.depth) {
    const batch = exchanges.slice(at, at + cell.depth);
    client.write(Buffer.concat(batch.map(({ request }) => request)));
    for (const exchange of batch) {
      const head = (await client.take(headLength)).toString("latin1");
      const content = await client.take(() => exchange.content.length);
      checkHead(head, exchange);
      if (!content.equals(exchange.content)) throw new Error(`wrong content: ${content.subarray(0, 100)}`);
    }
    if (cell.churn) {
      client.close();
      client = await RawClient.open(port, cell.tls);
    }
  }
  if (client.buffered.length > 0)
    throw new Error(`more than was asked for: ${client.buffered.subarray(0, 100)}`);
  client.close();
}

/**
 * @param {string} head
 * @param {HttpExchange} exchange
 */
function checkHead(head, { type, content }) {
  const right =
    head.startsWith("HTTP/1.1 200 ") &&
    RegExp(`\r\nContent-Type: ?${type}(?:;[^\r]*)?\r\n`, "i").test(head) &&
    RegExp(`\r\nContent-Length: ?${content.length}\r\n`, "i").test(head);
  if (!right) throw new Error(`wrong answer: ${JSON.stringify(head)}`);
}

/**
 * Echoes, or broadcasts to two. Servers may compress differently, but each always in the same way.
 * @param {number} port
 * @param {Cell} cell
 * @param {readonly WebSocketExchange[]} exchanges
 * @returns {Promise<readonly Buffer[]>} the frames that this server answers with
 */
export async function checkWebSocket(port, cell, exchanges) {
  const compressed = isCompressed(cell);
  const clients = [await openWebSocket(port, cell)];
  const [first] = clients;
  if (cell.kind === "broadcast") clients.push(await openWebSocket(port, cell));
  if (!compressed && cell.kind !== "broadcast") {
    const text = webSocketExchange(Buffer.from("Grüße, 世界"), true, false, 7);
    first?.write(text.request);
    await takeMessage(first, text, false);
  }
  /** @type {Buffer[]} */
  const frames = [];
  for (const exchange of compressed ? exchanges : exchanges.slice(0, CHECKED_MESSAGES)) {
    first?.write(exchange.request);
    for (const client of clients) frames.push(await takeMessage(client, exchange, compressed));
  }
  for (const client of clients) client.close();
  return compressed
    ? frames.filter((_, index) => index % clients.length === 0)
    : exchanges.map(({ answer }) => answer);
}

/**
 * @param {number} port
 * @param {Cell} cell
 */
export async function openWebSocket(port, cell) {
  const client = await RawClient.open(port, cell.tls);
  client.write(handshakeRequest(cell));
  const head = (await client.take(headLength)).toString("latin1");
  if (!head.startsWith("HTTP/1.1 101 ")) throw new Error(`wrong handshake: ${JSON.stringify(head)}`);
  const agreed = /^sec-websocket-extensions: ?(.*)$/im.exec(head)?.[1] ?? "";
  if (isCompressed(cell) !== agreed.includes("server_no_context_takeover")) {
    throw new Error(`unexpected extensions: "${agreed}"`);
  }
  return client;
}

/**
 * @param {RawClient | undefined} client
 * @param {WebSocketExchange} expected
 * @param {boolean} compressed
 * @returns {Promise<Buffer>} the frame
 */
async function takeMessage(client, { text, payload }, compressed) {
  if (client === undefined) throw new Error("no connection");
  const frame = await client.take(frameLength);
  const data = frame.subarray(frameHeadLength(frame));
  const first = (text ? 0x81 : 0x82) | (compressed ? COMPRESSED_BIT : 0);
  const content = compressed
    ? inflateRawSync(Buffer.concat([data, FLUSH_END]), { finishFlush: constants.Z_SYNC_FLUSH })
    : data;
  if (frame[0] !== first || !content.equals(payload)) {
    throw new Error(`wrong message: ${frame.subarray(0, 4).toString("hex")} ${content.subarray(0, 100)}`);
  }
  return frame;
}

/** @param {Buffer} bytes */
function frameHeadLength(bytes) {
  const short = (bytes[1] ?? 0) & 0x7f;
  return short === 126 ? 4 : short === 127 ? 10 : 2;
}

/** The length of the frame that bytes begin with, 0 while it is unknown. @param {Buffer} bytes */
function frameLength(bytes) {
  const head = frameHeadLength(bytes);
  if (bytes.length < Math.max(2, head)) return 0;
  if (head === 2) return 2 + ((bytes[1] ?? 0) & 0x7f);
  return head + (head === 4 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2)));
}
