import { memoryOf } from "../../bytes/memory-of.ts";
import { type Fields, latestSection, NO_COLON } from "../http/fields.ts";
import { HttpError } from "../http/http-error.ts";
import { COLON, CR, FIELD_VALUE, HTAB, LF, octetClass, SP, TOKEN } from "../http/octets.ts";

/*
 * Field lines as a state machine on octets (RFC 9112 §5). It can stop at any octet and go on later.
 *
 *   state      token    ":"         field octet   CR         LF       anything else
 *   LINE       NAME     error       error         LAST_LF    error    error (SP, HTAB: obs-fold)
 *   NAME       NAME     VALUE       error         error      error    error (SP: §5.1, space before the colon)
 *   VALUE      VALUE    VALUE       VALUE         VALUE_LF   error    error (NUL and other controls: §5.5)
 *   VALUE_LF   error    error       error         error      LINE     error
 *   LAST_LF    error    error       error         error      done     error
 */
const LINE = 0;
const NAME = 1;
const VALUE = 2;
const VALUE_LF = 3;
const LAST_LF = 4;

/** The names whose values decide about framing and connection; all others are left alone until asked for. */
export const SPECIAL = {
  host: 1,
  contentLength: 2,
  transferEncoding: 4,
  connection: 8,
  expect: 16,
  upgrade: 32,
} as const;

/** They are told apart by their lengths. */
const names = [
  ["host", SPECIAL.host],
  ["expect", SPECIAL.expect],
  ["upgrade", SPECIAL.upgrade],
  ["connection", SPECIAL.connection],
  ["content-length", SPECIAL.contentLength],
  ["transfer-encoding", SPECIAL.transferEncoding],
] as const;
const byLength = Array.from({ length: 18 }, (_, length) => names.find(([name]) => name.length === length));
/** As octets: V8 would look at the form of a string again for each character. */
const nameOf = byLength.map((found) => (found === undefined ? undefined : Buffer.from(found[0])));
const bitOf = byLength.map((found) => found?.[1] ?? 0);

const located = latestSection.positions;
let sections = 0;

export class FieldScanner {
  /** Bits of the {@link SPECIAL} fields that have been seen. */
  seen = 0;
  /** Bits of those that came in more than one line. */
  repeated = 0;
  /** The line of the Host field; the last one, if it is repeated. */
  hostLine = 0;
  private state = LINE;
  private count = 0;
  private nameStart = 0;
  /** Whether the section was read in one go. */
  private isWhole = false;

  /** Right after a section has been read: these are its fields. */
  noteFields(fields: Fields): void {
    if (this.isWhole) fields.section = latestSection.section = ++sections;
  }

  /** Begin a new field section. */
  reset(): void {
    this.state = LINE;
    this.seen = 0;
    this.repeated = 0;
    this.count = 0;
  }

  /** To be called when the scanned octets were moved: `by` is what their positions lost. */
  shift(by: number): void {
    this.nameStart -= by;
  }

  /**
   * Continues at `at`.
   * @param base what the positions of the field lines are counted from
   * @returns the position after the empty line, or -1 when all octets were taken and the section is not complete
   * @throws HttpError at the first octet that cannot stand where it is
   */
  scan(bytes: Uint8Array, at: number, end: number, maxCount: number, base: number): number {
    let p = at;
    let state = this.state;
    this.isWhole = state === LINE && this.count === 0;
    latestSection.section = -1;
    const { words, offset } = memoryOf(bytes);
    while (p < end) {
      if (state === VALUE) {
        p = afterFieldValue(bytes, p, end, words, offset);
        if (p === end) break;
        if (bytes[p] !== CR) throw new HttpError("HTTP_BAD_FIELD", "control character in a field value");
        p++;
        state = VALUE_LF;
      } else if (state === NAME) {
        while (p < end && ((octetClass[bytes[p] ?? 0] ?? 0) & TOKEN) !== 0) p++;
        if (p === end) break;
        if (bytes[p] !== COLON) throw new HttpError("HTTP_BAD_FIELD", "invalid character in a field name");
        this.note(bytes, p);
        const index = 2 * this.count;
        located[index - 2] = this.nameStart - base;
        located[index - 1] = p - base;
        p = afterFieldValue(bytes, p + 1, end, words, offset);
        // Most lines end here: no need to come round again for each state.
        const isWholeLine = p + 1 < end && bytes[p] === CR && bytes[p + 1] === LF;
        if (isWholeLine) p += 2;
        state = isWholeLine ? LINE : VALUE;
      } else if (state === LINE) {
        const octet = bytes[p] ?? 0;
        if (((octetClass[octet] ?? 0) & TOKEN) !== 0) {
          if (++this.count > maxCount) {
            throw new HttpError("HTTP_HEAD_TOO_LARGE", `more than ${maxCount} field lines`);
          }
          this.nameStart = p;
          state = NAME;
        } else if (octet === CR) {
          state = LAST_LF;
        } else if (octet === SP || octet === HTAB) {
          throw new HttpError("HTTP_BAD_FIELD", "line folding is not allowed"); // RFC 9112 §5.2
        } else {
          throw new HttpError("HTTP_BAD_FIELD", "invalid first character of a field name");
        }
        p++;
      } else {
        if (bytes[p] !== LF) throw new HttpError("HTTP_BAD_FIELD", "CR without LF");
        p++;
        if (state === LAST_LF) {
          this.state = LINE;
          const index = 2 * this.count;
          located[index] = p - 2 - base;
          located[index + 1] = NO_COLON;
          return p;
        }
        state = LINE;
      }
    }
    this.state = state;
    return -1;
  }

  private note(bytes: Uint8Array, colon: number): void {
    const length = colon - this.nameStart;
    const name = length < nameOf.length ? nameOf[length] : undefined;
    if (name === undefined) return;
    const bit = bitOf[length] ?? 0;
    for (let i = 0; i < length; i++) {
      if (((bytes[this.nameStart + i] ?? 0) | 0x20) !== name[i]) return;
    }
    if ((this.seen & bit) !== 0) this.repeated |= bit;
    this.seen |= bit;
    if (bit === SPECIAL.host) this.hostLine = this.count - 1;
  }
}

/** Below this many octets the loop by octets is as fast as the one by words. */
const WORDS_FROM = 16;

/**
 * The first position that holds no octet of a field value.
 * @param words the memory of the bytes, which begin at `offset` in it
 */
function afterFieldValue(
  bytes: Uint8Array,
  at: number,
  end: number,
  words: Uint32Array,
  offset: number,
): number {
  let p = at;
  if (end - at >= WORDS_FROM) {
    const aligned = at + (-(offset + at) & 3);
    while (p < aligned && ((octetClass[bytes[p] ?? 0] ?? 0) & FIELD_VALUE) !== 0) p++;
    if (p === aligned) p = afterPlainWords(words, (offset + p) >>> 2, (offset + end) >>> 2) * 4 - offset;
  }
  while (p < end && ((octetClass[bytes[p] ?? 0] ?? 0) & FIELD_VALUE) !== 0) p++;
  return p;
}

/**
 * Returns the first word with an octet below 0x20 or DEL: the end of a field value, or a tab. It can also return a word
 * that only might have one.
 */
function afterPlainWords(words: Uint32Array, at: number, end: number): number {
  let w = at;
  for (; w < end; w++) {
    const word = words[w] ?? 0;
    // The highest bit of an octet below 0x80 becomes 1: by borrowing when it is below 0x20, by carrying from 0x7f.
    if ((((word - 0x20202020) | (word + 0x01010101)) & ~word & 0x80808080) !== 0) break;
  }
  return w;
}
