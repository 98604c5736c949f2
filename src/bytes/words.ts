// A view of words over the buffer that was asked for last: the shared read buffer comes back for every read.
// Larger buffers are not kept, they belong to one message.
const KEEP_BYTES = 256 * 1024;
let keptBuffer: ArrayBufferLike = new ArrayBuffer(0);
let keptWords: Uint32Array = new Uint32Array(keptBuffer);

/** The memory of a buffer as 32-bit words: four bytes in one step, where the order of bytes does not matter. */
export function wordsOf(buffer: ArrayBufferLike): Uint32Array {
  if (buffer === keptBuffer) return keptWords;
  const words = new Uint32Array(buffer, 0, buffer.byteLength >>> 2);
  if (buffer.byteLength <= KEEP_BYTES) {
    keptBuffer = buffer;
    keptWords = words;
  }
  return words;
}
