import { type FieldScanner, SPECIAL } from "./field-scanner.ts";
import { Fields, trimmed } from "./fields.ts";
import { checkedHost } from "./host.ts";
import { HttpError } from "./http-error.ts";

/** The form of a request target (RFC 9112 §3.2); the authority form belongs to CONNECT, which is refused. */
export type TargetForm = "origin" | "absolute" | "asterisk";

/** The head of a request: what RFC 9112 §3 and §6 say of it, checked. Valid for as long as it is kept. */
export class RequestHead {
  /** A token, in the case in which it was sent; methods are case-sensitive (RFC 9110 §9.1). */
  readonly method: string;
  /** The request target as sent. */
  readonly target: string;
  readonly form: TargetForm;
  /** The path as sent, not decoded, without the query. */
  readonly path: string;
  /** What follows the first "?", or "". */
  readonly query: string;
  /** 0 or 1: the version is HTTP/1.minorVersion. */
  readonly minorVersion: number;
  /** The authority of the target, or else the Host field. */
  readonly host: string | undefined;
  /** Bytes of content that are to follow, or -1 when no Content-Length was sent. */
  readonly contentLength: number;
  /** Whether the content is chunked. */
  readonly chunked: boolean;
  /** Whether the client wants to use the connection for further requests (RFC 9112 §9.3). */
  readonly keepAlive: boolean;
  /** Whether the client waits for 100 (Continue) before it sends the content (RFC 9110 §10.1.1). */
  readonly expectContinue: boolean;
  /** Whether the client asks to change the protocol (RFC 9110 §7.8). */
  readonly upgrade: boolean;
  readonly fields: Fields;

  /**
   * @param text the whole head as latin1, valid as far as its octets go
   * @param method its method
   * @param targetStart where the target begins in `text`
   * @param targetEnd where it ends
   * @param minorVersion 0 or 1
   * @param scanned what has been noted of the fields
   * @throws HttpError when the fields contradict each other or ask for what is not supported
   */
  constructor(
    text: string,
    method: string,
    targetStart: number,
    targetEnd: number,
    minorVersion: number,
    scanned: Pick<FieldScanner, "seen" | "repeated" | "positions">,
  ) {
    const { seen, repeated } = scanned;
    const target = text.substring(targetStart, targetEnd);
    const fields = new Fields(text, targetEnd + 11, scanned.positions); // " HTTP/1.1\r\n"
    this.method = method;
    this.target = target;
    this.minorVersion = minorVersion;
    this.fields = fields;

    if ((repeated & SPECIAL.host) !== 0) throw new HttpError("HTTP_BAD_HOST", "more than one Host");
    let host = (seen & SPECIAL.host) !== 0 ? checkedHost(fields.get("host") ?? "") : undefined;
    // RFC 9112 §3.2: a 1.1 request without Host gets 400.
    if (host === undefined && minorVersion === 1) throw new HttpError("HTTP_BAD_HOST", "Host is missing");
    if (method === "CONNECT") throw new HttpError("HTTP_METHOD_UNKNOWN", "this is not a proxy");

    let path = target;
    if (target.charCodeAt(0) === 0x2f) {
      this.form = "origin";
    } else if (target === "*") {
      if (method !== "OPTIONS") throw new HttpError("HTTP_BAD_TARGET", "* is a target for OPTIONS only");
      this.form = "asterisk";
    } else {
      // RFC 9112 §3.2.2: the authority of an absolute target replaces the Host field.
      const absolute = /^https?:\/\/([^/?]+)(.*)$/i.exec(target);
      if (absolute === null)
        throw new HttpError("HTTP_BAD_TARGET", "the target is neither path nor http URI");
      host = checkedHost(absolute[1] ?? "");
      path = absolute[2] ?? "";
      if (path.charCodeAt(0) !== 0x2f) path = `/${path}`;
      this.form = "absolute";
    }
    const mark = path.indexOf("?");
    this.path = mark < 0 ? path : path.substring(0, mark);
    this.query = mark < 0 ? "" : path.substring(mark + 1);
    this.host = host;

    // RFC 9112 §6.3: both fields present is an attempt at request smuggling.
    const framing = seen & (SPECIAL.contentLength | SPECIAL.transferEncoding);
    this.chunked = false;
    this.contentLength = -1;
    if (framing !== 0) {
      if (framing === SPECIAL.contentLength) {
        this.contentLength = contentLength(fields.get("content-length") ?? "", repeated);
      } else if (framing === SPECIAL.transferEncoding) {
        checkTransferEncoding(fields.get("transfer-encoding") ?? "", minorVersion);
        this.chunked = true;
      } else {
        throw new HttpError("HTTP_BAD_TRANSFER_ENCODING", "Transfer-Encoding together with Content-Length");
      }
    }

    this.expectContinue = false;
    if ((seen & SPECIAL.expect) !== 0) {
      if (fields.get("expect")?.toLowerCase() !== "100-continue") {
        throw new HttpError("HTTP_EXPECTATION_FAILED", "unknown expectation");
      }
      // RFC 9110 §10.1.1: a server ignores the expectation of an HTTP/1.0 request.
      this.expectContinue = minorVersion === 1;
    }

    let keepAlive = minorVersion === 1;
    let upgrade = false;
    if ((seen & SPECIAL.connection) !== 0) {
      const options = fields.get("connection") ?? "";
      const close = hasToken(options, "close");
      if (minorVersion === 0) keepAlive = !close && hasToken(options, "keep-alive");
      else keepAlive = !close;
      // RFC 9110 §7.8: Upgrade counts only when Connection names it, and never on HTTP/1.0.
      upgrade = minorVersion === 1 && (seen & SPECIAL.upgrade) !== 0 && hasToken(options, "upgrade");
    }
    this.keepAlive = keepAlive;
    this.upgrade = upgrade;
  }
}

