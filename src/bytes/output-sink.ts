import { newMemory } from "./new-memory.ts";
import { NO_BYTES } from "./no-bytes.ts";

const SCRATCH_BYTES = 64 * 1024;
const MAX_CHUNK_BYTES = 1024 * 1024;
// One for the process: output is copied out of it before anything else can run.
let scratch: Buffer | undefined;

/** Collects the output of one call of zlib: in a scratch of 64 KiB first, in chunks of doubling size after that. */
export class OutputSink {
  readonly #limit: number;
  readonly #full: Buffer[] = [];
  #fullBytes = 0;
  chunk: Buffer;
  used = 0;

  /** @param limit most bytes of output; memory stays below the limit plus one chunk of 64 KiB. */
  constructor(limit: number) {
    this.#limit = limit;
    scratch ??= Buffer.allocUnsafeSlow(SCRATCH_BYTES);
    this.chunk = scratch;
  }

  /** Room in the chunk, in bytes; begins a new chunk when this one is full. */
  room(): number {
    if (this.used === this.chunk.length) {
      this.#full.push(this.chunk);
      this.#fullBytes += this.used;
      // One byte beyond the limit is enough to know that it is passed.
      const allowed = Math.max(1, this.#limit + 1 - this.#fullBytes);
      const wanted = Math.min(Math.max(this.#fullBytes, SCRATCH_BYTES), MAX_CHUNK_BYTES);
      this.chunk = newMemory(Math.min(wanted, allowed));
      this.used = 0;
    }
    return this.chunk.length - this.used;
  }

  overflows(): boolean {
    return this.#fullBytes + this.used > this.#limit;
  }

  /** Returns the output without its last `drop` bytes, in a separate buffer. */
  take(drop: number): Buffer {
    const length = this.#fullBytes + this.used - drop;
    if (length <= 0) return NO_BYTES;
    if (this.#full.length === 0) return Buffer.from(this.chunk.subarray(0, length));
    const joined = newMemory(length);
    let at = 0;
    for (const chunk of this.#full) at += chunk.copy(joined, at);
    this.chunk.copy(joined, at, 0, this.used);
    return joined;
  }
}
