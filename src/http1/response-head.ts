import { FIELD_VALUE, octetClass, TOKEN } from "./octets.ts";
import { reasonPhrases } from "./reason-phrases.ts";

/** A part of a response head that would not be valid on the wire: a mistake of the program, not of the peer. */
export class FieldError extends TypeError {
  readonly code = "ERR_INVALID_FIELD";

  constructor(message: string) {
    super(message);
    this.name = "FieldError";
  }
}

const commonLines: (string | undefined)[] = [];

/** The registered reason phrase of a status code, or "Unknown" (RFC 9110 §15). */
export function reasonPhrase(code: number): string {
  return reasonPhrases[code] ?? "Unknown";
}

/**
 * The status line of a response (RFC 9112 §4).
 * @param code 100 to 599
 * @param reason in place of the registered phrase
 * @returns the line with its CRLF
 * @throws FieldError for a code or a reason that may not be sent
 */
export function statusLine(code: number, reason?: string): string {
  if (reason === undefined && typeof code === "number") {
    const line = commonLines[code];
    if (line !== undefined) return line;
  }
  if (!Number.isInteger(code) || code < 100 || code > 599) {
    throw new FieldError(`status code ${code} is not an integer from 100 to 599`);
  }
  if (reason !== undefined) {
    // Who does without types may give an error here, whose message is longer than a line.
    const phrase = String(reason);
    if (!isFieldValue(phrase)) throw new FieldError("a reason phrase cannot hold control characters");
    return `HTTP/1.1 ${code} ${phrase}\r\n`;
  }
  const line = `HTTP/1.1 ${code} ${reasonPhrase(code)}\r\n`;
  commonLines[code] = line;
  return line;
}

/**
 * Checks a field name (a token, RFC 9110 §5.1).
 * @throws FieldError
 */
export function checkFieldName(name: string): void {
  let valid = name.length > 0;
  for (let i = 0; i < name.length && valid; i++) {
    const code = name.charCodeAt(i);
    valid = code < 256 && ((octetClass[code] ?? 0) & TOKEN) !== 0;
  }
  if (!valid) throw new FieldError(`${JSON.stringify(name)} is not a valid field name`);
}

/**
 * Checks a field value: no CR, LF, NUL or other control characters, and nothing above U+00FF (RFC 9110 §5.5).
 * @throws FieldError
 */
export function checkFieldValue(name: string, value: string): void {
  if (!isFieldValue(value)) {
    throw new FieldError(`the value of ${name} cannot hold control characters or characters above U+00FF`);
  }
}

/** The last line that was made for a name, and what it was put into: most fields of a program never change. */
interface LastLine {
  readonly value: string;
  readonly line: string;
  before: string;
  after: string;
}

const lastLines = new Map<string, LastLine>();
const MAX_LAST_LINES = 64;
const MAX_LAST_LINE_LENGTH = 256;

/**
 * Adds a field line.
 * @param lines field lines, each with its CRLF, or ""
 * @returns all of them
 * @throws FieldError when the name or the value may not be sent
 */
export function addFieldLine(lines: string, name: string, value: string): string {
  return lines + lastLine(name, value).line;
}

/** Puts a field line in place of those of its name. Otherwise like {@link addFieldLine}. */
export function setFieldLine(lines: string, name: string, value: string): string {
  const last = lastLine(name, value);
  if (lines === "") return last.line;
  if (lines !== last.before) {
    last.before = lines;
    last.after = withoutField(lines, name) + last.line;
  }
  return last.after;
}

/** The last beginning of a head: most responses of a program begin like the one before. */
const latest = { line: "", fields: "", date: "", text: "", isFlat: true };

/**
 * What a head begins with. It is made once for all responses in a row that begin alike, and in one piece: V8 joins text
 * by reference, and has to walk through the pieces to write it.
 * @param line the status line
 * @param fields field lines
 * @param date the Date line, or ""
 */
export function headStart(line: string, fields: string, date: string): string {
  if (line !== latest.line || fields !== latest.fields || date !== latest.date) {
    latest.line = line;
    latest.fields = fields;
    latest.date = date;
    latest.text = line + fields + date;
    latest.isFlat = false;
  } else if (!latest.isFlat) {
    latest.text = inOnePiece(latest.text);
    latest.isFlat = true;
  }
  return latest.text;
}

const MAX_LENGTH_LINES = 4_096;
const lengthLines: (string | undefined)[] = new Array(MAX_LENGTH_LINES);

/** The Content-Length line (RFC 9110 §8.6); those of short content are made once. */
export function contentLengthLine(length: number): string {
  if (length >= MAX_LENGTH_LINES) return `Content-Length: ${length}\r\n`;
  lengthLines[length] ??= inOnePiece(`Content-Length: ${length}\r\n`);
  return lengthLines[length];
}

function inOnePiece(text: string): string {
  return Buffer.from(text, "latin1").toString("latin1");
}

/** @returns the field lines without those of a name, in any case */
export function withoutField(lines: string, name: string): string {
  const prefix = `${name.toLowerCase()}:`;
  if (!`\n${lines.toLowerCase()}`.includes(`\n${prefix}`)) return lines;
  return lines
    .split(/(?<=\r\n)/)
    .filter((line) => !line.toLowerCase().startsWith(prefix))
    .join("");
}

function lastLine(name: string, value: string): LastLine {
  const last = lastLines.get(name);
  if (last !== undefined && last.value === value) return last;
  checkFieldName(name);
  checkFieldValue(name, value);
  const line = `${name}: ${value}\r\n`;
  const made = { value, line, before: "", after: line };
  if (line.length <= MAX_LAST_LINE_LENGTH && (last !== undefined || lastLines.size < MAX_LAST_LINES)) {
    lastLines.set(name, made);
  }
  return made;
}

function isFieldValue(value: string): boolean {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code > 255 || ((octetClass[code] ?? 0) & FIELD_VALUE) === 0) return false;
  }
  return true;
}