/** The items of a comma-separated list in lower case (RFC 9110 §5.6.1). */
function listOf(list: string): string[] {
  return list
    .toLowerCase()
    .split(",")
    .map((item) => trimmed(item, 0, item.length));
}

/**
 * Whether a comma-separated list holds a token, without regard to case (RFC 9110 §5.6.1).
 * @param list the value of a field such as Connection
 * @param token in lower case
 */
export function hasToken(list: string, token: string): boolean {
  if (list === token) return true;
  if (list.length < token.length) return false;
  // Nearly always there is one item: told apart by its length alone, without a list of strings.
  if (!list.includes(",")) return list.length === token.length && list.toLowerCase() === token;
  return listOf(list).includes(token);
}

function contentLength(value: string, repeated: number): number {
  if ((repeated & SPECIAL.contentLength) !== 0 || !/^\d+$/.test(value)) {
    throw new HttpError("HTTP_BAD_CONTENT_LENGTH", "Content-Length is not one decimal number");
  }
  const length = Number(value);
  if (length > Number.MAX_SAFE_INTEGER) {
    throw new HttpError("HTTP_BAD_CONTENT_LENGTH", "Content-Length is too large to count");
  }
  return length;
}

// RFC 9112 §6.1: chunked once, as the last and, here, only coding.
function checkTransferEncoding(value: string, minorVersion: number): void {
  if (minorVersion === 0) {
    throw new HttpError("HTTP_BAD_TRANSFER_ENCODING", "HTTP/1.0 has no Transfer-Encoding");
  }
  const codings = listOf(value);
  if (codings.length === 1 && codings[0] === "chunked") return;
  // RFC 9112 §6.3: without chunked as the last coding the length cannot be told; §7.1: never twice.
  if (codings.at(-1) !== "chunked" || codings.indexOf("chunked") < codings.length - 1) {
    throw new HttpError("HTTP_BAD_TRANSFER_ENCODING", "chunked must be the last coding, once");
  }
  throw new HttpError("HTTP_CODING_UNKNOWN", "no transfer coding but chunked is understood");
}
