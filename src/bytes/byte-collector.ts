import { newMemory } from "./new-memory.ts";
import { NO_BYTES } from "./no-bytes.ts";

const FIRST_BYTES = 1_024;

/** Bytes that come in pieces, put together in memory that grows by doubling: pieces of one byte cost one byte each. */
export class ByteCollector {
  length = 0;
  private bytes: Buffer = NO_BYTES;

  /** Bytes of memory that it takes. */
  get capacity(): number {
    return this.bytes.length;
  }

  /** Copies a piece to the end. */
  append(piece: Uint8Array): void {
    const needed = this.length + piece.length;
    if (needed > this.bytes.length) {
      const grown = newMemory(Math.max(needed, 2 * this.bytes.length, FIRST_BYTES));
      this.bytes.copy(grown, 0, 0, this.length);
      this.bytes = grown;
    }
    this.bytes.set(piece, this.length);
    this.length = needed;
  }

  /** Returns the collected bytes, in memory that nothing here touches again, and begins a new collection. */
  take(): Buffer {
    const taken = this.bytes.subarray(0, this.length);
    this.bytes = NO_BYTES;
    this.length = 0;
    return taken;
  }
}
