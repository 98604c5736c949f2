import type { Frame } from "./frame.ts";
import type { HostFunction } from "./machine.ts";

/** How many characters are looked at for one match, before it counts as endless. */
const MAX_LOOKS = 20_000_000;
const MAX_DEPTH = 200;
const MAX_CAPTURES = 32;
const UNCLOSED = -1;
const POSITION = -2;

const code = (character: string): number => character.charCodeAt(0);
const ESCAPE = code("%");
const [OPEN, CLOSE, ANY, SET, SET_END, NOT] = [..."().[]^"].map(code);
const [STAR, PLUS, MINUS, OPTION, END] = [..."*+-?$"].map(code);
const [BALANCE, FRONTIER] = [..."bf"].map(code);

const within = (c: number, from: string, to: string): boolean => c >= code(from) && c <= code(to);
const isLower = (c: number): boolean => within(c, "a", "z");
const isUpper = (c: number): boolean => within(c, "A", "Z");
const isDigit = (c: number): boolean => within(c, "0", "9");
const isAlphanumeric = (c: number): boolean => isLower(c) || isUpper(c) || isDigit(c);
const isPrintable = (c: number): boolean => c > 32 && c < 127;
/** The classes of the manual, by the lower-case letter. */
const CLASSES: ReadonlyMap<number, (c: number) => boolean> = new Map(
  Object.entries({
    a: (c: number) => isLower(c) || isUpper(c),
    c: (c: number) => c < 32 || c === 127,
    d: isDigit,
    g: isPrintable,
    l: isLower,
    p: (c: number) => isPrintable(c) && !isAlphanumeric(c),
    s: (c: number) => c === 32 || (c >= 9 && c <= 13),
    u: isUpper,
    w: isAlphanumeric,
    x: (c: number) => isDigit(c) || within(c | 32, "a", "f"),
    z: (c: number) => c === 0,
  }).map(([letter, test]) => [code(letter), test]),
);

interface Capture {
  readonly start: number;
  length: number;
}

/**
 * Matches patterns of Lua (manual, section 6.4.1) in bounded time. The machine's matcher can run for years on a pattern
 * such as ("a?"):rep(60), and nothing can interrupt it.
 */
class Matcher {
  captures: Capture[] = [];
  private readonly text: Buffer;
  private readonly pattern: Buffer;
  private looks = 0;
  private depth = 0;

  constructor(text: Buffer, pattern: Buffer) {
    this.text = text;
    this.pattern = pattern;
  }

  /** @returns where the match ends, or -1 */
  match(start: number, from: number): number {
    if (++this.depth > MAX_DEPTH) throw new Error("pattern too complex");
    try {
      return this.matchHere(start, from);
    } finally {
      this.depth--;
    }
  }

  private matchHere(start: number, from: number): number {
    const { pattern, text } = this;
    let [at, p] = [start, from];
    while (p < pattern.length) {
      const c = pattern[p];
      if (c === OPEN) {
        const isPosition = pattern[p + 1] === CLOSE;
        return this.open(at, p + (isPosition ? 2 : 1), isPosition ? POSITION : UNCLOSED);
      }
      if (c === CLOSE) return this.close(at, p + 1);
      if (c === END && p + 1 === pattern.length) return at === text.length ? at : -1;
      if (c === ESCAPE && pattern[p + 1] === BALANCE) {
        at = this.balanced(at, p + 2);
        p += 4;
      } else if (c === ESCAPE && pattern[p + 1] === FRONTIER) {
        if (pattern[p + 2] !== SET) throw new Error("missing '[' after '%f' in pattern");
        const end = this.itemEnd(p + 2);
        const before = at === 0 ? 0 : (text[at - 1] ?? 0);
        if (this.isInSet(before, p + 2, end - 1) || !this.isInSet(text[at] ?? 0, p + 2, end - 1)) return -1;
        p = end;
      } else if (c === ESCAPE && isDigit(pattern[p + 1] ?? 0)) {
        at = this.repeated(at, (pattern[p + 1] ?? 0) - code("1"));
        p += 2;
      } else {
        const end = this.itemEnd(p);
        const suffix = pattern[end];
        if (suffix === STAR || suffix === PLUS) return this.longest(at, p, end, suffix === PLUS ? 1 : 0);
        if (suffix === MINUS) return this.shortest(at, p, end);
        const isHere = this.isOne(at, p, end);
        if (suffix === OPTION) {
          const found = isHere ? this.match(at + 1, end + 1) : -1;
          if (found >= 0) return found;
          p = end + 1;
        } else {
          if (!isHere) return -1;
          at++;
          p = end;
        }
      }
      if (at < 0) return -1;
    }
    return at;
  }

  private open(at: number, next: number, length: number): number {
    if (this.captures.length === MAX_CAPTURES) throw new Error("too many captures");
    this.captures.push({ start: at, length });
    const end = this.match(at, next);
    if (end < 0) this.captures.pop();
    return end;
  }

