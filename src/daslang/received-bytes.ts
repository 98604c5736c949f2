const FIRST_BLOCK_BYTES = 512;
const LARGEST_BLOCK_BYTES = 65_536;

/** Memory that is filled from its start and taken from its start. */
interface Block {
  readonly bytes: Buffer;
  from: number;
  to: number;
}

/**
 * Bytes that have arrived and wait for a tick, first in first out. Small pieces share a block, so that a peer that
 * sends one byte at a time costs about what it sends.
 */
export class ReceivedBytes {
  /** Bytes that wait. */
  length = 0;
  private blocks: Block[] = [];

  /** Copies bytes to the end. */
  append(bytes: Uint8Array): void {
    const last = this.blocks.at(-1);
    const room = last === undefined ? 0 : Math.min(bytes.length, last.bytes.length - last.to);
    if (last !== undefined && room > 0) {
      last.bytes.set(bytes.subarray(0, room), last.to);
      last.to += room;
    }
    const rest = bytes.length - room;
    if (rest > 0) {
      const wanted = Math.min(Math.max(this.length, FIRST_BLOCK_BYTES), LARGEST_BLOCK_BYTES);
      const block = { bytes: Buffer.allocUnsafeSlow(Math.max(rest, wanted)), from: 0, to: rest };
      block.bytes.set(bytes.subarray(room));
      this.blocks.push(block);
    }
    this.length += bytes.length;
  }

  /**
   * Takes bytes from the start.
   * @returns at most `maxBytes` of them, in memory that nothing here touches again
   */
  take(maxBytes: number): Buffer {
    const size = Math.min(maxBytes, this.length);
    const first = this.blocks[0];
    this.length -= size;
    // All of a block: given away as it is.
    if (first !== undefined && first.to - first.from === size) {
      this.blocks.shift();
      return first.bytes.subarray(first.from, first.to);
    }
    const taken = Buffer.allocUnsafeSlow(size);
    let at = 0;
    let used = 0;
    for (const block of this.blocks) {
      const count = Math.min(size - at, block.to - block.from);
      block.bytes.copy(taken, at, block.from, block.from + count);
      at += count;
      block.from += count;
      if (block.from < block.to) break;
      used++;
    }
    this.blocks.splice(0, used);
    return taken;
  }

  clear(): void {
    this.blocks = [];
    this.length = 0;
  }
}
