/*
 * A plain reader of deflate streams (RFC 1951) to compare with: one bit at a time, everything in lists. It reads as
 * far as the bits go and tells where they end, because a message of permessage-deflate has to end at a flush.
 */

/** The bits have run out. */
class OutOfBits extends Error {}
/** The bits are not a deflate stream. */
class NotDeflate extends Error {}

class Bits {
  private readonly bytes: readonly number[];
  private at: number;

  constructor(bytes: readonly number[], start: number) {
    this.bytes = bytes;
    this.at = start * 8;
  }

  one(): number {
    const byte = this.bytes[this.at >> 3];
    if (byte === undefined) throw new OutOfBits();
    const bit = (byte >> (this.at & 7)) & 1;
    this.at += 1;
    return bit;
  }

  /** RFC 1951 §3.1.1: numbers come with the least significant bit first. */
  number(count: number): number {
    let value = 0;
    for (let place = 0; place < count; place += 1) value |= this.one() << place;
    return value;
  }

  toByte(): void {
    this.at = (this.at + 7) & ~7;
  }

  get byte(): number {
    return (this.at + 7) >> 3;
  }

  get atEnd(): boolean {
    return this.at === this.bytes.length * 8;
  }
}

/** Codes as text of their bits, first bit first. */
type Code = Map<string, number>;

// RFC 1951 §3.2.2. zlib refuses lengths that leave codes unused, except one code of one bit.
function codeOf(lengths: readonly number[], mayBeIncomplete: boolean): Code {
  const code: Code = new Map();
  let next = 0;
  let longest = 0;
  for (let length = 1; length <= 15; length += 1) {
    next <<= 1;
    for (const [symbol, itsLength] of lengths.entries()) {
      if (itsLength !== length) continue;
      if (next >= 1 << length) throw new NotDeflate("more codes than bits");
      code.set(next.toString(2).padStart(length, "0"), symbol);
      next += 1;
      longest = length;
    }
  }
  const complete = next === 1 << 15;
  if (!complete && longest > 0 && !(mayBeIncomplete && longest === 1)) throw new NotDeflate("codes are left");
  return code;
}

function symbolOf(bits: Bits, code: Code): number {
  let text = "";
  while (text.length < 15) {
    text += bits.one();
    const symbol = code.get(text);
    if (symbol !== undefined) return symbol;
    // Of a code of one bit, or none, zlib refuses the other bit at once.
    if (code.size < 2) throw new NotDeflate("no such code");
  }
  throw new NotDeflate("no such code");
}

const lengthBases = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195,
  227, 258,
];
const lengthBits = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const distanceBases = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097,
  6145, 8193, 12289, 16385, 24577,
];
const distanceBits = [
  0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
];
const lengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

const fixedLiterals: Code = codeOf(
  Array.from({ length: 288 }, (_, symbol) => (symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8)),
  false,
);
const fixedDistances: Code = codeOf(new Array<number>(32).fill(5), false);

/** @returns whether the block is empty */
function readStored(bits: Bits, output: number[]): boolean {
  bits.toByte();
  const length = bits.number(16);
  if (length !== (bits.number(16) ^ 0xffff)) throw new NotDeflate("stored length");
  for (let left = length; left > 0; left -= 1) output.push(bits.number(8));
  return length === 0;
}

// RFC 1951 §3.2.7
function readCodes(bits: Bits): [literals: Code, distances: Code] {
  const literalCount = bits.number(5) + 257;
  const distanceCount = bits.number(5) + 1;
  const lengthCount = bits.number(4) + 4;
  if (literalCount > 286 || distanceCount > 30) throw new NotDeflate("too many codes");
  const ofLengths = new Array<number>(19).fill(0);
  for (const symbol of lengthOrder.slice(0, lengthCount)) ofLengths[symbol] = bits.number(3);
  const code = codeOf(ofLengths, false);
  // Without any code zlib reads zeros, one bit each, and then misses the end of block.
  const lengths: number[] = [];
  while (lengths.length < literalCount + distanceCount) {
    const symbol = code.size === 0 ? bits.one() * 0 : symbolOf(bits, code);
    if (symbol < 16) {
      lengths.push(symbol);
      continue;
    }
    if (symbol === 16 && lengths.length === 0) throw new NotDeflate("nothing to repeat");
    const repeated = symbol === 16 ? lengths.at(-1)! : 0;
    const times =
      symbol === 16 ? 3 + bits.number(2) : symbol === 17 ? 3 + bits.number(3) : 11 + bits.number(7);
    if (lengths.length + times > literalCount + distanceCount) throw new NotDeflate("repeats past the end");
    for (let left = times; left > 0; left -= 1) lengths.push(repeated);
  }
  if (lengths[256] === 0) throw new NotDeflate("no end of block");
  return [codeOf(lengths.slice(0, literalCount), true), codeOf(lengths.slice(literalCount), true)];
}

