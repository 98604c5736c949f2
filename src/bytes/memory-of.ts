/** The memory that bytes lie in. */
export interface Memory {
  readonly buffer: ArrayBufferLike;
  /** All of it as 32-bit words: four bytes in one step, where the order of bytes does not matter. */
  readonly words: Uint32Array;
  /** Where the bytes begin in it. */
  readonly offset: number;
}

/** Larger memory is not kept: it belongs to one message. */
const KEEP_BYTES = 256 * 1024;

let keptBytes: Uint8Array = new Uint8Array(0);
let kept: Memory = { buffer: keptBytes.buffer, words: new Uint32Array(0), offset: 0 };

/**
 * Returns the memory of bytes. It is kept for the bytes that were asked about last: the shared read buffer comes back for
 * every read, and V8 takes longer to look up `buffer` and `byteOffset` of a Buffer than to scan a short head.
 */
export function memoryOf(bytes: Uint8Array): Memory {
  if (bytes === keptBytes) return kept;
  const { buffer, byteOffset } = bytes;
  const words = new Uint32Array(buffer, 0, buffer.byteLength >>> 2);
  const memory = { buffer, words, offset: byteOffset };
  if (buffer.byteLength <= KEEP_BYTES) {
    keptBytes = bytes;
    kept = memory;
  }
  return memory;
}
