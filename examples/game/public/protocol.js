// The two binary messages, little-endian. Everything else is JSON in text messages.
//
//   input     u32 seq   i8 dx   i8 dy
//   snapshot  u32 tick   f64 server's time in ms   u32 ack   u16 players
//             per player: u32 id   u16 x   u16 y   u16 score   u16 length of the name   UTF-8
//             per coin, to the end: u16 x   u16 y
const INPUT_BYTES = 6;
const utf8 = new TextDecoder();

/** @param {import("./protocol.d.ts").Input} input */
export function encodeInput({ seq, dx, dy }) {
  const view = new DataView(new ArrayBuffer(INPUT_BYTES));
  view.setUint32(0, seq, true);
  view.setInt8(4, dx);
  view.setInt8(5, dy);
  return new Uint8Array(view.buffer);
}

/** @param {Uint8Array} bytes @returns undefined for bytes that are not an input */
export function decodeInput(bytes) {
  if (bytes.length !== INPUT_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return { seq: view.getUint32(0, true), dx: view.getInt8(4), dy: view.getInt8(5) };
}

/** @param {Uint8Array} bytes as the server has written them */
export function decodeSnapshot(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 18;
  const u16 = () => {
    at += 2;
    return view.getUint16(at - 2, true);
  };
  const players = Array.from({ length: view.getUint16(16, true) }, () => {
    const player = { id: u16() + u16() * 65_536, x: u16(), y: u16(), score: u16(), name: "" };
    const end = u16() + at;
    player.name = utf8.decode(bytes.subarray(at, end));
    at = end;
    return player;
  });
  const coins = [];
  while (at < bytes.length) coins.push({ x: u16(), y: u16() });
  return {
    tick: view.getUint32(0, true),
    timeMs: view.getFloat64(4, true),
    ack: view.getUint32(12, true),
    players,
    coins,
  };
}