function readBlock(bits: Bits, literals: Code, distances: Code, output: number[], windowStart: number): void {
  for (;;) {
    const symbol = symbolOf(bits, literals);
    if (symbol === 256) return;
    if (symbol < 256) {
      output.push(symbol);
      continue;
    }
    const length = lengthBases[symbol - 257];
    if (length === undefined) throw new NotDeflate("length code");
    const count = length + bits.number(lengthBits[symbol - 257]!);
    const code = symbolOf(bits, distances);
    const distance = distanceBases[code];
    if (distance === undefined) throw new NotDeflate("distance code");
    const back = distance + bits.number(distanceBits[code]!);
    if (back > output.length - windowStart) throw new NotDeflate("before the beginning");
    for (let left = count; left > 0; left -= 1) output.push(output[output.length - back]!);
  }
}

interface Inflated {
  output: number[];
  /** Where the input ends: after a block with BFINAL, after another block, inside one, or before an error. */
  end: "final" | "block" | "inside" | "broken";
  /** The last block is stored and empty. */
  flushed: boolean;
  /** Streams that a block with BFINAL has ended. */
  streams: number;
  /** Of the output, where a later block can refer back to. */
  windowStart: number;
}

/** A block with BFINAL ends a stream; the next one begins at the next byte, with nothing to refer to. */
function inflateAll(input: readonly number[], window: readonly number[]): Inflated {
  const output = [...window];
  const found: Inflated = { output, end: "inside", flushed: false, streams: 0, windowStart: 0 };
  try {
    for (let start = 0; ; ) {
      const bits = new Bits(input, start);
      for (let final = false; !final; ) {
        final = bits.one() === 1;
        const type = bits.number(2);
        found.flushed = false;
        if (type === 0) found.flushed = readStored(bits, output);
        else if (type === 1) readBlock(bits, fixedLiterals, fixedDistances, output, found.windowStart);
        else if (type === 2) readBlock(bits, ...readCodes(bits), output, found.windowStart);
        else throw new NotDeflate("block type");
        if (final) {
          found.streams += 1;
          found.windowStart = output.length;
        } else if (bits.atEnd) return { ...found, end: "block" };
      }
      start = bits.byte;
      if (start >= input.length) return { ...found, end: "final" };
    }
  } catch (error) {
    if (error instanceof OutOfBits) return found;
    if (error instanceof NotDeflate) return { ...found, end: "broken" };
    throw error;
  }
}

const TAIL = [0x00, 0x00, 0xff, 0xff];

export interface InflatedMessage {
  /** What came before an error is there, too. */
  message: number[];
  end: "whole" | "cut short" | "broken";
  /** Blocks with BFINAL. */
  finalBlocks: number;
}

/** Inflates the messages of one connection. RFC 7692 §7.2.2. */
export class ReferenceInflater {
  private window: number[] = [];

  inflate(message: readonly number[]): InflatedMessage {
    // RFC 7692 §7.2.3.6 sends one byte for an empty message; none can mean nothing else.
    if (message.length === 0) return { message: [], end: "whole", finalBlocks: 0 };
    // RFC 7692 §7.2.3.4: where a block with BFINAL ends the message, no tail was taken away.
    const alone = inflateAll(message, this.window);
    const inflated = alone.end === "final" ? alone : inflateAll([...message, ...TAIL], this.window);
    const { output, end, flushed, streams, windowStart } = inflated;
    const told = output.slice(this.window.length);
    this.window = output.slice(windowStart);
    if (end === "broken") return { message: told, end, finalBlocks: streams };
    // RFC 7692 §7.2.1: the tail ends an empty stored block, or the message was not flushed.
    const whole = inflated === alone || (end !== "inside" && flushed);
    return { message: told, end: whole ? "whole" : "cut short", finalBlocks: streams };
  }
}
