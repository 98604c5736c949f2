/*
 * Memory for what programs keep, or might keep. Each large message gets new memory, and V8 frees it later. By default glibc
 * returns such memory to the system at once, which must then provide and clear each page again. In virtual machines that
 * can take ten times as long as everything else that an echo of 1 MiB does.
 */

/** With less memory the C library does not return it each time. */
const LARGE_BYTES = 32_768;

/**
 * When glibc frees a block of at most 32 MiB, it keeps up to twice as much freed memory from then on (mallopt(3), "dynamic
 * mmap threshold"). This block is never touched, so it takes no memory itself.
 */
const BLOCK_BYTES = 31 * 1_048_576;

let hasFreedBlock = process.platform !== "linux";

/**
 * Returns new memory that is not initialized.
 * @param size in bytes
 */
export function newMemory(size: number): Buffer {
  if (size >= LARGE_BYTES && !hasFreedBlock) freeBlock();
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