  private close(at: number, next: number): number {
    const capture = this.captures.findLast(({ length }) => length === UNCLOSED);
    if (capture === undefined) throw new Error("invalid pattern capture");
    capture.length = at - capture.start;
    const end = this.match(at, next);
    if (end < 0) capture.length = UNCLOSED;
    return end;
  }

  private longest(at: number, p: number, end: number, least: number): number {
    let count = 0;
    while (this.isOne(at + count, p, end)) count++;
    for (; count >= least; count--) {
      const found = this.match(at + count, end + 1);
      if (found >= 0) return found;
    }
    return -1;
  }

  private shortest(from: number, p: number, end: number): number {
    for (let at = from; ; at++) {
      const found = this.match(at, end + 1);
      if (found >= 0) return found;
      if (!this.isOne(at, p, end)) return -1;
    }
  }

  private balanced(at: number, p: number): number {
    const [first, last] = [this.pattern[p], this.pattern[p + 1]];
    if (last === undefined) throw new Error("malformed pattern (missing arguments to '%b')");
    if (this.text[at] !== first) return -1;
    for (let [position, depth] = [at + 1, 1]; position < this.text.length; position++) {
      this.look();
      const c = this.text[position];
      if (c === last) {
        if (--depth === 0) return position + 1;
      } else if (c === first) depth++;
    }
    return -1;
  }

  private repeated(at: number, index: number): number {
    const capture = this.captures[index];
    if (capture === undefined || capture.length === UNCLOSED)
      throw new Error(`invalid capture index %${index + 1}`);
    const { start, length } = capture;
    const end = at + length;
    if (length === POSITION || end > this.text.length) return -1;
    this.looks += length;
    this.look();
    return this.text.compare(this.text, at, end, start, start + length) === 0 ? end : -1;
  }

  /** Where a single item of the pattern ends. */
  private itemEnd(from: number): number {
    const { pattern } = this;
    let p = from + 1;
    if (pattern[from] === ESCAPE) {
      if (p >= pattern.length) throw new Error("malformed pattern (ends with '%')");
      return p + 1;
    }
    if (pattern[from] !== SET) return p;
    if (pattern[p] === NOT) p++;
    do {
      if (p >= pattern.length) throw new Error("malformed pattern (missing ']')");
      p += pattern[p] === ESCAPE ? 2 : 1;
    } while (pattern[p] !== SET_END);
    return p + 1;
  }

  private isOne(at: number, p: number, end: number): boolean {
    this.look();
    const c = this.text[at];
    if (c === undefined) return false;
    const item = this.pattern[p];
    if (item === ANY) return true;
    if (item === ESCAPE) return isInClass(c, this.pattern[p + 1] ?? 0);
    return item === SET ? this.isInSet(c, p, end - 1) : item === c;
  }

  /** @param last where the "]" is */
  private isInSet(c: number, first: number, last: number): boolean {
    const { pattern } = this;
    this.looks += last - first;
    const isNegative = pattern[first + 1] === NOT;
    for (let p = first + (isNegative ? 2 : 1); p < last; p++) {
      const item = pattern[p] ?? 0;
      if (item === ESCAPE) {
        if (isInClass(c, pattern[++p] ?? 0)) return !isNegative;
      } else if (pattern[p + 1] === MINUS && p + 2 < last) {
        if (item <= c && c <= (pattern[p + 2] ?? 0)) return !isNegative;
        p += 2;
      } else if (item === c) return !isNegative;
    }
    return isNegative;
  }

  private look(): void {
    if (++this.looks > MAX_LOOKS) throw new Error("pattern too complex");
  }
}

function isInClass(c: number, letter: number): boolean {
  const test = CLASSES.get(letter | 32);
  if (test === undefined || !(isLower(letter) || isUpper(letter))) return letter === c;
  return test(c) === isLower(letter);
}

/**
 * (text, pattern, from, where the last match has ended): the place and the end of the first match, as counted by
 * `string.find`, and what it has captured; or nil.
 */
export const matchPattern: HostFunction = (frame) => {
  const [text, pattern] = [frame.borrowedBytes(1), frame.borrowedBytes(2)];
  const lastEnd = frame.numberOr(4, 0) - 1;
  const isAnchored = pattern[0] === NOT;
  const matcher = new Matcher(text, pattern);
  for (let at = frame.number(3) - 1; at <= text.length; at++) {
    matcher.captures = [];
    const end = matcher.match(at, isAnchored ? 1 : 0);
    if (end >= 0 && end !== lastEnd) return pushMatch(frame, text, at, end, matcher.captures);
    if (isAnchored) break;
  }
  frame.pushNil();
  return 1;
};

function pushMatch(frame: Frame, text: Buffer, at: number, end: number, captures: Capture[]): number {
  const values = captures.map(({ start, length }) => {
    if (length === UNCLOSED) throw new Error("unfinished capture");
    return length === POSITION ? start + 1 : Buffer.from(text.subarray(start, start + length));
  });
  frame.pushNumber(at + 1);
  frame.pushNumber(end);
  for (const value of values) {
    if (typeof value === "number") frame.pushNumber(value);
    else frame.pushBytes(value);
  }
  return 2 + values.length;
}
