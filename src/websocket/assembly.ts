import { Buffer } from "node:buffer";
import { messageMemory } from "../bytes/message-memory.ts";

const NOTHING: Buffer = Buffer.alloc(0);
const FIRST_BYTES = 64 * 1024;
const FIRST_FRAGMENT_BYTES = 256;
// Smaller buffers come from Node's pool; one this large would pin a pool of its own size anyway.
const OWN_FROM = 2048;

/**
 * The buffer in which a message is put together when it does not arrive in one piece.
 *
 * It grows by what has been received, never by what was announced: at most 4 times the received bytes plus 64 KiB are
 * made for it. Each byte is copied once, plus 1/3 on average for the growth, which kept memory saves.
 */
export class Assembly {
  bytes: Buffer = NOTHING;
  length = 0;

  /**
   * Copies `source[start..end)` to the end.
   *
   * @param announced bytes of the message as far as its frame headers have told, in total.
   * @param ceiling most bytes that the message may still come to: `announced` in its last frame, else its limit.
   * @returns where the copied bytes begin in `bytes`.
   */
  append(source: Buffer, start: number, end: number, announced: number, ceiling: number): number {
    const at = this.length;
    const needed = at + (end - start);
    if (needed > this.bytes.length) this.#grow(needed, announced, ceiling);
    source.copy(this.bytes, at, start, end);
    this.length = needed;
    return at;
  }

  /** Hands the message over as a buffer that nothing here touches again, and starts anew. */
  take(): Buffer {
    const { bytes, length } = this;
    this.bytes = NOTHING;
    this.length = 0;
    return length === bytes.length ? bytes : bytes.subarray(0, length);
  }

  clear(): void {
    messageMemory.recycle(this.take());
  }

  #grow(needed: number, announced: number, ceiling: number): void {
    const size = this.bytes.length;
    let target = Math.max(needed, Math.min(announced, Math.max(4 * needed, FIRST_BYTES)));
    // Fragments announce only themselves: without doubling, fragments of one byte would take quadratic time.
    if (ceiling > announced)
      target = Math.max(target, Math.min(ceiling, Math.max(2 * size, FIRST_FRAGMENT_BYTES)));
    const former = this.bytes;
    this.bytes = allocate(target, announced);
    former.copy(this.bytes, 0, 0, this.length);
    messageMemory.recycle(former);
  }
}

function allocate(size: number, announced: number): Buffer {
  if (size > FIRST_BYTES) return messageMemory.take(size, announced);
  return size < OWN_FROM ? Buffer.allocUnsafe(size) : Buffer.allocUnsafeSlow(size);
}
