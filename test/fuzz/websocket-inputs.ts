import { constants, deflateRawSync } from "node:zlib";
import { MessageDeflater } from "../../src/websocket/message-deflater.ts";
import type { Sample } from "./campaign.ts";
import { Random } from "./random.ts";
import type { WebSocketSetting } from "./reference-reader.ts";

/** One frame, also with a header that says something else than the payload; strings are latin1. */
export interface Frame {
  /** FIN, RSV and opcode. */
  first: number;
  masked: boolean;
  key: number;
  /** The 7 bits of the length and what follows them, in place of what the payload has. */
  length: { short: number; extended: string } | null;
  payload: string;
  /** Bytes in place of a frame. */
  raw: boolean;
}

export type WebSocketSample = Sample<Frame, WebSocketSetting>;

const CONTINUATION = 0;
const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const FIN = 0x80;
const RSV1 = 0x40;

function utf8(text: string): string {
  return Buffer.from(text).toString("latin1");
}

const texts = [
  "",
  "a",
  "hello",
  "x".repeat(23),
  "x".repeat(24),
  "x".repeat(125),
  "x".repeat(126),
  utf8("ä"),
  utf8("€uro"),
  utf8("日本語"),
  utf8("😀😀"),
  utf8(`${"x".repeat(30)}é`),
  utf8("𝄞".repeat(20)),
  utf8("\u{10ffff}\u{ffff}\u0000\u0800\u07ff"),
  utf8("a€".repeat(40)),
] as const;
const binaries = [
  "",
  "\0",
  "\xff\xfe",
  "\x81\x80\x00\x00\x00\x00",
  "\0".repeat(200),
  "\x80".repeat(30),
  "0123456789abcdef",
] as const;
const brokenTexts = [
  "\x80",
  "\xc0\x80",
  "\xc1\xbf",
  "\xc2",
  "\xe0\x80\x80",
  "\xe0\x9f\xbf",
  "\xe2\x82",
  "\xed\xa0\x80",
  "\xed\xbf\xbf",
  "\xf0\x80\x80\x80",
  "\xf0\x9f\x98",
  "\xf4\x90\x80\x80",
  "\xf5\x80\x80\x80",
  "\xf8\x88\x80\x80\x80",
  "\xff",
  "\xfe",
  `${"a".repeat(40)}\xc3`,
  `${"a".repeat(40)}\xff`,
  "\xe2\x28\xa1",
  "\xf0\x9f",
] as const;
const closePayloads = [
  "",
  "\x03\xe8",
  "\x03\xe9bye",
  "\x03\xf0",
  "\x03\xf6",
  "\x0b\xb8",
  "\x13\x87",
  `\x03\xe8${utf8("schön")}`,
  `\x03\xe8${"r".repeat(123)}`,
] as const;
const brokenCloses = [
  "\x03",
  "\x00\x00",
  "\x03\xe7",
  "\x03\xec",
  "\x03\xed",
  "\x03\xee",
  "\x03\xf7",
  "\x07\xcf",
  "\x0b\xb7",
  "\x13\x88",
  "\xff\xff",
  "\x03\xe8\x80",
  "\x03\xe8\xed\xa0\x80",
  `\x03\xe8${"r".repeat(122)}\xc3`,
] as const;
const lengths = [
  { short: 126, extended: "\0\0" },
  { short: 126, extended: "\0\x7d" },
  { short: 126, extended: "\0\x7e" },
  { short: 126, extended: "\xff\xff" },
  { short: 126, extended: "" },
  { short: 127, extended: "\0\0\0\0\0\0\0\x05" },
  { short: 127, extended: "\0\0\0\0\0\0\xff\xff" },
  { short: 127, extended: "\0\0\0\0\0\x01\0\0" },
  { short: 127, extended: "\0\0\0\0\x80\0\0\0" },
  { short: 127, extended: "\0\0\0\x01\0\0\0\0" },
  { short: 127, extended: "\0\x1f\xff\xff\xff\xff\xff\xff" },
  { short: 127, extended: "\0\x20\0\0\0\0\0\0" },
  { short: 127, extended: "\x7f\xff\xff\xff\xff\xff\xff\xff" },
  { short: 127, extended: "\x80\0\0\0\0\0\0\0" },
  { short: 127, extended: "\xff\xff\xff\xff\xff\xff\xff\xff" },
  { short: 127, extended: "\0\0" },
  { short: 125, extended: "" },
  { short: 0, extended: "" },
] as const;
const limits = [1 << 20, 1 << 20, 1 << 20, 1 << 20, 125, 40, 1000, 70_000] as const;

