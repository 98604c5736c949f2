/** A response as a strict reader of RFC 9112 finds it on the wire. */
export interface StrictResponse {
  readonly status: number;
  readonly reason: string;
  /** Names in lower case, in the order of the lines. */
  readonly fields: readonly (readonly [string, string])[];
  readonly body: Buffer;
  /** How the end of the content was told. */
  readonly framing: "none" | "length" | "chunked" | "close";
}

/** What is on the wire of one connection. */
export interface StrictStream {
  /** Interim responses, each with the number of final ones before it. */
  readonly interims: readonly (readonly [number, StrictResponse])[];
  readonly finals: readonly StrictResponse[];
  /** Bytes behind the last complete response. */
  readonly rest: Buffer;
}

const STATUS_LINE = /^HTTP\/1\.1 ([1-5]\d\d) ([\t\x20-\x7e\x80-\xff]*)$/;
const FIELD_LINE =
  /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+): ((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)$/;
const IMF_DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/;

/** The values of a field, in order. */
export function valuesOf(response: StrictResponse, name: string): string[] {
  return response.fields.filter(([own]) => own === name).map(([, value]) => value);
}

/**
 * Reads all responses of a connection without any tolerance.
 * @param methods of the requests in their order; one more response than these is an error
 * @param ended whether the server has ended its stream
 * @throws Error for whatever RFC 9110 and 9112 do not allow a server to send
 */
export function readStream(bytes: Buffer, methods: readonly string[], ended: boolean): StrictStream {
  const interims: [number, StrictResponse][] = [];
  const finals: StrictResponse[] = [];
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

interface Found {
  readonly response: StrictResponse;
  readonly next: number;
}

function readResponse(
  bytes: Buffer,
  start: number,
  method: string | undefined,
  ended: boolean,
): Found | undefined {
  const headEnd = bytes.indexOf("\r\n\r\n", start, "latin1");
  if (headEnd < 0) return undefined;
  const head = bytes.toString("latin1", start, headEnd);
  if (method === undefined) throw new Error(`a response that nobody asked for: ${JSON.stringify(head)}`);
  const [first = "", ...lines] = head.split("\r\n");
  const line = STATUS_LINE.exec(first);
  if (line === null) throw new Error(`not a status line: ${JSON.stringify(first)}`);
  const fields = lines.map((text): [string, string] => {
    const field = FIELD_LINE.exec(text);
    if (field === null) throw new Error(`not a field line: ${JSON.stringify(text)}`);
    return [field[1]!.toLowerCase(), field[2]!];
  });
  const status = Number(line[1]);
  const known = { status, reason: line[2]!, fields };
  const values = (name: string) => fields.filter(([own]) => own === name).map(([, value]) => value);
  const lengths = values("content-length");
  const codings = values("transfer-encoding");
  checkFraming(status, method, lengths, codings);
  if (status >= 200) checkDate(values("date"));
  const from = headEnd + 4;
  if (method === "HEAD" || status < 200 || status === 204 || status === 304) {
    return { response: { ...known, body: Buffer.alloc(0), framing: "none" }, next: from };
  }
  if (codings.length > 0) {
    const content = dechunk(bytes, from);
    return content && { response: { ...known, body: content.body, framing: "chunked" }, next: content.next };
  }
  if (lengths.length > 0) {
    const next = from + Number(lengths[0]);
    if (next > bytes.length) return undefined;
    return { response: { ...known, body: bytes.subarray(from, next), framing: "length" }, next };
  }
  if (!values("connection").includes("close")) throw new Error(`${status} without a length, and no close`);
  if (!ended) return undefined;
  return { response: { ...known, body: bytes.subarray(from), framing: "close" }, next: bytes.length };
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
