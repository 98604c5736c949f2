/*
 * Memory for what programs can keep. Large messages get new memory, and V8 frees it some time later. What that costs depends
 * less on this memory than on what is done with freed memory:
 *
 * - By default glibc returns it to the system, which must then provide and clear each page again. In some virtual machines
 *   that takes ten times as long as everything else in an echo of 1 MiB.
 * - V8 13 and later (Node 24) do not run short collections for memory outside of their heap. At 64 MiB they run a full one.
 *   By then, the memory that is used next is in no cache of the processor.
 */

/** From this size on, the C library is to keep memory. Smaller blocks are not returned each time. */
const LARGE_BYTES = 32_768;

/**
 * When glibc frees a block of up to 32 MiB, it keeps up to twice as much freed memory from then on (mallopt(3), "dynamic
 * mmap threshold"). Nothing writes to this block, so it takes no memory itself.
 */
const BLOCK_BYTES = 31 * 1_048_576;

/** One byte of garbage on V8's heap for so many bytes of new memory: a short collection comes long before 64 MiB. */
const GARBAGE_RATIO = 3;
const GARBAGE_BYTES = 2_048;

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
  if (needsGarbage) addGarbage(size);
  return Buffer.allocUnsafeSlow(size);
}

/** Returns a copy in memory that belongs to the caller. */
export function ownCopy(bytes: Uint8Array): Buffer {
  if (bytes.length < LARGE_BYTES) return Buffer.from(bytes);
  const copy = newMemory(bytes.length);
  copy.set(bytes);
  return copy;
}

function freeBlock(): void {
  hasFreedBlock = true;
  try {
    new ArrayBuffer(BLOCK_BYTES); // The next collection frees it.
  } catch {
    // Out of address space: the C library goes on as before.
  }
}

/** Makes garbage on the heap in proportion to new memory outside of it. */
function addGarbage(size: number): void {
  bytesWithoutGarbage += size;
  while (bytesWithoutGarbage >= GARBAGE_RATIO * GARBAGE_BYTES) {
    bytesWithoutGarbage -= GARBAGE_RATIO * GARBAGE_BYTES;
    garbage.piece = new Array(GARBAGE_BYTES / 8);
  }
}
