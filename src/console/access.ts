import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { fromThisMachine } from "../exchange/from-this-machine.ts";
import type { Exchange } from "../index.ts";
import { setCookie } from "../web/index.ts";

const MIN_TOKEN_LENGTH = 16;
const COOKIE = "portico_console";

/**
 * Decides about access to a console. With a token, browsers that have sent it have access, and keep a proof in a
 * cookie. Without one, only requests from this machine for a name of this machine have access.
 */
export class Access {
  private readonly token: string | undefined;
  /** What the cookie holds: made from the token, so that it outlives a restart, and says nothing about it. */
  private readonly proof: string;
  /** The cookie as browsers send it. */
  private readonly cookie: Buffer;
  private readonly path: string;

  /**
   * @param path of the console, to which the cookie is limited
   * @throws RangeError for a token that is too short
   */
  constructor(token: string | undefined, path: string) {
    if (token !== undefined && !(typeof token === "string" && token.length >= MIN_TOKEN_LENGTH))
      throw new RangeError(`the token of a console must have at least ${MIN_TOKEN_LENGTH} characters`);
    this.token = token;
    this.proof = createHmac("sha256", token ?? "")
      .update("portico console")
      .digest("base64url");
    this.cookie = Buffer.from(`${COOKIE}=${this.proof}`);
    this.path = path;
  }

  get asksForToken(): boolean {
    return this.token !== undefined;
  }

  /** Returns whether a request has access. */
  permits(exchange: Exchange): boolean {
    if (!this.asksForToken) return fromThisMachine(exchange);
    const cookies = (exchange.header("cookie") ?? "").split(";");
    // All of them: one that another console, or another host, has set keeps nobody out.
    return cookies.some((text) => this.isProof(text.trim()));
  }

  /** Whether this is the token; takes the same time for every text that is not. */
  accepts(text: string): boolean {
    return this.token !== undefined && equal(text, this.token);
  }

  /** Only the bytes are secret, not their number: a head has room for hundreds of cookies, too many to hash them all. */
  private isProof(text: string): boolean {
    return text.length === this.cookie.length && timingSafeEqual(Buffer.from(text, "latin1"), this.cookie);
  }

  /** Has the browser keep the proof; scripts cannot read it, and other sites cannot make use of it (RFC 6265bis §5.6). */
  grant(exchange: Exchange): void {
    setCookie(exchange, COOKIE, this.proof, { path: this.path, sameSite: "strict" });
  }
}

/**
 * Returns whether a request comes from a page of this server (RFC 6455 §10.2), or from a program other than a browser.
 * The scheme is not compared, because it differs behind a TLS proxy.
 */
export function sameOrigin(exchange: Exchange): boolean {
  const origin = exchange.header("origin");
  if (origin === undefined) return true;
  const host = /^https?:\/\/([^/?#@]+)$/i.exec(origin)?.[1];
  return host !== undefined && host.toLowerCase() === exchange.authority?.toLowerCase();
}

/** Compares in a time that depends on neither text: their digests have one length. */
function equal(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
