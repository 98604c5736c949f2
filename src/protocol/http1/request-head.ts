import { Fields } from "../http/fields.ts";
import { checkedHost } from "../http/host.ts";
import { HttpError } from "../http/http-error.ts";
import { hasToken } from "../http/token.ts";
import { CHUNKED, declaredLength, UNDECLARED } from "./body-framing.ts";
import { type FieldScanner, SPECIAL } from "./field-scanner.ts";

const FRAMING = SPECIAL.contentLength | SPECIAL.transferEncoding;

/** The form of a request target (RFC 9112 §3.2); the authority form belongs to CONNECT, which is refused. */
export type TargetForm = "origin" | "absolute" | "asterisk";

/** The head of a request: what RFC 9112 §3 and §6 say of it, checked. It stays valid while it is kept. */
export class RequestHead {
  /** A token, in the case in which it was sent; methods are case-sensitive (RFC 9110 §9.1). */
  readonly method: string;
  /** The request target as sent. */
  readonly target: string;
  readonly form: TargetForm;
  /** The path as sent, not decoded, without the query. */
  readonly path: string;
  /** Whether the path is in its normal form: see request-path.ts. */
  readonly hasPlainTarget: boolean;
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
  /** Whether it says so in the way of HTTP/1.0, which in HTTP/1.1 means that it wants to know for how long. */
  readonly hasKeepAliveOption: boolean;
  /** Whether the client waits for 100 (Continue) before it sends the content (RFC 9110 §10.1.1). */
  readonly expectContinue: boolean;
  /** Whether the client expects something that no server knows: the answer is 417 (RFC 9110 §10.1.1). */
  readonly hasUnknownExpectation: boolean;
  /** Whether the client asks to change the protocol (RFC 9110 §7.8). */
  readonly upgrade: boolean;
  readonly fields: Fields;

  /**
   * @param text the whole head as latin1, valid as far as its octets go
   * @param method its method
   * @param targetStart where the target begins in `text`
   * @param targetEnd where it ends
   * @param hasPlainTarget whether it holds nothing that could be written in another way
   * @param minorVersion 0 or 1
   * @param scanned what has been noted of the fields
   * @throws HttpError when the fields contradict each other or ask for what is not supported
   */
  constructor(
    text: string,
    method: string,
    targetStart: number,
    targetEnd: number,
    hasPlainTarget: boolean,
    minorVersion: number,
    scanned: Pick<FieldScanner, "seen" | "repeated" | "positions">,
  ) {
    const { seen, repeated } = scanned;
    const target = text.substring(targetStart, targetEnd);
    const fields = new Fields(text, targetEnd + 11, scanned.positions); // " HTTP/1.1\r\n"
    this.method = method;
    this.target = target;
    this.hasPlainTarget = hasPlainTarget;
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
      if (method !== "OPTIONS")
        throw new HttpError("HTTP_BAD_TARGET", "the target * is only valid for OPTIONS");
      this.form = "asterisk";
    } else {
      // RFC 9112 §3.2.2: the authority of an absolute target replaces the Host field.
      const absolute = /^https?:\/\/([^/?]+)(.*)$/i.exec(target);
      if (absolute === null)
        throw new HttpError("HTTP_BAD_TARGET", "the target is neither a path nor an http URI");
      host = checkedHost(absolute[1] ?? "");
      path = absolute[2] ?? "";
      if (path.charCodeAt(0) !== 0x2f) path = `/${path}`;
      this.form = "absolute";
    }
    const mark = path.indexOf("?");
    this.path = mark < 0 ? path : path.substring(0, mark);
    this.query = mark < 0 ? "" : path.substring(mark + 1);
    this.host = host;

    // RFC 9112 §6.3: step 7, a request without a declared length has no content.
    const length = (seen & FRAMING) === 0 ? UNDECLARED : lengthOf(fields, seen, minorVersion);
    this.chunked = length === CHUNKED;
    this.contentLength = length >= 0 ? length : -1;

    this.expectContinue = false;
    this.hasUnknownExpectation = false;
    if ((seen & SPECIAL.expect) !== 0) {
      this.hasUnknownExpectation = fields.get("expect")?.toLowerCase() !== "100-continue";
      // RFC 9110 §10.1.1: a server ignores the expectation of an HTTP/1.0 request.
      this.expectContinue = minorVersion === 1 && !this.hasUnknownExpectation;
    }

    let keepAlive = minorVersion === 1;
    let hasKeepAliveOption = false;
    let upgrade = false;
    if ((seen & SPECIAL.connection) !== 0) {
      const options = fields.get("connection") ?? "";
      const close = hasToken(options, "close");
      hasKeepAliveOption = hasToken(options, "keep-alive");
      keepAlive = !close && (minorVersion === 1 || hasKeepAliveOption);
      // RFC 9110 §7.8: Upgrade counts only when Connection names it, and never on HTTP/1.0.
      upgrade = minorVersion === 1 && (seen & SPECIAL.upgrade) !== 0 && hasToken(options, "upgrade");
    }
    this.keepAlive = keepAlive;
    this.hasKeepAliveOption = hasKeepAliveOption;
    this.upgrade = upgrade;
  }
}

/** Looks up only those fields that are there. */
function lengthOf(fields: Fields, seen: number, minorVersion: number): number {
  const contentLength = (seen & SPECIAL.contentLength) === 0 ? undefined : fields.get("content-length");
  const coding = (seen & SPECIAL.transferEncoding) === 0 ? undefined : fields.get("transfer-encoding");
  return declaredLength("request", minorVersion, contentLength, coding);
}
