import { constants, deflateRawSync } from "node:zlib";
import { MessageDeflater } from "../../src/protocol/websocket/message-deflater.ts";
import { listOf } from "../support/bytes.ts";
import { Random } from "../support/random.ts";

function utf8(text: string): string {
  return Buffer.from(text).toString("latin1");
}

export const texts = [
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
export const binaries = [
  "",
  "\0",
  "\xff\xfe",
  "\x81\x80\x00\x00\x00\x00",
  "\0".repeat(200),
  "\x80".repeat(30),
  "0123456789abcdef",
] as const;
export const brokenTexts = [
  ...listOf(
    "\x80¦\xc0\x80¦\xc1\xbf¦\xc2¦\xe0\x80\x80¦\xe0\x9f\xbf¦\xe2\x82¦\xed\xa0\x80¦\xed\xbf\xbf",
    "\xf0\x80\x80\x80¦\xf0\x9f\x98¦\xf4\x90\x80\x80¦\xf5\x80\x80\x80¦\xf8\x88\x80\x80\x80¦\xff¦\xfe",
  ),
  `${"a".repeat(40)}\xc3`,
  `${"a".repeat(40)}\xff`,
  "\xe2\x28\xa1",
  "\xf0\x9f",
] as const;
export const closePayloads = [
  ...listOf("¦\x03\xe8¦\x03\xe9bye¦\x03\xf0¦\x03\xf6¦\x0b\xb8¦\x13\x87"),
  `\x03\xe8${utf8("schön")}`,
  `\x03\xe8${"r".repeat(123)}`,
] as const;
export const brokenCloses = [
  ...listOf(
    "\x03¦\x00\x00¦\x03\xe7¦\x03\xec¦\x03\xed¦\x03\xee¦\x03\xf7¦\x07\xcf¦\x0b\xb7¦\x13\x88¦\xff\xff",
    "\x03\xe8\x80¦\x03\xe8\xed\xa0\x80",
  ),
  `\x03\xe8${"r".repeat(122)}\xc3`,
] as const;
export const lengths = [
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
export const limits = [1 << 20, 1 << 20, 1 << 20, 1 << 20, 125, 40, 1000, 70_000] as const;

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

export const packed = packedMessages();
export const talks = conversations();

/** Blocks of fixed codes and stored bytes with anything in them. RFC 1951 §3.2.4, §3.2.6. */
export function anyBlocks(random: Random): string {
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
