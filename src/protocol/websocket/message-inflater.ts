import type { Buffer } from "node:buffer";
import { SyncInflate } from "../../node/sync-zlib.ts";
import { WebSocketError } from "./websocket-error.ts";

// An inflater reads every window up to its own: one of 32 KiB serves all connections without context takeover.
const MAX_WINDOW_BITS = 15;
let sharedInflate: SyncInflate | undefined;

export interface InflaterOptions {
  /** Whether the sender keeps its window from one message to the next. RFC 7692 §7.1.1. */
  contextTakeover: boolean;
  /** The sender's largest window, 8 to 15. RFC 7692 §7.1.2. */
  windowBits: number;
}

/**
 * Inflates the messages of one connection. RFC 7692 §7.2.2.
 *
 * With context takeover it owns a native window (up to 32 KiB and some state), made with the first message;
 * without, all connections of the process share one.
 */
export class MessageInflater {
  readonly #own: InflaterOptions | null;
  #context: SyncInflate | null = null;
  #closed = false;

  constructor(options: InflaterOptions) {
    this.#own = options.contextTakeover ? options : null;
  }

  /**
   * Inflates the payload `bytes[start..end)` of one message (all its fragments joined).
   *
   * @param limit largest message in bytes; memory stays below the limit plus 64 KiB when it is passed.
   * @returns the message in a separate buffer, or the error that fails the connection (1007, 1009).
   */
  inflate(bytes: Uint8Array, start: number, end: number, limit: number): Buffer | WebSocketError {
    if (this.#closed) return new WebSocketError("WS_INVALID_DEFLATE", "the inflater is closed");
    const inflate = this.#acquire();
    let result: ReturnType<SyncInflate["inflate"]>;
    try {
      result = inflate.inflate(bytes, start, end, limit);
    } catch (error) {
      return new WebSocketError(
        "WS_MESSAGE_TOO_LARGE",
        `there is not enough memory for it: ${String(error)}`,
      );
    } finally {
      // Whatever happens: the next message is another connection's.
      if (this.#own === null) inflate.reset();
    }
    if (result === "too-large") return new WebSocketError("WS_MESSAGE_TOO_LARGE");
    if (result === "invalid") return new WebSocketError("WS_INVALID_DEFLATE");
    return result;
  }

  /** Frees the connection's window. */
  close(): void {
    this.#closed = true;
    this.#context?.close();
    this.#context = null;
  }

  #acquire(): SyncInflate {
    if (this.#own === null) {
      sharedInflate ??= new SyncInflate(MAX_WINDOW_BITS);
      return sharedInflate;
    }
    this.#context ??= new SyncInflate(this.#own.windowBits);
    return this.#context;
  }
}
