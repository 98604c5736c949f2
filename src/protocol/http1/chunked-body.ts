import { HttpError } from "../http/http-error.ts";
import { CR, HTAB, LF, SEMICOLON, SP } from "../http/octets.ts";
import { afterExtensionOctet, BETWEEN, DONE, INVALID, NAME_START } from "./chunk-extension.ts";

/*
 * The chunked transfer coding as a state machine on octets (RFC 9112 §7.1).
 *
 *   state      input                 next
 *   SIZE       hex digit             SIZE        (at least one, value up to 2^53-1; zeros before it are bounded)
 *              ";" SP HTAB           EXTENSION
 *              CR                    SIZE_LF
 *   EXTENSION  what may follow       EXTENSION   (see chunk-extension.ts; bounded over the message, then ignored)
 *              CR                    SIZE_LF
 *   SIZE_LF    LF                    DATA, or TRAILERS after the chunk of size 0
 *   DATA       that many octets      DATA_CR
 *   DATA_CR    CR                    DATA_LF
 *   DATA_LF    LF                    SIZE
 *   TRAILERS   the reader goes on with field lines
 *
 * Anything else is an error: an octet too many or too few here is how requests are smuggled.
 */
const SIZE = 0;
const EXTENSION = 1;
const SIZE_LF = 2;
const DATA = 3;
const DATA_CR = 4;
const DATA_LF = 5;
const TRAILERS = 6;

export class ChunkedBody {
  /** First octet of the data that the last call of {@link scan} found. */
  dataStart = 0;
  /** The octet after it; equal to `dataStart` when there was no data. */
  dataEnd = 0;
  private state = SIZE;
  private digits = 0;
  private size = 0;
  private extension = BETWEEN;
  private skippedBytes = 0;
  private total = 0;

  /** Begin a new body. */
  reset(): void {
    this.state = SIZE;
    this.digits = 0;
    this.size = 0;
    this.skippedBytes = 0;
    this.total = 0;
  }

  /** Whether the last chunk has been read, so that the trailer section follows. */
  get atTrailers(): boolean {
    return this.state === TRAILERS;
  }

  /**
   * Continues at `at`, up to the next piece of data, the trailer section or the end of the octets.
   * @returns the position after what was taken
   * @throws HttpError for octets that are not the chunked coding, or past a limit
   */
  scan(
    bytes: Uint8Array,
    at: number,
    end: number,
    maxBodyBytes: number,
    limits: { maxChunkExtensionBytes: number },
  ): number {
    let p = at;
    this.dataStart = this.dataEnd = at;
    while (p < end) {
      const octet = bytes[p] ?? 0;
      switch (this.state) {
        case SIZE:
          this.readSize(octet, limits.maxChunkExtensionBytes);
          p++;
          break;
        case EXTENSION:
          this.extension = afterExtensionOctet(this.extension, octet);
          if (this.extension === INVALID) throw new HttpError("HTTP_BAD_CHUNK", "invalid chunk extension");
          if (this.extension === DONE) this.state = SIZE_LF;
          else this.skip(limits.maxChunkExtensionBytes);
          p++;
          break;
        case SIZE_LF:
          if (octet !== LF) throw new HttpError("HTTP_BAD_CHUNK", "CR without LF after a chunk size");
          p++;
          if (this.size === 0) {
            this.state = TRAILERS;
            return p;
          }
          this.total += this.size;
          if (this.total > maxBodyBytes) {
            throw new HttpError("HTTP_BODY_TOO_LARGE", `more than ${maxBodyBytes} bytes of body`);
          }
          this.state = DATA;
          break;
        case DATA: {
          const taken = Math.min(this.size, end - p);
          this.size -= taken;
          this.dataStart = p;
          this.dataEnd = p + taken;
          if (this.size === 0) this.state = DATA_CR;
          return p + taken;
        }
        case DATA_CR:
          if (octet !== CR) throw new HttpError("HTTP_BAD_CHUNK", "chunk data is longer than its size");
          this.state = DATA_LF;
          p++;
          break;
        case DATA_LF:
          if (octet !== LF) throw new HttpError("HTTP_BAD_CHUNK", "CR without LF after chunk data");
          this.state = SIZE;
          this.digits = 0;
          this.size = 0;
          p++;
          break;
        default:
          return p;
      }
    }
    return p;
  }

  /** An octet of a chunk line that says nothing. */
  private skip(most: number): void {
    if (++this.skippedBytes > most) throw new HttpError("HTTP_BAD_CHUNK", "chunk lines are too long");
  }

  private readSize(octet: number, maxSkippedBytes: number): void {
    const digit = hexDigit(octet);
    if (digit >= 0) {
      this.size = this.size * 16 + digit;
      // RFC 9112 §7.1: a recipient must expect large values and prevent overflow.
      if (this.size > Number.MAX_SAFE_INTEGER) {
        throw new HttpError("HTTP_BAD_CHUNK", "chunk size is too large to count");
      }
      // So many digits begin with zeros, of which there can be any number.
      if (++this.digits > 16) this.skip(maxSkippedBytes);
      return;
    }
    if (this.digits === 0) throw new HttpError("HTTP_BAD_CHUNK", "chunk size is missing");
    if (octet === CR) this.state = SIZE_LF;
    else if (octet === SEMICOLON || octet === SP || octet === HTAB) {
      this.state = EXTENSION;
      this.extension = octet === SEMICOLON ? NAME_START : BETWEEN;
    } else throw new HttpError("HTTP_BAD_CHUNK", "invalid character in a chunk size");
  }
}

function hexDigit(octet: number): number {
  if (octet >= 0x30 && octet <= 0x39) return octet - 0x30;
  const letter = octet | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
