/** For each field line the positions of its name and its colon, then the end of the lines, and {@link NO_COLON}. */
type FieldPositions = readonly number[];
export const NO_COLON = -1;

/**
 * The field lines of a head or of a trailer section (RFC 9110 §5), already validated. They are kept as one string, as
 * they arrived, and parsed only when read: most handlers read few fields or none.
 */
export class Fields {
  /** The head, or the trailer section, as it came. */
  readonly text: string;
  private readonly start: number;
  /** When it is that of {@link latestSection}, the positions are there. */
  section: number = 0;
  private positions: FieldPositions | null = null;

  /**
   * @param text a latin1 string with valid field lines, each ended by CRLF, and an empty line after them
   * @param start where in `text` the first field line begins
   */
  constructor(text: string, start: number) {
    this.text = text;
    this.start = start;
  }

  /** The field lines as they came, each with its CRLF, without the empty line that ends the section. */
  get raw(): string {
    return this.text.slice(this.start, this.text.length - 2);
  }

  /**
   * Returns the value of a field. Several lines with the same name are joined with ", " (RFC 9110 §5.3), Cookie with ";
   * " (RFC 6265 §5.4).
   * @param name case-insensitive
   * @returns the value without surrounding white space, or undefined if there is no such field
   */
  get(name: string): string | undefined {
    const positions = this.located();
    let found: string | undefined;
    for (let i = 0; (positions[i + 1] ?? NO_COLON) !== NO_COLON; i += 2) {
      if (!this.isNamed(positions, i, name)) continue;
      const value = this.value(positions, i);
      if (found === undefined) found = value;
      else found += (name.length === 6 && name.toLowerCase() === "cookie" ? "; " : ", ") + value;
    }
    return found;
  }

  /**
   * Returns the value of one field line.
   * @param line the lines are counted from 0
   * @param likely what it probably is; it is returned in this case, and nothing new is made
   */
  valueAt(line: number, likely: string): string {
    const positions = this.located();
    const afterColon = (positions[2 * line + 1] ?? 0) + 1;
    const length = (positions[2 * line + 2] ?? 0) - 2 - afterColon;
    const { text } = this;
    if (length === likely.length + 1 && text.charCodeAt(afterColon) === 0x20) {
      if (text.startsWith(likely, afterColon + 1)) return likely;
    }
    return this.value(positions, 2 * line);
  }

  /** Each field line in order, with the name in the case in which it was sent. */
  entries(): [name: string, value: string][] {
    const positions = this.located();
    const entries: [string, string][] = [];
    for (let i = 0; (positions[i + 1] ?? NO_COLON) !== NO_COLON; i += 2) {
      const name = this.text.substring(positions[i] ?? 0, positions[i + 1] ?? 0);
      entries.push([name, this.value(positions, i)]);
    }
    return entries;
  }

  /** All fields by lower-case name, joined like {@link get} does; the object has no prototype. */
  record(): Record<string, string> {
    const record: Record<string, string> = Object.create(null);
    for (const [name, value] of this.entries()) {
      const key = name.toLowerCase();
      const before = record[key];
      record[key] = before === undefined ? value : `${before}${key === "cookie" ? "; " : ", "}${value}`;
    }
    return record;
  }

  private value(positions: FieldPositions, i: number): string {
    return trimmed(this.text, (positions[i + 1] ?? 0) + 1, (positions[i + 2] ?? 0) - 2);
  }

  private isNamed(positions: FieldPositions, i: number, name: string): boolean {
    const start = positions[i] ?? 0;
    if ((positions[i + 1] ?? 0) - start !== name.length) return false;
    for (let k = 0; k < name.length; k++) {
      const a = this.text.charCodeAt(start + k);
      const b = name.charCodeAt(k);
      if (a !== b && (lower(a) !== lower(b) || a > 0x7f || b > 0x7f)) return false;
    }
    return true;
  }

  private located(): FieldPositions {
    const { section, positions } = latestSection;
    return section === this.section ? positions : (this.positions ?? this.locate());
  }

  private locate(): FieldPositions {
    const { text } = this;
    const positions: number[] = [];
    const last = text.length - 2;
    for (let line = this.start; line < last; ) {
      const colon = text.indexOf(":", line);
      positions.push(line, colon);
      line = text.indexOf("\r\n", colon) + 2;
    }
    positions.push(last, NO_COLON);
    this.positions = positions;
    return positions;
  }
}

/**
 * The positions that were found when the latest section was read: most handlers need them before the next one is. Its
 * number is -1 while a section is read. It does not refer to fields, whose text would be kept in memory.
 */
export const latestSection: { section: number; readonly positions: number[] } = {
  section: -1,
  positions: [],
};

/**
 * A part of a text without the white space around it, which is SP and HTAB only (RFC 9110 §5.6.3). Not a regular
 * expression: /[ \t]+$/ takes time in the square of the length for white space in the middle.
 */
export function trimmed(text: string, start: number, end: number): string {
  let from = start;
  let to = end;
  while (from < to && isWhiteSpace(text.charCodeAt(from))) from++;
  while (to > from && isWhiteSpace(text.charCodeAt(to - 1))) to--;
  return text.substring(from, to);
}

function lower(code: number): number {
  return code >= 0x41 && code <= 0x5a ? code | 0x20 : code;
}

function isWhiteSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
