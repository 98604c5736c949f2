const FIRST_BYTES = 1_024;
const NOTHING = Buffer.alloc(0);

/** Bytes that come in pieces, put together in memory that grows by doubling: pieces of one byte cost one byte each. */
export class ByteCollector {
  length = 0;
  private bytes: Buffer = NOTHING;

  /** Bytes of memory that it takes. */
  get capacity(): number {
    return this.bytes.length;
  }

  /** Copies a piece to the end. */
  append(piece: Uint8Array): void {
    const needed = this.length + piece.length;
    if (needed > this.bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.bytes.length, FIRST_BYTES));
      this.bytes.copy(grown, 0, 0, this.length);
      this.bytes = grown;
    }
    this.bytes.set(piece, this.length);
    this.length = needed;
  }

  /** What has been collected, in memory that nothing here touches again; begins anew. */
  take(): Buffer {
    const taken = this.bytes.subarray(0, this.length);
    this.bytes = NOTHING;
    this.length = 0;
    return taken;
  }
}
