import { newMemory } from "./new-memory.ts";

/*
 * Memory for large messages, which is used again. New memory for each makes V8 collect garbage more often, and is cleared by
 * the system and grown with the message: 6 to 9 % of an echo of 1 MiB, without the growing.
 */

/** Larger ones are not kept. */
const MOST_BYTES = 4_194_304;

/** What is kept for later, for all connections of a thread. */
const KEPT_BYTES = 16_777_216;

/** Memory that was not needed for so long is released. */
const IDLE_MS = 500;

/** Kept from when this was loaded, before a program's tests replace it. */
const { setTimeout: later } = globalThis;

class MessageMemory {
  private readonly made = new WeakSet<ArrayBufferLike>();
  private readonly free: Buffer[] = [];
  private freeBytes = 0;
  /** The fewest that were free since the timer was set: so many were not needed. */
  private idle = 0;
  private timer: NodeJS.Timeout | undefined;

  /**
   * @param least bytes that are needed now
   * @param whole bytes that will be needed as far as is known: memory that is kept already is taken as large as that
   */
  take(least: number, whole: number): Buffer {
    const found = this.find(Math.max(least, whole)) ?? this.find(least);
    if (found !== undefined) return found;
    const made = newMemory(least);
    if (least <= MOST_BYTES) this.made.add(made.buffer);
    return made;
  }

  /** @param message what was taken, or a part of it; it must not be used any more. Other memory is left alone */
  recycle(message: Uint8Array): void {
    const { buffer } = message;
    const size = buffer.byteLength;
    // Without size it was transferred to another thread.
    if (size === 0 || !this.made.has(buffer) || this.freeBytes + size > KEPT_BYTES) return;
    this.free.push(Buffer.from(buffer));
    this.freeBytes += size;
    this.timer ??= this.trimLater();
  }

  /** Whether memory is this one's, so that it can be used again for another message. */
  owns(bytes: Uint8Array): boolean {
    return this.made.has(bytes.buffer);
  }

  /** Leaves a message to the program: its memory is never used again here. */
  disown(message: Uint8Array): void {
    this.made.delete(message.buffer);
  }

  /**
   * The smallest buffer that is large enough and not much too large. Of several, the last one used, which is probably
   * cached.
   */
  private find(size: number): Buffer | undefined {
    let best = -1;
    let length = 2 * size;
    for (const [index, { length: candidate }] of this.free.entries()) {
      if (candidate < size || candidate > length) continue;
      best = index;
      length = candidate;
    }
    if (best < 0) return undefined;
    this.freeBytes -= length;
    const [found] = this.free.splice(best, 1);
    this.idle = Math.min(this.idle, this.free.length);
    return found?.subarray(0, size);
  }

  private trimLater(): NodeJS.Timeout {
    this.idle = this.free.length;
    return later(() => this.trim(), IDLE_MS).unref();
  }

  private trim(): void {
    for (const { length } of this.free.splice(0, this.idle)) this.freeBytes -= length;
    this.timer = this.free.length > 0 ? this.trimLater() : undefined;
  }
}

/** One for each thread. */
export const messageMemory: MessageMemory = new MessageMemory();
