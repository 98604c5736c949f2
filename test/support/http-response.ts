// Responses as a strict reader of RFC 9110 and 9112 finds them on the wire.

/** One response, interim or final. */
export interface Answer {
  /** Status line and field lines, each ended by CRLF. */
  readonly head: string;
  readonly status: number;
  readonly reason: string;
  /** The field lines in their order. */
  readonly lines: readonly string[];
  /** Names in lower case, in the order of the lines. */
  readonly fields: readonly (readonly [string, string])[];
  readonly body: Buffer;
  /** The body as UTF-8. */
  readonly text: string;
  /** How the end of the content was told. */
  readonly framing: "none" | "length" | "chunked" | "close";
  /** Values of a field by its name in lower case, joined with ", ". */
  header(name: string): string | undefined;
}

/** What is on the wire of one connection. */
export interface ResponseStream {
  /** Interim responses, each with the number of final ones before it. */
  readonly interims: readonly (readonly [number, Answer])[];
  readonly finals: readonly Answer[];
  /** Bytes behind the last complete response. */
  readonly rest: Buffer;
}

const STATUS_LINE = /^HTTP\/1\.1 ([1-5]\d\d) ([\t\x20-\x7e\x80-\xff]*)$/;
const FIELD_LINE =
  /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+): ((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)$/;
const IMF_DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/;

/** The values of a field, in order. */
export function valuesOf(response: Answer, name: string): string[] {
  return response.fields.filter(([own]) => own === name).map(([, value]) => value);
}

/**
 * Reads all responses of a connection without any tolerance.
 * @param methods of the requests in their order; one more response than these is an error
 * @param ended whether the server has ended its stream
 * @throws Error for whatever RFC 9110 and 9112 do not allow a server to send
 */
export function readStream(bytes: Buffer, methods: readonly string[], ended: boolean): ResponseStream {
  const interims: [number, Answer][] = [];
  const finals: Answer[] = [];
  let at = 0;
  for (;;) {
    const found = readResponse(bytes, at, methods[finals.length], ended);
    if (found === undefined) break;
    at = found.next;
    if (found.response.status === 101) {
      finals.push(found.response);
      break;
    }
    if (found.response.status < 200) interims.push([finals.length, found.response]);
    else finals.push(found.response);
  }
  return { interims, finals, rest: bytes.subarray(at) };
}

/**
 * Reads one response.
 * @param method of the request; undefined when nobody has asked
 * @returns undefined when it is not complete
 */
export function readResponse(
  bytes: Buffer,
  start: number,
  method: string | undefined,
  ended: boolean,
): { readonly response: Answer; readonly next: number } | undefined {
  const headEnd = bytes.indexOf("\r\n\r\n", start, "latin1");
  if (headEnd < 0) return undefined;
  const head = bytes.toString("latin1", start, headEnd + 2);
  if (method === undefined) throw new Error(`a response that nobody asked for: ${JSON.stringify(head)}`);
  const [first = "", ...lines] = head.slice(0, -2).split("\r\n");
  const line = STATUS_LINE.exec(first);
  if (line === null) throw new Error(`not a status line: ${JSON.stringify(first)}`);
  const fields = lines.map((text): [string, string] => {
    const field = FIELD_LINE.exec(text);
    if (field === null) throw new Error(`not a field line: ${JSON.stringify(text)}`);
    return [field[1]!.toLowerCase(), field[2]!];
  });
  const status = Number(line[1]);
  const values = (name: string) => fields.filter(([own]) => own === name).map(([, value]) => value);
  const header = (name: string) => (values(name).length === 0 ? undefined : values(name).join(", "));
  const lengths = values("content-length");
  const codings = values("transfer-encoding");
  checkFraming(status, method, lengths, codings);
  if (status >= 200) checkDate(values("date"));
  const found = (body: Buffer, framing: Answer["framing"], next: number) => ({
    response: { head, status, reason: line[2]!, lines, fields, body, text: body.toString(), framing, header },
    next,
  });
  const from = headEnd + 4;
  if (method === "HEAD" || status < 200 || status === 204 || status === 304) {
    return found(Buffer.alloc(0), "none", from);
  }
  if (codings.length > 0) {
    const content = dechunk(bytes, from);
    return content && found(content.body, "chunked", content.next);
  }
  if (lengths.length > 0) {
    const next = from + Number(lengths[0]);
    return next > bytes.length ? undefined : found(bytes.subarray(from, next), "length", next);
  }
  if (!values("connection").includes("close")) throw new Error(`${status} without a length, and no close`);
  return ended ? found(bytes.subarray(from), "close", bytes.length) : undefined;
}

/** RFC 9112 §6.1 to §6.3, RFC 9110 §8.6 and §15.3.6. */
function checkFraming(status: number, method: string, lengths: string[], codings: string[]): void {
  const framing = `Content-Length ${JSON.stringify(lengths)}, Transfer-Encoding ${JSON.stringify(codings)}`;
  const wrong =
    lengths.length + codings.length > 1 ||
    lengths.some((value) => !/^(?:0|[1-9]\d*)$/.test(value)) ||
    codings.some((value) => value !== "chunked") ||
    ((status < 200 || status === 204) && lengths.length + codings.length > 0) ||
    (status === 205 && method !== "HEAD" && lengths[0] !== "0");
  if (wrong) throw new Error(`${status} to ${method} framed with ${framing}`);
}

/** RFC 9110 §6.6.1. */
function checkDate(dates: string[]): void {
  if (dates.length !== 1 || !IMF_DATE.test(dates[0]!)) throw new Error(`Date ${JSON.stringify(dates)}`);
}

/** RFC 9112 §7.1, without extensions and trailers: nothing in Portico sends them. */
function dechunk(bytes: Buffer, start: number): { body: Buffer; next: number } | undefined {
  const pieces: Buffer[] = [];
  let at = start;
  for (;;) {
    const lineEnd = bytes.indexOf("\r\n", at, "latin1");
    if (lineEnd < 0) return undefined;
    const line = bytes.toString("latin1", at, lineEnd);
    if (!/^(?:0|[1-9a-f][0-9a-f]*)$/i.test(line))
      throw new Error(`not a chunk size: ${JSON.stringify(line)}`);
    const size = Number.parseInt(line, 16);
    const end = lineEnd + 2 + size;
    if (end + 2 > bytes.length) return undefined;
    if (bytes.toString("latin1", end, end + 2) !== "\r\n") throw new Error("no CRLF behind a chunk");
    if (size === 0) return { body: Buffer.concat(pieces), next: end + 2 };
    pieces.push(bytes.subarray(lineEnd + 2, end));
    at = end + 2;
  }
}
