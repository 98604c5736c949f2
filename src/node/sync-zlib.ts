// Raw deflate and inflate in one synchronous call, on the native objects behind Node's zlib streams.
//
// zlib's *Sync functions create a new native object for each call (about 20 µs) and cannot keep a window between
// messages. The streams answer through the thread pool. The native object has neither problem, but Node does not
// document it. Only this file uses it. It checks what it finds, and `syncZlibAvailable` is true if all of it works.
// Checked with Node 20, 22, 24 and 26.
import { Buffer } from "node:buffer";
import { OutputSink } from "../bytes/output-sink.ts";
import { zlibModule } from "./builtins.ts";

// Of zlib.h. Node has them as constants of node:zlib, which is loaded for the first WebSocket that compresses.
const Z_DEFAULT_STRATEGY = 0;
const Z_SYNC_FLUSH = 2;
const Z_RLE = 3;
const Z_BLOCK = 5;

interface NativeZlib {
  onerror: (message: string, errno: number, code: string) => void;
  writeSync(
    flush: number,
    input: Uint8Array,
    inputAt: number,
    inputLength: number,
    output: Uint8Array,
    outputAt: number,
    outputLength: number,
  ): void;
  reset(): void;
}

interface ZlibStream {
  close(): void;
}

/** The output of `write` does not fit the limit, or the input is not a deflate stream. */
export type ZlibFailure = "too-large" | "invalid";

/** One native zlib object, in the raw format (RFC 1951). Not usable after `close`. */
class SyncZlib {
  readonly #stream: ZlibStream;
  readonly #native: NativeZlib;
  // After writeSync: [room left in the output, bytes left of the input].
  readonly #after: Uint32Array;
  #failed = false;
  #closed = false;

  constructor(stream: ZlibStream) {
    const { native, after } = nativeOf(stream);
    native.onerror = () => {
      this.#failed = true;
    };
    this.#stream = stream;
    this.#native = native;
    this.#after = after;
  }

  /** Bytes of the input that the last `write` left because the deflate stream, or a block, had ended. */
  get unread(): number {
    return this.#after[1] ?? 0;
  }