interface Packed {
  plain: string;
  wire: string;
}

/** Compressed forms of short messages, made once: each level, strategy and way of ending. RFC 7692 §7.2.3. */
function packedMessages(): Packed[] {
  const plains = [
    ...texts,
    ...binaries,
    "ab".repeat(300),
    "hello hello hello hello",
    utf8("日本語".repeat(9)),
  ];
  const packed: Packed[] = [];
  for (const plain of plains) {
    for (const [level, strategy] of [
      [0, 0],
      [1, 0],
      [6, 0],
      [9, constants.Z_FIXED],
      [6, constants.Z_HUFFMAN_ONLY],
      [6, constants.Z_RLE],
    ] as const) {
      const bytes = Buffer.from(plain, "latin1");
      const flushed = deflateRawSync(bytes, { level, strategy, finishFlush: constants.Z_SYNC_FLUSH });
      packed.push({ plain, wire: plain === "" ? "\0" : flushed.toString("latin1", 0, flushed.length - 4) });
      const final = deflateRawSync(bytes, { level, strategy }).toString("latin1");
      packed.push({ plain, wire: `${final}\0` }, { plain, wire: final });
    }
  }
  return packed;
}

/** Messages that refer to those before them. */
function conversations(): Packed[][] {
  const random = new Random().begin(1, 1);
  return Array.from({ length: 64 }, () => {
    const deflater = new MessageDeflater({
      contextTakeover: true,
      windowBits: 9 + random.below(7),
      level: 6,
      memLevel: 4,
    });
    const conversation = Array.from({ length: 4 }, () => {
      const plain = random.pick(random.oneIn(2) ? texts : binaries);
      return { plain, wire: deflater.compress(Buffer.from(plain, "latin1")).toString("latin1") };
    });
    deflater.close();
    return conversation;
  });
}

const packed = packedMessages();
const talks = conversations();

/** Blocks of fixed codes and stored bytes with anything in them. RFC 1951 §3.2.4, §3.2.6. */
function anyBlocks(random: Random): string {
  const bits: number[] = [];
  const put = (value: number, count: number): void => {
    for (let place = 0; place < count; place += 1) bits.push((value >> place) & 1);
  };
  const code = (value: number, count: number): void => {
    for (let place = count - 1; place >= 0; place -= 1) bits.push((value >> place) & 1);
  };
  for (let left = random.few(4); left >= 0; left -= 1) {
    put(random.oneIn(3) ? 1 : 0, 1);
    const type = random.oneIn(12) ? 2 + random.below(2) : random.below(2);
    put(type, 2);
    if (type === 0) {
      while (bits.length % 8 !== 0) bits.push(0);
      const length = random.few(6);
      put(length, 16);
      put(random.oneIn(12) ? length : length ^ 0xffff, 16);
      for (let byte = length; byte > 0; byte -= 1) put(random.below(128), 8);
    } else if (type === 1) {
      for (let symbol = random.few(8); symbol > 0; symbol -= 1) {
        if (random.oneIn(2)) code(0x30 + random.below(128), 8);
        else {
          code(random.oneIn(16) ? 23 : 1 + random.below(8), 7);
          code(random.oneIn(2) ? 0 : random.below(random.oneIn(8) ? 32 : 6), 5);
          if (random.oneIn(3)) put(random.bits() >>> 0, random.below(6));
        }
      }
      if (!random.oneIn(8)) code(0, 7);
    } else {
      for (let byte = random.below(20); byte > 0; byte -= 1) put(random.below(256), 8);
    }
    if (random.oneIn(3)) while (bits.length % 8 !== 0) bits.push(0);
  }
  let bytes = "";
  for (let at = 0; at < bits.length; at += 8) {
    let byte = 0;
    for (let place = 0; place < 8; place += 1) byte |= (bits[at + place] ?? 0) << place;
    bytes += String.fromCharCode(byte);
  }
  return bytes;
}

