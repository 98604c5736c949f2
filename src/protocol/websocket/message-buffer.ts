import type { Buffer } from "node:buffer";
import { messageMemory } from "../../bytes/message-memory.ts";
import { newMemory, pieceMemory } from "../../bytes/new-memory.ts";
import { NO_BYTES } from "../../bytes/no-bytes.ts";
import type { MessageInflater } from "./message-inflater.ts";
import { BINARY, TEXT } from "./opcodes.ts";
import { isText, Utf8Validator } from "./utf8.ts";
import { WebSocketError, type WebSocketErrorCode } from "./websocket-error.ts";

const FIRST_BYTES = 64 * 1024;
const FIRST_FRAGMENT_BYTES = 256;
// Smaller buffers come from Node's pool. One this large would keep as much memory of the pool alive anyway.
const OWN_FROM = 2048;

/**
 * Holds a message that arrives in several pieces (RFC 6455 §5.4) or compressed: its memory, its limit and its text.
 *
 * The memory grows by what has been received, never by what was announced: it takes at most 4 times the received bytes
 * plus 64 KiB. Each byte is copied once, plus 1/3 on average for the growth, which kept memory saves.
 */
export class MessageBuffer {
  /** After a method has returned false or null: the rule that was broken. */
  error: WebSocketError | null = null;
  /** Of the first frame. */
  opcode: number = BINARY;
  private bytes: Buffer = NO_BYTES;
  private length = 0;
  private isCompressed = false;
  private limit = 0;
  private wireLimit = 0;
  /** Made for the first text that does not come in one piece. */
  private utf8: Utf8Validator | undefined = undefined;
  private readonly inflater: MessageInflater | undefined;

  constructor(inflater: MessageInflater | undefined) {
    this.inflater = inflater;
  }

  /** Bytes of memory held. */
  get heldBytes(): number {
    return this.bytes.length;
  }

  /** @param maxBytes the largest message, after inflating */
  begin(opcode: number, isCompressed: boolean, maxBytes: number): void {
    this.opcode = opcode;
    this.isCompressed = isCompressed;
    this.limit = maxBytes;
    // Data that does not compress becomes a little longer (stored blocks); the limit itself is for the message.
    this.wireLimit = isCompressed ? maxBytes + Math.floor(maxBytes / 256) + 64 : maxBytes;
  }

  /** Whether `count` more bytes stay within the limit. */
  hasRoom(count: number): boolean {
    return count <= this.wireLimit - this.length;
  }

  /**
   * Copies `source[start..end)` to the end.
   *
   * @param announced bytes of the frame from `start` on, as its header says.
   * @param isLast whether no further frame follows.
   * @returns false for text that cannot be UTF-8: see {@link error}.
   */
  append(source: Buffer, start: number, end: number, announced: number, isLast: boolean): boolean {
    const at = this.length;
    const needed = at + (end - start);
    if (needed > this.bytes.length) this.grow(needed, at + announced, isLast);
    source.copy(this.bytes, at, start, end);
    this.length = needed;
    return this.opcode !== TEXT || this.isCompressed || this.isValidSoFar(at);
  }

  /** Returns the message that was appended, in memory that nothing here touches again, or null: see {@link error}. */
  finish(): Buffer | null {
    const data = this.take();
    if (this.isCompressed) {
      const inflated = this.inflate(data);
      messageMemory.recycle(data);
      return inflated;
    }
    // After valid text the validator is as new. After other text nothing more is read.
    return this.utf8?.finish() === false ? this.fail("WS_INVALID_UTF8") : data;
  }

  /**
   * Inflates a whole message, which need not have been appended. RFC 7692 §6.2: all fragments are inflated together, and
   * text is validated after that.
   *
   * @returns the message in memory that nothing here touches again, or null: see {@link error}.
   */
  inflate(message: Buffer): Buffer | null {
    const data = this.inflater?.inflate(message, 0, message.length, this.limit);
    if (data === undefined) return this.fail("WS_INVALID_DEFLATE");
    if (data instanceof WebSocketError) {
      this.error = data;
      return null;
    }
    return this.opcode === TEXT && !isText(data) ? this.fail("WS_INVALID_UTF8") : data;
  }

  /** Drops what has been received. */
  clear(): void {
    messageMemory.recycle(this.take());
  }

  /** Validates text from `at` on, where the last piece begins. */
  private isValidSoFar(at: number): boolean {
    this.utf8 ??= new Utf8Validator();
    if (this.utf8.push(this.bytes, at, this.length)) return true;
    this.fail("WS_INVALID_UTF8");
    return false;
  }

  private take(): Buffer {
    const { bytes, length } = this;
    this.bytes = NO_BYTES;
    this.length = 0;
    return length === bytes.length ? bytes : bytes.subarray(0, length);
  }

  /**
   * @param needed bytes that have been received
   * @param announced bytes of the message as far as frame headers have told
   */
  private grow(needed: number, announced: number, isLast: boolean): void {
    const former = this.bytes;
    let target = Math.max(needed, Math.min(announced, Math.max(4 * needed, FIRST_BYTES)));
    // Fragments announce only themselves: without doubling, fragments of one byte would take quadratic time.
    if (!isLast && this.wireLimit > announced) {
      const doubled = Math.max(2 * former.length, FIRST_FRAGMENT_BYTES);
      target = Math.max(target, Math.min(this.wireLimit, doubled));
    }
    this.bytes = allocate(target, announced);
    former.copy(this.bytes, 0, 0, this.length);
    messageMemory.recycle(former);
  }

  private fail(code: WebSocketErrorCode): null {
    this.error = new WebSocketError(code);
    return null;
  }
}

function allocate(size: number, announced: number): Buffer {
  if (size > FIRST_BYTES) return messageMemory.take(size, announced);
  return size < OWN_FROM ? pieceMemory(size) : newMemory(size);
}