  /**
   * Feeds `input[start..end)` and adds the output to `sink`. Stops once the output passes the sink's limit.
   *
   * @param flush Z_BLOCK: an inflater stops at the end of a deflate block, too, and leaves the rest.
   * @returns null, or why it stopped; the context is useless then until `reset`.
   */
  write(
    input: Uint8Array,
    start: number,
    end: number,
    sink: OutputSink,
    flush: number = Z_SYNC_FLUSH,
  ): ZlibFailure | null {
    if (this.#closed) return "invalid"; // the native object aborts the process when it is used after close
    this.#failed = false;
    let at = start;
    for (;;) {
      const room = sink.room();
      this.#native.writeSync(flush, input, at, end - at, sink.chunk, sink.used, room);
      if (this.#failed) return "invalid";
      const left = this.#after[0] ?? 0;
      sink.used += room - left;
      if (sink.overflows()) return "too-large";
      // Room left over: everything that could be said has been said.
      if (left > 0) return null;
      at = end - this.unread;
    }
  }

  /** Forgets the window, so that the next byte begins a new stream. */
  reset(): void {
    if (!this.#closed) this.#native.reset();
  }

  /** Frees the native memory at once. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stream.close();
  }
}

// RFC 7692 §7.2.1: every message ends with an empty stored block, and its last four bytes are not sent.
const TAIL_BYTES = 4;
// These bytes and one more. A whole message leaves an inflater that stops at the end of a block right before that one.
const TAIL_AND_MORE: Buffer = Buffer.from([0x00, 0x00, 0xff, 0xff, 0x00]);

// Each block with BFINAL costs a restart (about 1 µs for 2 bytes): a message of nothing else would hold the process.
const MAX_STREAMS = 1024;

/** Inflates messages of permessage-deflate. RFC 7692 §7.2.2. */
export class SyncInflate {
  readonly #zlib: SyncZlib;

  /** @param windowBits 8 to 15: the largest window that the sender can use, as a power of two. */
  constructor(windowBits: number) {
    // At least 9: when asked for 8, zlib on the other side might silently use 9.
    this.#zlib = new SyncZlib(zlibModule().createInflateRaw({ windowBits: Math.max(windowBits, 9) }));
  }

  /**
   * Inflates one message, without its removed tail, to a separate buffer.
   *
   * @param limit the largest message in bytes; inflating stops as soon as it is exceeded.
   * @returns "invalid" also for a message that is not complete.
   */
  inflate(bytes: Uint8Array, start: number, end: number, limit: number): Buffer | ZlibFailure {
    const sink = new OutputSink(limit);
    // Senders should not produce this (§7.2.1), but one whose compressor has nothing to flush might. It means an empty
    // message.
    if (start === end) return sink.take(0);
    const failure = this.#feed(bytes, start, end, sink) ?? this.#feedTail(sink);
    return failure ?? sink.take(0);
  }

  // RFC 7692 §7.2.1, §7.2.3.4: a block with BFINAL ends zlib's stream at a byte boundary, the next block follows.
  #feed(bytes: Uint8Array, start: number, end: number, sink: OutputSink): ZlibFailure | null {
    let at = start;
    for (let streams = 0; streams < MAX_STREAMS; streams += 1) {
      const failure = this.#zlib.write(bytes, at, end, sink);
      if (failure !== null) return failure;
      if (this.#zlib.unread === 0) return null;
      at = end - this.#zlib.unread;
      this.#zlib.reset();
    }
    return "invalid";
  }

  // zlib says nothing of a stream that breaks off: it would take the tail, and the next message, for the rest of it.
  #feedTail(sink: OutputSink): ZlibFailure | null {
    const before = sink.used;
    // Too much only with these bytes is a message that breaks off, too.
    if (this.#zlib.write(TAIL_AND_MORE, 0, TAIL_AND_MORE.length, sink, Z_BLOCK) !== null) return "invalid";
    const taken = TAIL_AND_MORE.length - this.#zlib.unread;
    if (taken === TAIL_BYTES && sink.used === before) return null;
    if (taken > 0) return "invalid";
    // The message ended right after BFINAL, without the empty block that §7.2.1 demands: nothing is missing.
    this.#zlib.reset();
    return null;
  }

  reset(): void {
    this.#zlib.reset();
  }

  close(): void {
    this.#zlib.close();
  }
}

/** Deflates messages for permessage-deflate. RFC 7692 §7.2.1. */
export class SyncDeflate {
  readonly #zlib: SyncZlib;

  /**
   * @param options.windowBits 8 to 15. zlib has no raw window of 8 bits and takes 9 without a word; with Z_RLE it
   *   only refers one byte back, which is right for every window.
   */
  constructor(options: { windowBits: number; level: number; memLevel: number }) {
    const small = options.windowBits < 9;
    this.#zlib = new SyncZlib(
      zlibModule().createDeflateRaw({
        windowBits: small ? 9 : options.windowBits,
        level: options.level,
        memLevel: options.memLevel,
        strategy: small ? Z_RLE : Z_DEFAULT_STRATEGY,
      }),
    );
  }

  /** Deflates one message, without the tail 00 00 ff ff, to a separate buffer. */
  deflate(payload: Uint8Array): Buffer {
    // §7.2.3.6: an empty message is one empty block; zlib would not flush a second time without input.
    if (payload.length === 0) return Buffer.from([0x00]);
    const sink = new OutputSink(Number.POSITIVE_INFINITY);
    const failure = this.#zlib.write(payload, 0, payload.length, sink);
    if (failure !== null) throw new Error("The deflater was used after close(); make a new one.");
    return sink.take(TAIL_BYTES);
  }

  reset(): void {
    this.#zlib.reset();
  }

  close(): void {
    this.#zlib.close();
  }
}

function nativeOf(stream: object): { native: NativeZlib; after: Uint32Array } {
  const { _handle: native, _writeState: after } = stream as { _handle?: unknown; _writeState?: unknown };
  if (!isNative(native) || !(after instanceof Uint32Array) || after.length < 2) {
    throw new Error("This version of Node has no synchronous zlib; turn permessage-deflate off.");
  }
  return { native, after };
}

function isNative(value: unknown): value is NativeZlib {
  if (typeof value !== "object" || value === null) return false;
  const native = value as Partial<Record<keyof NativeZlib, unknown>>;
  return typeof native.writeSync === "function" && typeof native.reset === "function" && "onerror" in native;
}

let works: boolean | undefined;

/** Whether the classes of this file work here, tried once with a round trip. Else do not negotiate deflate. */
export function isSyncZlibAvailable(): boolean {
  works ??= probe();
  return works;
}

function probe(): boolean {
  try {
    const deflate = new SyncDeflate({ windowBits: 15, level: 6, memLevel: 8 });
    const inflate = new SyncInflate(15);
    const message = Buffer.alloc(100_000, "portico");
    try {
      // Twice, so that the second one needs the window; then errors and resets; then a limit.
      for (let round = 0; round < 2; round += 1) {
        const packed = deflate.deflate(message);
        const unpacked = inflate.inflate(packed, 0, packed.length, message.length);
        if (!(unpacked instanceof Buffer) || !unpacked.equals(message)) return false;
      }
      if (inflate.inflate(Buffer.from([0xff]), 0, 1, 100) !== "invalid") return false;
      inflate.reset();
      deflate.reset();
      const packed = deflate.deflate(message);
      if (inflate.inflate(packed, 0, packed.length - 1, message.length) !== "invalid") return false;
      inflate.reset();
      return inflate.inflate(packed, 0, packed.length, message.length - 1) === "too-large";
    } finally {
      deflate.close();
      inflate.close();
    }
  } catch {
    return false;
  }
}