function frame(first: number, payload: string, setting: WebSocketSetting, random: Random): Frame {
  const key = random.oneIn(8) ? 0 : random.bits();
  return { first, masked: setting.role === "server", key, length: null, payload, raw: false };
}

/** Messages in fragments with control frames between them, as RFC 6455 §5.4 allows. */
function conversation(setting: WebSocketSetting, random: Random): { frames: Frame[]; expected: string } {
  const frames: Frame[] = [];
  let expected = "";
  const talk = random.pick(talks);
  let said = 0;
  for (let left = random.few(4); left >= 0; left -= 1) {
    const text = random.oneIn(2);
    let plain: string = random.pick(text ? texts : binaries);
    if (random.oneIn(20_000)) plain = "y".repeat(65_400 + random.below(300));
    let payload = plain;
    let rsv1 = 0;
    let opcode = text ? TEXT : BINARY;
    if (setting.deflate !== "no" && !random.oneIn(4)) {
      const chosen = setting.deflate === "context" ? talk[said++] : random.pick(packed);
      if (chosen === undefined) break;
      ({ plain, wire: payload } = chosen);
      rsv1 = RSV1;
      if (binaries.some((one) => one === plain)) opcode = BINARY;
    }
    const name = opcode === TEXT ? "text" : "binary";
    for (let fragments = random.few(4); fragments > 0; fragments -= 1) {
      const cut = random.below(payload.length + 1);
      frames.push(frame(opcode | rsv1, payload.slice(0, cut), setting, random));
      payload = payload.slice(cut);
      opcode = CONTINUATION;
      rsv1 = 0;
      if (random.oneIn(3)) expected += addControl(frames, setting, random);
    }
    frames.push(frame(FIN | opcode | rsv1, payload, setting, random));
    expected += `${name} ${plain}\n`;
    if (random.oneIn(4)) expected += addControl(frames, setting, random);
  }
  if (random.oneIn(5)) {
    const payload = random.pick(closePayloads);
    frames.push(frame(FIN | CLOSE, payload, setting, random));
    const code = payload === "" ? 1005 : payload.charCodeAt(0) * 256 + payload.charCodeAt(1);
    expected += `close ${code} ${payload.slice(2)}\n`;
  }
  return { frames, expected };
}

function addControl(frames: Frame[], setting: WebSocketSetting, random: Random): string {
  const ping = random.oneIn(2);
  const payload = random.pick(["", "p", "\0\xff", "x".repeat(125)]);
  frames.push(frame(FIN | (PING + (ping ? 0 : 1)), payload, setting, random));
  return `${ping ? "ping" : "pong"} ${payload}\n`;
}

function change(frames: Frame[], setting: WebSocketSetting, random: Random): void {
  if (frames.length === 0) return;
  const at = random.below(frames.length);
  const one = frames[at]!;
  const { payload } = one;
  switch (random.below(16)) {
    case 0:
      frames.splice(at, 1);
      break;
    case 1:
      frames.splice(at, 0, { ...one });
      break;
    case 2:
      frames[at] = frames[0]!;
      frames[0] = one;
      break;
    case 3:
      one.first ^= FIN;
      break;
    case 4:
      one.first ^= random.pick([0x10, 0x20, RSV1, RSV1, RSV1]);
      break;
    case 5:
      one.first = (one.first & 0xf0) | random.pick([0, 1, 2, 3, 7, 8, 9, 10, 11, 15]);
      break;
    case 6:
      one.masked = !one.masked;
      break;
    case 7:
      one.length = random.pick(lengths);
      break;
    case 8:
      one.length = { short: random.below(128), extended: random.oneIn(2) ? "" : "\0\x80" };
      break;
    case 9:
      one.payload = random.pick(random.oneIn(3) ? texts : brokenTexts);
      break;
    case 10:
      one.payload = payload + random.pick(brokenTexts);
      break;
    case 11: {
      const inside = random.below(payload.length + 1);
      one.payload =
        payload.slice(0, inside) + String.fromCharCode(random.below(256)) + payload.slice(inside + 1);
      break;
    }
    case 12:
      one.payload = payload.slice(0, random.below(payload.length + 1));
      break;
    case 13:
      frames.splice(at, 0, frame(FIN | CLOSE, random.pick(brokenCloses), setting, random));
      break;
    case 14:
      one.payload = payload + "z".repeat(random.pick([1, 10, 126]));
      break;
    default:
      if (setting.deflate === "no") one.payload = random.pick(binaries) + payload;
      else {
        one.payload = anyBlocks(random);
        one.first |= RSV1;
      }
  }
}

