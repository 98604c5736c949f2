// Bytes and texts that tests send.
import { Buffer } from "node:buffer";
import { Random } from "./random.ts";

/** The bytes in pieces that end at each of `cuts`. */
export function cutAt(bytes: Uint8Array, cuts: readonly number[]): Buffer[] {
  const whole = Buffer.from(bytes);
  const ends = [...cuts, whole.length];
  return ends.map((end, i) => whole.subarray(i === 0 ? 0 : ends[i - 1], end));
}

/** Each byte in a piece of its own. */
export function bytewise(bytes: Uint8Array): Buffer[] {
  return Array.from(bytes, (byte) => Buffer.of(byte));
}

/** Bytes that do not repeat soon and are no text. */
export function noise(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  const random = new Random(1);
  for (let at = 0; at < length; at++) bytes[at] = random.bits();
  return bytes;
}

/** ASCII text of that length that compresses, but not to nothing. */
export function prose(length: number): string {
  let text = "";
  for (let i = 0; text.length < length; i++) text += `${i * 7919} words, `;
  return text.slice(0, length);
}

/** Spaces do not count. */
export function hex(digits: string): Buffer {
  return Buffer.from(digits.replaceAll(" ", ""), "hex");
}

/** A stretch of an endless stream of 32-bit numbers that count up: no two places look alike. */
export function pattern(length: number, from = 0): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) {
    const at = from + i;
    bytes[i] = (at >>> 2) >>> (24 - 8 * (at & 3));
  }
  return bytes;
}

/** Bytes that can be told from those of any other seed. */
export function bytesOf(seed: number, length: number): Buffer {
  const random = new Random(seed);
  const block = Buffer.from(Array.from({ length: 251 }, () => random.whole(0, 255)));
  return Buffer.alloc(length, block);
}

/** The same as text of one to four bytes a character. */
export function textOf(seed: number, length: number): string {
  const random = new Random(seed);
  const block = Array.from({ length: 61 }, () => random.pick(["a", "b", "ü", "世", "🙂", " "]));
  return Array.from({ length }, (_, i) => block[i % block.length]).join("");
}

/** A list of short texts, separated by "¦", for tables of many. */
export function listOf(...lines: readonly string[]): string[] {
  return lines.flatMap((line) => line.split("¦"));
}

/** The numbers from 0 on, so many. */
export function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
