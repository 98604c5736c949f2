import { ownText } from "../../bytes/own-text.ts";
import { Fields } from "../http/fields.ts";
import { checkedHost, lastHost } from "../http/host.ts";
import { HttpError } from "../http/http-error.ts";
import { hasToken } from "../http/token.ts";
import { CHUNKED, declaredLength, UNDECLARED } from "./body-framing.ts";
import { type FieldScanner, SPECIAL } from "./field-scanner.ts";
import type { HttpLimits } from "./http-limits.ts";
import type { RequestLineScanner } from "./request-line.ts";

const SLASH = 0x2f;
const FRAMING = SPECIAL.contentLength | SPECIAL.transferEncoding;
const ASKING = SPECIAL.connection | SPECIAL.expect | SPECIAL.upgrade;

const KEEP_ALIVE = 1;
const KEEP_ALIVE_OPTION = 2;
const CONTINUE = 4;
const UNKNOWN_EXPECTATION = 8;
const UPGRADE = 16;

/** The form of a request target (RFC 9112 §3.2); the authority form belongs to CONNECT, which is refused. */
export type TargetForm = "origin" | "absolute" | "asterisk";

type ScannedLine = Pick<
  RequestLineScanner,
  "start" | "targetStart" | "pathEnd" | "targetEnd" | "hasPlainTarget"
>;
type ScannedFields = Pick<FieldScanner, "seen" | "repeated" | "hostLine" | "noteFields">;

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
  /** 0 or 1: the version is HTTP/1.minorVersion. */
  readonly minorVersion: number;
  /** The authority of the target, or else the Host field. */
  readonly host: string | undefined;
  readonly fields: Fields;
  /** See {@link declaredLength}. */
  private readonly declared: number;
  /** Bits of what it asks of the server. */
  private readonly asked: number;

  /**
   * @param text the whole head as latin1, valid as far as its octets go
   * @param method its method
   * @param minorVersion 0 or 1
   * @param line where the parts of the request line are
   * @param scanned what has been noted of the fields
   * @throws HttpError when the fields contradict each other or ask for what is not supported
   */
  constructor(text: string, method: string, minorVersion: number, line: ScannedLine, scanned: ScannedFields) {
    const { seen } = scanned;
    const { start, targetEnd, pathEnd } = line;
    const target = text.substring(line.targetStart - start, targetEnd - start);
    const fields = new Fields(text, targetEnd - start + 11); // " HTTP/1.1\r\n"
    scanned.noteFields(fields);
    this.method = method;
    this.target = target;
    this.hasPlainTarget = line.hasPlainTarget;
    this.minorVersion = minorVersion;
    this.fields = fields;

    const host = hostOf(fields, scanned, minorVersion, method);
    const other = target.charCodeAt(0) === SLASH ? undefined : otherForm(target, method, host);
    this.form = other === undefined ? "origin" : other.form;
    this.host = other === undefined ? host : other.host;
    if (other !== undefined) this.path = other.path;
    else this.path = pathEnd === targetEnd ? target : target.substring(0, pathEnd - line.targetStart);

    // RFC 9112 §6.3: step 7, a request without a declared length has no content.
    this.declared = (seen & FRAMING) === 0 ? UNDECLARED : lengthOf(fields, seen, minorVersion);
    if ((seen & ASKING) !== 0) this.asked = askedBy(fields, seen, minorVersion);
    else this.asked = minorVersion === 1 ? KEEP_ALIVE : 0;
  }

  /** Whether the client wants to use the connection for further requests (RFC 9112 §9.3). */
  get keepAlive(): boolean {
    return (this.asked & KEEP_ALIVE) !== 0;
  }

  /** Whether it says so in the way of HTTP/1.0, which in HTTP/1.1 means that it wants to know for how long. */
  get hasKeepAliveOption(): boolean {
    return (this.asked & KEEP_ALIVE_OPTION) !== 0;
  }

  /** Whether the client waits for 100 (Continue) before it sends the content (RFC 9110 §10.1.1). */
  get expectContinue(): boolean {
    return (this.asked & CONTINUE) !== 0;
  }

  /** Whether the client expects something that no server knows: the answer is 417 (RFC 9110 §10.1.1). */
  get hasUnknownExpectation(): boolean {
    return (this.asked & UNKNOWN_EXPECTATION) !== 0;
  }

  /** Whether the client asks to change the protocol (RFC 9110 §7.8). */
  get upgrade(): boolean {
    return (this.asked & UPGRADE) !== 0;
  }

  /** What follows the first "?", or "". */
  get query(): string {
    const mark = this.target.indexOf("?");
    return mark < 0 ? "" : this.target.substring(mark + 1);
  }

  /** Whether the content is chunked. */
  get chunked(): boolean {
    return this.declared === CHUNKED;
  }

  /** Bytes of content that are to follow, or -1 when no Content-Length was sent. */
  get contentLength(): number {
    return this.declared < 0 ? -1 : this.declared;
  }
}

