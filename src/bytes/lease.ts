/*
 * Memory that a program borrows for the time of a call: a part of the buffer that all sockets are read into, or a message
 * in memory that is used again. Afterwards it holds bytes of another client. Code that keeps bytes which a program has
 * passed in asks here: the answer depends on the memory itself, not on where the bytes come from.
 */
import { messageMemory } from "./message-memory.ts";
import { readMemory } from "./read-memory.ts";

/**
 * The fate of memory at the end of its lease. "recycle": it is used again as soon as the last reader has released it.
 * "overwrite": the next read overwrites it. "hand over": it belongs to the program.
 */
type Fate = "recycle" | "overwrite" | "hand over";

/** For finding programs that use memory after its lease: `PORTICO_FILL_LENT=1` fills it with 0xDB at the end. */
export const shouldFillBorrowedMemory: boolean = environment("PORTICO_FILL_LENT") === "1";
const FILLING = 0xdb;

let current: Lease | undefined;

/** The time in which bytes stay as they are: a call of the program, and as long as a transport reads from them. */
export class Lease {
  readonly bytes: Uint8Array;
  readonly fate: Fate;
  /** The one that began before and ends after this one. */
  readonly outer: Lease | undefined;
  private readers = 1;

  constructor(bytes: Uint8Array, fate: Fate, outer: Lease | undefined) {
    this.bytes = bytes;
    this.fate = fate;
    this.outer = outer;
  }

  /** Keeps the bytes as they are for one more reader, which calls {@link release} afterwards. */
  retain(): void {
    this.readers++;
  }

  release(): void {
    if (--this.readers > 0 || this.fate === "hand over") return;
    // Without length it was transferred to another thread.
    if (shouldFillBorrowedMemory && this.bytes.length > 0) this.bytes.fill(FILLING);
    if (this.fate === "recycle") messageMemory.recycle(this.bytes);
  }
}

/**
 * Calls the program with bytes that it borrows. Valid until the handler returns. Copy it to keep it.
 * @param fate what happens to the bytes then
 */
export function withLease(bytes: Uint8Array, fate: Fate, call: () => void): void {
  const isKnown = fate === "overwrite" || (fate === "recycle" && !messageMemory.owns(bytes));
  if (isKnown && !shouldFillBorrowedMemory) {
    call();
    return;
  }
  const lease = new Lease(bytes, fate, current);
  current = lease;
  try {
    call();
  } finally {
    current = lease.outer;
    lease.release();
  }
}

/**
 * Makes bytes stay as they are until the lease that is returned is released.
 * @returns undefined where that is not possible, or not necessary: see {@link isBorrowed}
 */
export function retain(bytes: Uint8Array): Lease | undefined {
  const lease = leaseOf(bytes);
  if (lease?.fate !== "recycle" || !messageMemory.owns(bytes)) return undefined;
  lease.retain();
  return lease;
}

/** Whether bytes are borrowed, so that they change later: keep a copy, or {@link retain} them. */
export function isBorrowed(bytes: Uint8Array): boolean {
  return (
    bytes.buffer === readMemory.bytes.buffer || messageMemory.owns(bytes) || leaseOf(bytes) !== undefined
  );
}

/** Returns a copy of borrowed bytes, and others as they are. */
export function copyIfBorrowed<Bytes extends Uint8Array>(bytes: Bytes): Bytes | Buffer {
  return isBorrowed(bytes) ? Buffer.from(bytes) : bytes;
}

function leaseOf({ buffer }: Uint8Array): Lease | undefined {
  let lease = current;
  while (lease !== undefined && lease.bytes.buffer !== buffer) lease = lease.outer;
  return lease;
}

/** An environment variable, if the program can read the environment. */
function environment(name: string): string | undefined {
  try {
    return process.env[name];
  } catch {
    return undefined;
  }
}
