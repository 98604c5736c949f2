// The two binary messages, little-endian. Everything else is JSON in text messages.
//
//   input     u8 1   u32 seq   i8 dx   i8 dy
//   snapshot  u8 2   u32 tick   u16 players   u8 coins
//             per player: u16 id   u32 ack   u16 x   u16 y   u16 score
//             per coin:   u16 x   u16 y
const INPUT = 1;
const SNAPSHOT = 2;
const INPUT_BYTES = 7;
const HEAD_BYTES = 8;
const PLAYER_BYTES = 12;
const COIN_BYTES = 4;

/** @param {import("./protocol.d.ts").Input} input */
export function encodeInput({ seq, dx, dy }) {
  const view = new DataView(new ArrayBuffer(INPUT_BYTES));
  view.setUint8(0, INPUT);
  view.setUint32(1, seq, true);
  view.setInt8(5, dx);
  view.setInt8(6, dy);
  return new Uint8Array(view.buffer);
}

/** @param {Uint8Array} bytes @returns undefined for bytes that are not an input */
export function decodeInput(bytes) {
  if (bytes.length !== INPUT_BYTES || bytes[0] !== INPUT) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return { seq: view.getUint32(1, true), dx: view.getInt8(5), dy: view.getInt8(6) };
}

/** @param {import("./protocol.d.ts").Snapshot} snapshot */
export function encodeSnapshot({ tick, players, coins }) {
  const size = HEAD_BYTES + players.length * PLAYER_BYTES + coins.length * COIN_BYTES;
  const view = new DataView(new ArrayBuffer(size));
  view.setUint8(0, SNAPSHOT);
  view.setUint32(1, tick, true);
  view.setUint16(5, players.length, true);
  view.setUint8(7, coins.length);
  let at = HEAD_BYTES;
  for (const { id, ack, x, y, score } of players) {
    view.setUint16(at, id, true);
    view.setUint32(at + 2, ack, true);
    view.setUint16(at + 6, x, true);
    view.setUint16(at + 8, y, true);
    view.setUint16(at + 10, score, true);
    at += PLAYER_BYTES;
  }
  for (const { x, y } of coins) {
    view.setUint16(at, x, true);
    view.setUint16(at + 2, y, true);
    at += COIN_BYTES;
  }
  return new Uint8Array(view.buffer);
}

/** @param {Uint8Array} bytes as they came from {@link encodeSnapshot} */
export function decodeSnapshot(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const players = [];
  const coins = [];
  let at = HEAD_BYTES;
  for (let i = view.getUint16(5, true); i > 0; i--, at += PLAYER_BYTES) {
    players.push({
      id: view.getUint16(at, true),
      ack: view.getUint32(at + 2, true),
      x: view.getUint16(at + 6, true),
      y: view.getUint16(at + 8, true),
      score: view.getUint16(at + 10, true),
    });
  }
  for (let i = view.getUint8(7); i > 0; i--, at += COIN_BYTES) {
    coins.push({ x: view.getUint16(at, true), y: view.getUint16(at + 2, true) });
  }
  return { tick: view.getUint32(1, true), players, coins };
}
