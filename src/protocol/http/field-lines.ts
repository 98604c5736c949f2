import { FIELD_VALUE, octetClass } from "./octets.ts";
import { isToken } from "./token.ts";

/** A part of a message head that cannot be sent: an error of the program, not of the client. */
export class FieldError extends TypeError {
  readonly code = "ERR_INVALID_FIELD";

  constructor(message: string) {
    super(message);
    this.name = "FieldError";
  }
}

/**
 * Checks a field name (a token, RFC 9110 §5.1).
 * @throws FieldError
 */
export function checkFieldName(name: string): void {
  if (typeof name !== "string" || !isToken(name)) {
    throw new FieldError(`${JSON.stringify(name)} is not a valid field name`);
  }
}

/**
 * Checks a field value: no CR, LF, NUL or other control characters, and nothing above U+00FF (RFC 9110 §5.5).
 * @throws FieldError
 */
export function checkFieldValue(name: string, value: string): void {
  // Programs without types can give anything.
  if (typeof value !== "string") {
    throw new FieldError(
      `the value of ${String(name)} is ${describe(value)}. Use text, a number or a list of those`,
    );
  }
  if (!isFieldValue(value)) {
    throw new FieldError(`the value of ${name} cannot contain control characters or characters above U+00FF`);
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
 * @throws FieldError when the name or the value cannot be sent
 */
export function addFieldLine(lines: string, name: string, value: string): string {
  return lines + lastLine(name, value).line;
}

/** Replaces the field lines of a name. Otherwise like {@link addFieldLine}. */
export function setFieldLine(lines: string, name: string, value: string): string {
  const last = lastLine(name, value);
  if (lines === "") return last.line;
  if (lines !== last.before) {
    last.before = lines;
    last.after = withoutField(lines, name) + last.line;
  }
  return last.after;
}

/** Returns the field lines without those of a name, ignoring case. */
export function withoutField(lines: string, name: string): string {
  const prefix = `${name.toLowerCase()}:`;
  if (!`\n${lines.toLowerCase()}`.includes(`\n${prefix}`)) return lines;
  return lines
    .split(/(?<=\r\n)/)
    .filter((line) => !line.toLowerCase().startsWith(prefix))
    .join("");
}

/** A field line that never changes. If it is added to the same lines as the last time, it returns the same text. */
export class FixedLine {
  private readonly line: string;
  private before = "";
  private after: string;

  /** @throws FieldError when the name or the value cannot be sent */
  constructor(name: string, value: string) {
    this.line = addFieldLine("", name, value);
    this.after = this.line;
  }

  /** Appends it to other lines. */
  addTo(lines: string): string {
    if (lines !== this.before) {
      this.before = lines;
      this.after = lines + this.line;
    }
    return this.after;
  }
}

function describe(value: unknown): string {
  if (value === null || typeof value !== "object") return String(value);
  return Array.isArray(value) ? "a list" : "an object";
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

/** Returns whether a text can be a field value (RFC 9110 §5.5). */
export function isFieldValue(value: string): boolean {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code > 255 || ((octetClass[code] ?? 0) & FIELD_VALUE) === 0) return false;
  }
  return true;
}
