import { ownText } from "../../bytes/own-text.ts";
import { reasonPhrase } from "../http/reason-phrases.ts";
import { checkStatus } from "../http/status.ts";

const commonLines: (string | undefined)[] = [];

/**
 * The status line of a response (RFC 9112 §4).
 * @param code 100 to 599
 * @param reason in place of the registered phrase
 * @returns the line with its CRLF
 * @throws FieldError for a code or a reason that cannot be sent
 */
export function statusLine(code: number, reason?: string): string {
  if (reason === undefined && typeof code === "number") {
    const line = commonLines[code];
    if (line !== undefined) return line;
  }
  checkStatus(code, reason);
  if (reason !== undefined) return `HTTP/1.1 ${code} ${reason}\r\n`;
  const line = `HTTP/1.1 ${code} ${reasonPhrase(code) ?? "Unknown"}\r\n`;
  commonLines[code] = line;
  return line;
}

/** The last head, and what it begins with up to the lines that depend on the content. */
const latest = {
  line: "",
  fields: "",
  date: "",
  tail: "",
  start: "",
  text: "",
  isStartFlat: true,
  isFlat: true,
};

/**
 * A head, or what it begins with. It is made once for all responses in a row that are alike, and in one piece: V8 joins
 * text by reference, and has to walk through the pieces to write it.
 * @param line the status line
 * @param fields field lines
 * @param date the Date line, or ""
 * @param tail what follows, which depends on the content
 */
export function headOf(line: string, fields: string, date: string, tail: string): string {
  if (line !== latest.line || fields !== latest.fields || date !== latest.date) {
    latest.line = line;
    latest.fields = fields;
    latest.date = date;
    latest.start = line + fields + date;
    latest.isStartFlat = false;
  } else if (tail === latest.tail) {
    if (!latest.isFlat) latest.text = ownText(latest.text);
    latest.isFlat = true;
    return latest.text;
  } else if (!latest.isStartFlat) {
    latest.start = ownText(latest.start);
    latest.isStartFlat = true;
  }
  latest.tail = tail;
  latest.text = latest.start + tail;
  latest.isFlat = false;
  return latest.text;
}

const MAX_LENGTH_LINES = 4_096;
const lengthLines: (string | undefined)[] = new Array(MAX_LENGTH_LINES);
const lastLengthLines: (string | undefined)[] = new Array(MAX_LENGTH_LINES);

/** The Content-Length line (RFC 9110 §8.6); those of short content are made once. */
export function contentLengthLine(length: number): string {
  if (length >= MAX_LENGTH_LINES) return `Content-Length: ${length}\r\n`;
  lengthLines[length] ??= ownText(`Content-Length: ${length}\r\n`);
  return lengthLines[length];
}

/** The same as the last line of a head, with the empty line behind it. Most heads end with it. */
export function lastContentLengthLine(length: number): string {
  if (length >= MAX_LENGTH_LINES) return `Content-Length: ${length}\r\n\r\n`;
  lastLengthLines[length] ??= ownText(`Content-Length: ${length}\r\n\r\n`);
  return lastLengthLines[length];
}

let keepAliveMs = Number.NaN;
let lines = "";

/**
 * The lines that say that the connection stays open, and for how long (RFC 2068 §19.7.1.1), for clients that ask. One
 * second less than the real timeout, so that the client ends it first and no request is lost.
 * @param timeoutMs how long it can be idle, in milliseconds; 0 and Infinity: forever
 */
export function keepAliveLines(timeoutMs: number): string {
  if (timeoutMs === keepAliveMs) return lines;
  const seconds = Math.floor(timeoutMs / 1_000) - 1;
  const isTold = seconds > 0 && Number.isSafeInteger(seconds);
  keepAliveMs = timeoutMs;
  lines = `Connection: keep-alive\r\n${isTold ? `Keep-Alive: timeout=${seconds}\r\n` : ""}`;
  return lines;
}
