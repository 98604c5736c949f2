/*
 * Memory for what programs can keep. Large messages get new memory, and V8 frees it some time later. What that costs depends
 * less on this memory than on what is done with freed memory:
 *
 * - By default glibc returns it to the system, which must then provide and clear each page again. In some virtual machines
 *   that takes several times as long as everything else in an echo of 1 MiB.
 * - V8 13 and later (Node 24) do not run short collections for memory outside of their heap. At 64 MiB they run a full one.
 *   Until then, no freed memory is used again.
 */

// The global of this name is a getter, which V8 does not inline.
const { Buffer } = globalThis;

/** From this size on, Node does not use its pool. */
const POOLED_BYTES = 4_096;

/** From this size on, the C library is to keep memory. Smaller blocks are not returned each time. */
const LARGE_BYTES = 32_768;

/**
 * When glibc frees a block of up to 32 MiB, it keeps up to twice as much freed memory from then on (mallopt(3), "dynamic
 * mmap threshold"). Nothing writes to this block, so it takes no memory itself.
 */
const BLOCK_BYTES = 31 * 1_048_576;

/** A piece of garbage on V8's heap. */
const PIECE_BYTES = 2_048;
/** One for so many bytes of pieces, so that a short collection comes before 64 MiB. */
const BYTES_PER_PIECE = 3 * PIECE_BYTES;

/** Holds the latest piece, because V8 does not make what nobody could see. */
const garbage = { piece: [] as unknown[] };
const needsGarbage = Number.parseInt(process.versions.v8 ?? "", 10) >= 13;
let hasFreedBlock = process.platform !== "linux";
let bytesWithoutGarbage = 0;

/**
 * Returns new memory that is not initialized.
 * @param size in bytes
 */
export function newMemory(size: number): Buffer {
  if (size >= LARGE_BYTES && !hasFreedBlock) freeBlock();
  return Buffer.allocUnsafeSlow(size);
}

/**
 * Returns the same for a piece of one read, which lies in Node's pool if it is small. Most programs are soon done with it.
 * What is put together over several reads outlives short collections, so hastening them would only cost memory.
 */
export function pieceMemory(size: number): Buffer {
  if (needsGarbage) count(size);
  return size < POOLED_BYTES ? Buffer.allocUnsafe(size) : newMemory(size);
}

/** Returns a copy that belongs to the caller. */
export function ownCopy(bytes: Uint8Array): Buffer {
  const copy = pieceMemory(bytes.length);
  copy.set(bytes);
  return copy;
}

function freeBlock(): void {
  hasFreedBlock = true;
  try {
    new ArrayBuffer(BLOCK_BYTES); // The next collection frees it.
  } catch {
    // Out of address space: the C library returns memory as before.
  }
}

/** Counts pieces outside of V8's heap, and makes garbage on the heap in proportion. */
function count(size: number): void {
  bytesWithoutGarbage += size;
  if (bytesWithoutGarbage >= BYTES_PER_PIECE) addGarbage();
}

function addGarbage(): void {
  for (; bytesWithoutGarbage >= BYTES_PER_PIECE; bytesWithoutGarbage -= BYTES_PER_PIECE) {
    garbage.piece = new Array(PIECE_BYTES / 8);
  }
}
