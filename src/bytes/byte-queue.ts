import { newMemory } from "./new-memory.ts";

const FIRST_BLOCK_BYTES = 512;
const LARGEST_BLOCK_BYTES = 65_536;

/** Memory that is filled from its start and taken from its start. */
interface Block {
  readonly bytes: Buffer;
  from: number;
  to: number;
}

/**
 * Bytes that wait, first in first out. Small pieces share a block, so that a million pieces of one byte hold about a
 * megabyte.
 */
export class ByteQueue {
  /** Bytes that wait. */
  length = 0;
  private blocks: Block[] = [];
  /** Bytes copied since the last reference: the next block is as large as all of them together. */
  private copied = 0;

  /** Copies bytes to the end. */
  append(bytes: Uint8Array): void {
    const last = this.blocks.at(-1);
    const room = last === undefined ? 0 : Math.min(bytes.length, last.bytes.length - last.to);
    if (last !== undefined && room > 0) {
      last.bytes.set(room === bytes.length ? bytes : bytes.subarray(0, room), last.to);
      last.to += room;
    }
    const rest = bytes.length - room;
    if (rest > 0) {
      const block = this.begin(rest);
      block.set(room === 0 ? bytes : bytes.subarray(room));
    }
    this.copied += bytes.length;
    this.length += bytes.length;
  }

  /** Puts bytes at the end by reference: they must stay as they are until they have been taken and used. */
  appendReference(bytes: Buffer): void {
    this.blocks.push({ bytes, from: 0, to: bytes.length });
    this.copied = 0;
    this.length += bytes.length;
  }

  /**
   * Takes bytes from the start.
   * @returns at most `maxBytes` of them, in memory that nothing here touches again and that is not much larger
   */
  take(maxBytes: number): Buffer {
    const size = Math.min(maxBytes, this.length);
    const [first] = this.blocks;
    const isWhole = first !== undefined && first.to - first.from === size && 2 * size >= first.bytes.length;
    const pieces = this.takePieces(size, Number.POSITIVE_INFINITY);
    return isWhole && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces, size);
  }

  /**
   * Takes bytes from the start.
   * @returns at most `maxBytes` of them, in at most `maxPieces` pieces that nothing here changes any more
   */
  takePieces(maxBytes: number, maxPieces: number): Buffer[] {
    const pieces: Buffer[] = [];
    let size = Math.min(maxBytes, this.length);
    let used = 0;
    for (const block of this.blocks) {
      if (size === 0 || pieces.length === maxPieces) break;
      const count = Math.min(size, block.to - block.from);
      pieces.push(block.bytes.subarray(block.from, block.from + count));
      block.from += count;
      size -= count;
      this.length -= count;
      if (block.from === block.to) used++;
    }
    this.blocks.splice(0, used);
    if (this.length === 0) this.copied = 0;
    return pieces;
  }

  clear(): void {
    this.blocks = [];
    this.length = this.copied = 0;
  }

  /** A new last block with `count` bytes, which the caller fills. */
  private begin(count: number): Buffer {
    const size = Math.min(Math.max(this.copied, FIRST_BLOCK_BYTES), LARGEST_BLOCK_BYTES);
    const bytes = newMemory(Math.max(count, size));
    this.blocks.push({ bytes, from: 0, to: count });
    return bytes;
  }
}