function bytes(payload: string): Frame {
  return { first: 0, masked: false, key: 0, length: null, payload, raw: true };
}

function settingFor(random: Random): WebSocketSetting {
  const choice = random.below(16);
  return {
    role: random.oneIn(6) ? "client" : "server",
    maxMessageBytes: 1 << 20,
    deflate: choice < 12 ? "no" : choice < 15 ? "shared" : "context",
  };
}

export function webSocketSample(random: Random): WebSocketSample {
  const choice = random.below(20);
  const setting = settingFor(random);
  if (choice < 4) {
    const { frames, expected } = conversation(setting, random);
    return { kind: "valid", items: frames, setting, expected };
  }
  if (choice < 17) {
    const { frames } = conversation(setting, random);
    for (let left = 1 + random.few(3); left > 0; left -= 1) change(frames, setting, random);
    setting.maxMessageBytes = random.pick(limits);
    return { kind: "nearly", items: frames, setting, expected: null };
  }
  setting.maxMessageBytes = random.pick(limits);
  const items: Frame[] = [];
  if (choice < 19) {
    // Frames without regard to those before them.
    for (let left = random.few(6); left >= 0; left -= 1) {
      const first = random.pick([0x81, 0x82, 0x01, 0x02, 0x00, 0x80, 0x89, 0x8a, 0x88, 0xc1, 0x41, 0xc2]);
      items.push(frame(first, random.pick(random.oneIn(2) ? texts : binaries), setting, random));
      if (random.oneIn(6)) change(items, setting, random);
    }
    return { kind: "soup", items, setting, expected: null };
  }
  if (random.oneIn(2))
    items.push(frame(random.pick([0x01, 0x81, 0xc1]), random.pick(texts), setting, random));
  let any = "";
  for (let left = random.below(60); left >= 0; left -= 1) any += String.fromCharCode(random.below(256));
  items.push(bytes(any));
  return { kind: "random", items, setting, expected: null };
}

/** The bytes of all frames as latin1. RFC 6455 §5.2. */
export function encodeFrames(frames: readonly Frame[]): string {
  let text = "";
  for (const { first, masked, key, length, payload, raw } of frames) {
    if (raw) {
      text += payload;
      continue;
    }
    const size = payload.length;
    const short = length?.short ?? (size < 126 ? size : size < 65_536 ? 126 : 127);
    const extended = length?.extended ?? (size < 126 ? "" : size < 65_536 ? big(size, 2) : big(size, 8));
    text += String.fromCharCode(first, short | (masked ? 0x80 : 0)) + extended;
    text += masked ? big(key >>> 0, 4) + mask(payload, key) : payload;
  }
  return text;
}

function big(value: number, count: number): string {
  let text = "";
  for (let left = count, rest = value; left > 0; left -= 1, rest = Math.floor(rest / 256)) {
    text = String.fromCharCode(rest % 256) + text;
  }
  return text;
}

function mask(payload: string, key: number): string {
  if (key === 0) return payload;
  let text = "";
  for (let at = 0; at < payload.length; at += 1) {
    text += String.fromCharCode(payload.charCodeAt(at) ^ ((key >>> (24 - 8 * (at % 4))) & 255));
  }
  return text;
}
