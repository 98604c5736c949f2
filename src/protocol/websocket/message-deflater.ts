import { Buffer } from "node:buffer";
import { SyncDeflate } from "../../node/sync-zlib.ts";

export interface DeflaterOptions {
  /** Whether the window is kept from one message to the next. RFC 7692 §7.1.1. */
  contextTakeover: boolean;
  /** The largest window, 8 to 15. RFC 7692 §7.1.2. */
  windowBits: number;
  /** zlib's level, 0 to 9. */
  level: number;
  /** zlib's memLevel, 1 to 9. */
  memLevel: number;
}

// A compressor takes 256 KiB with a window of 15 bits and memLevel 8: without context takeover all connections
// share one for each combination of settings.
const shared: Map<number, SyncDeflate> = new Map();

/**
 * Returns the compressed form of a message in a separate buffer. Every client with a window of `windowBits` or more can
 * read it by itself, so that a broadcast is compressed once. RFC 7692 §7.2.1.
 *
 * On a connection with context takeover, call `resetContext` of its deflater after sending it.
 */
export function compressShared(
  payload: Uint8Array | string,
  options: Omit<DeflaterOptions, "contextTakeover">,
): Buffer {
  const { windowBits, level, memLevel } = options;
  const key = (windowBits << 8) | (level << 4) | memLevel;
  let deflate = shared.get(key);
  if (deflate === undefined) {
    deflate = new SyncDeflate(options);
    shared.set(key, deflate);
  }
  try {
    return deflate.deflate(bytesOf(payload));
  } finally {
    // Also when there was no memory for the output: the next message is another connection's.
    deflate.reset();
  }
}

/** Deflates the messages of one connection. RFC 7692 §7.2.1. */
export class MessageDeflater {
  readonly options: Readonly<DeflaterOptions>;
  #context: SyncDeflate | null = null;
  #closed = false;

  constructor(options: DeflaterOptions) {
    this.options = options;
  }

  /**
   * Returns the payload of a frame with RSV1, in a separate buffer: deflated, without the tail 00 00 ff ff.
   *
   * The frames have to be sent in the order of these calls when the context is kept.
   *
   * @throws Error after `close`.
   */
  compress(payload: Uint8Array | string): Buffer {
    if (this.#closed) throw new Error("The deflater is closed; its connection has ended.");
    if (!this.options.contextTakeover) return compressShared(payload, this.options);
    this.#context ??= new SyncDeflate(this.options);
    try {
      return this.#context.deflate(bytesOf(payload));
    } catch (error) {
      // The receiver will not see the current content of the window.
      this.#context.reset();
      throw error;
    }
  }

  /**
   * Forgets the window. Call it after sending a frame of `compressShared` on the connection: the receiver's window has
   * moved by that message, so references into the old window would be wrong.
   */
  resetContext(): void {
    this.#context?.reset();
  }

  /** Frees the connection's compressor. */
  close(): void {
    this.#closed = true;
    this.#context?.close();
    this.#context = null;
  }
}

function bytesOf(payload: Uint8Array | string): Uint8Array {
  return typeof payload === "string" ? Buffer.from(payload) : payload;
}