/** Why a request is refused for what its head asks; undefined if it is not. */
export function refusalOf(head: RequestHead, limits: HttpLimits): HttpError | undefined {
  const { hasUnknownExpectation, chunked, contentLength } = head;
  if (hasUnknownExpectation) return new HttpError("HTTP_EXPECTATION_FAILED", "unknown expectation");
  if (chunked && limits.requireContentLength) {
    return new HttpError("HTTP_LENGTH_REQUIRED", "Content-Length is required");
  }
  if (contentLength <= limits.maxBodyBytes) return undefined;
  return new HttpError("HTTP_BODY_TOO_LARGE", `more than ${limits.maxBodyBytes} bytes of body`);
}

/** Returns the Host field. @throws HttpError also for CONNECT, whose target is a host */
function hostOf(
  fields: Fields,
  scanned: ScannedFields,
  minorVersion: number,
  method: string,
): string | undefined {
  const { seen, repeated, hostLine } = scanned;
  if ((repeated & SPECIAL.host) !== 0) throw new HttpError("HTTP_BAD_HOST", "more than one Host");
  const host = (seen & SPECIAL.host) === 0 ? undefined : checkedHost(fields.valueAt(hostLine, lastHost));
  // RFC 9112 §3.2: a 1.1 request without Host gets 400.
  if (host === undefined && minorVersion === 1) throw new HttpError("HTTP_BAD_HOST", "Host is missing");
  if (method.length === 7 && method === "CONNECT")
    throw new HttpError("HTTP_METHOD_UNKNOWN", "this is not a proxy");
  return host;
}

/** Reads a target that is not a path. @throws HttpError */
function otherForm(
  target: string,
  method: string,
  host: string | undefined,
): Pick<RequestHead, "form" | "host" | "path"> {
  if (target === "*") {
    if (method === "OPTIONS") return { form: "asterisk", host, path: target };
    throw new HttpError("HTTP_BAD_TARGET", "the target * is only valid for OPTIONS");
  }
  // RFC 9112 §3.2.2: the authority of an absolute target replaces the Host field.
  const [, authority, rest = ""] = /^https?:\/\/([^/?]+)(.*)$/i.exec(target) ?? [];
  if (authority === undefined)
    throw new HttpError("HTTP_BAD_TARGET", "the target is neither a path nor an http URI");
  const [path = ""] = (rest.charCodeAt(0) === SLASH ? rest : `/${rest}`).split("?", 1);
  return { form: "absolute", host: checkedHost(authority), path };
}

const NO_OPTIONS = { value: "", close: false, keepAlive: false, upgrade: false };
/** Of the value of Connection that came last: most clients send the same. */
let lastOptions = NO_OPTIONS;

function connectionOptions(fields: Fields): typeof lastOptions {
  const value = fields.get("connection") ?? "";
  if (value !== lastOptions.value) {
    const has = (option: string): boolean => hasToken(value, option);
    lastOptions = {
      value: ownText(value),
      close: has("close"),
      keepAlive: has("keep-alive"),
      upgrade: has("upgrade"),
    };
  }
  return lastOptions;
}

/** Looks up only those fields that are there. */
function askedBy(fields: Fields, seen: number, minorVersion: number): number {
  const expected = (seen & SPECIAL.expect) === 0 ? undefined : fields.get("expect")?.toLowerCase();
  const options = (seen & SPECIAL.connection) === 0 ? NO_OPTIONS : connectionOptions(fields);
  let asked = options.keepAlive ? KEEP_ALIVE_OPTION : 0;
  if (!options.close && (minorVersion === 1 || options.keepAlive)) asked |= KEEP_ALIVE;
  if (expected !== undefined && expected !== "100-continue") asked |= UNKNOWN_EXPECTATION;
  // RFC 9110 §10.1.1: a server ignores the expectation of an HTTP/1.0 request.
  else if (expected !== undefined && minorVersion === 1) asked |= CONTINUE;
  // RFC 9110 §7.8: Upgrade counts only when Connection names it, and never on HTTP/1.0.
  if (minorVersion === 1 && (seen & SPECIAL.upgrade) !== 0 && options.upgrade) asked |= UPGRADE;
  return asked;
}

/** Looks up only those fields that are there. */
function lengthOf(fields: Fields, seen: number, minorVersion: number): number {
  const contentLength = (seen & SPECIAL.contentLength) === 0 ? undefined : fields.get("content-length");
  const coding = (seen & SPECIAL.transferEncoding) === 0 ? undefined : fields.get("transfer-encoding");
  return declaredLength("request", minorVersion, contentLength, coding);
}
