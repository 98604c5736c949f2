import { memoryOf } from "../../bytes/memory-of.ts";
import { type MaskBlocks, readMemory } from "../../bytes/read-memory.ts";
import { cryptoModule } from "../../node/builtins.ts";

// Below these many bytes the loop by bytes is as fast as by words, and as by blocks of 16 bytes.
const WORDS_FROM = 64;
const BLOCKS_FROM = 32;

const { maskBlocks: blocks } = readMemory;
const { offset: readOffset } = memoryOf(readMemory.bytes);

const littleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/**
 * Masks or unmasks `bytes[start..end)` in place; twice is the identity. RFC 6455 §5.3.
 *
 * @param maskKey uint32, the first byte on the wire is the most significant.
 * @param offset position of `bytes[start]` within the payload, in bytes.
 */
export function applyMask(
  bytes: Uint8Array,
  start: number,
  end: number,
  maskKey: number,
  offset: number,
): void {
  // Rotated so that its most significant byte meets the byte at `start`.
  const key = rotate(maskKey, offset);
  const length = end - start;
  if (length >= BLOCKS_FROM && bytes === readMemory.bytes && blocks !== undefined)
    maskBlocks(blocks, start, end, key);
  else if (length < WORDS_FROM) maskBytes(bytes, start, end, key);
  else maskWords(bytes, start, end, key);
}

function maskBytes(bytes: Uint8Array, start: number, end: number, key: number): void {
  const k0 = key >>> 24;
  const k1 = (key >>> 16) & 255;
  const k2 = (key >>> 8) & 255;
  const k3 = key & 255;
  let at = start;
  for (const last = end - 3; at < last; at += 4) {
    bytes[at] = (bytes[at] as number) ^ k0;
    bytes[at + 1] = (bytes[at + 1] as number) ^ k1;
    bytes[at + 2] = (bytes[at + 2] as number) ^ k2;
    bytes[at + 3] = (bytes[at + 3] as number) ^ k3;
  }
  if (at < end) bytes[at] = (bytes[at] as number) ^ k0;
  if (at + 1 < end) bytes[at + 1] = (bytes[at + 1] as number) ^ k1;
  if (at + 2 < end) bytes[at + 2] = (bytes[at + 2] as number) ^ k2;
}

/** In the memory that sockets are read into. */
function maskBlocks(mask: MaskBlocks, start: number, end: number, key: number): void {
  const rest = end - ((end - start) & 15);
  mask(readOffset + start, readOffset + rest, swap(key));
  maskBytes(readMemory.bytes, rest, end, key);
}

function maskWords(bytes: Uint8Array, start: number, end: number, key: number): void {
  const { words, offset: base } = memoryOf(bytes);
  const head = -(base + start) & 3; // bytes until a word begins in the underlying buffer
  maskBytes(bytes, start, start + head, key);
  const turned = rotate(key, head);
  const wordKey = littleEndian ? swap(turned) : turned;
  const stop = (base + end) >>> 2;
  let at = (base + start + head) >>> 2;
  for (const last = stop - 3; at < last; at += 4) {
    words[at] = (words[at] as number) ^ wordKey;
    words[at + 1] = (words[at + 1] as number) ^ wordKey;
    words[at + 2] = (words[at + 2] as number) ^ wordKey;
    words[at + 3] = (words[at + 3] as number) ^ wordKey;
  }
  for (; at < stop; at += 1) words[at] = (words[at] as number) ^ wordKey;
  maskBytes(bytes, stop * 4 - base, end, turned);
}

/** The key as it meets the payload `bytes` further on. */
function rotate(key: number, bytes: number): number {
  const turn = (bytes & 3) << 3;
  return (key << turn) | (key >>> (32 - turn)); // right for 0 too: shifts count modulo 32
}

function swap(word: number): number {
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}

const keys = new Uint32Array(1024);
let keysUsed: number = keys.length;

/** A fresh unpredictable mask key (uint32) from the system's random source. RFC 6455 §5.3, §10.3. */
export function randomMaskKey(): number {
  if (keysUsed === keys.length) {
    cryptoModule().randomFillSync(keys);
    keysUsed = 0;
  }
  const key = keys[keysUsed] as number;
  keysUsed += 1;
  return key;
}
