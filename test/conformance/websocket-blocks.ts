// Deflate blocks, bit by bit. RFC 1951 §3.2.
import { Buffer } from "node:buffer";

/** A copy of what came `distance` bytes before. RFC 1951 §3.2.5. */
export interface Copy {
  readonly length: number;
  readonly distance: number;
}

const END_OF_BLOCK = 256;

/** Writes blocks one after the other. */
export class Blocks {
  private readonly bytes: number[] = [];
  private pending = 0;
  private count = 0;

  /** A block with no compression, §3.2.4; `announced` in place of the data's own length. */
  stored(data: string | Uint8Array, final = false, announced?: number): this {
    const payload = Buffer.from(data);
    const length = announced ?? payload.length;
    this.header(0, final).align();
    this.bytes.push(length & 255, length >> 8, ~length & 255, (~length >> 8) & 255, ...payload);
    return this;
  }

  /** A block with the fixed codes, §3.2.6. */
  fixed(parts: readonly (string | Uint8Array | Copy)[], final = false): this {
    this.header(1, final);
    for (const part of parts) {
      if (typeof part === "string" || part instanceof Uint8Array) {
        for (const byte of Buffer.from(part)) this.symbol(byte);
      } else this.copy(part);
    }
    return this.symbol(END_OF_BLOCK);
  }

  /** A header with any type, 3 of which is reserved; nothing follows. */
  header(type: number, final = false): this {
    return this.bits(final ? 1 : 0, 1).bits(type, 2);
  }

  /** Zeros up to the next byte, as after a block with BFINAL (RFC 7692 §7.2.1). */
  align(): this {
    if (this.count > 0) this.bits(0, 8 - this.count);
    return this;
  }

  /** Least significant bit first. */
  bits(value: number, count: number): this {
    for (let bit = 0; bit < count; bit++) {
      this.pending |= ((value >> bit) & 1) << this.count;
      if (++this.count < 8) continue;
      this.bytes.push(this.pending);
      this.pending = 0;
      this.count = 0;
    }
    return this;
  }

  /** What is there so far, filled up with zeros. */
  get cut(): Buffer {
    return Buffer.from(this.count > 0 ? [...this.bytes, this.pending] : this.bytes);
  }

  /** The payload of a message: ends with the header of an empty block whose other bytes are left out (§7.2.1). */
  get message(): Buffer {
    this.header(0).align();
    return this.cut;
  }

  private symbol(value: number): this {
    if (value < 144) return this.code(0x30 + value, 8);
    if (value < 256) return this.code(0x190 + value - 144, 9);
    if (value < 280) return this.code(value - 256, 7);
    return this.code(0xc0 + value - 280, 8);
  }

  private copy({ length, distance }: Copy): void {
    const [lengthCode, lengthBits, lengthRest] = lengthSymbol(length);
    this.symbol(lengthCode).bits(lengthRest, lengthBits);
    const [distanceCode, distanceBits, distanceRest] = distanceSymbol(distance);
    this.code(distanceCode, 5).bits(distanceRest, distanceBits);
  }

  // Codes, unlike numbers, begin with their most significant bit.
  private code(value: number, count: number): this {
    for (let bit = count - 1; bit >= 0; bit--) this.bits((value >> bit) & 1, 1);
    return this;
  }
}

type Coded = readonly [code: number, extraBits: number, extra: number];

function lengthSymbol(length: number): Coded {
  if (length === 258) return [285, 0, 0];
  if (length < 11) return [254 + length, 0, 0];
  const extraBits = Math.floor(Math.log2(length - 3)) - 2;
  const step = (length - 3) >> extraBits;
  return [257 + 4 * extraBits + step, extraBits, (length - 3) & ((1 << extraBits) - 1)];
}

function distanceSymbol(distance: number): Coded {
  if (distance < 5) return [distance - 1, 0, 0];
  const extraBits = Math.floor(Math.log2(distance - 1)) - 1;
  const step = (distance - 1) >> extraBits;
  return [2 * extraBits + step, extraBits, (distance - 1) & ((1 << extraBits) - 1)];
}
