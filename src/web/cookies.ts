import { parseCookie, type SetCookie, stringifySetCookie } from "cookie";
import type { Exchange } from "../engine/exchange.ts";
import { percentDecoded } from "../http1/percent-encoding.ts";

/** Attributes of a cookie (RFC 6265 §4.1.2). */
export interface CookieOptions {
  /** How long it is kept, in seconds; without it, and without `expires`, until the browser ends. */
  maxAgeSeconds?: number;
  expires?: Date;
  /** For this host and those below it. Default: for this host alone. */
  domain?: string;
  /** Below which it is sent. Default "/". */
  path?: string;
  /** Not for scripts. Default true. */
  httpOnly?: boolean;
  /** Over TLS only. Default: whether this connection is encrypted, or the other attributes and the name ask for it. */
  secure?: boolean;
  /** When requests from other sites have it. Default "lax": with links that are followed, not with forms and images. */
  sameSite?: "strict" | "lax" | "none";
  /** A cookie of its own for each site in which this one is embedded. */
  partitioned?: boolean;
  priority?: "low" | "medium" | "high";
}

const DECODED = { decode: (value: string): string => percentDecoded(value) ?? value };

/**
 * @returns the cookies of a request by name, decoded where they can be; the object has no prototype, and of one name it
 *   has the first
 */
export function cookies(exchange: Exchange<unknown>): Record<string, string | undefined> {
  return Object.setPrototypeOf(parseCookie(exchange.header("cookie") ?? "", DECODED), null);
}

/**
 * Adds a Set-Cookie field to the response.
 * @param value any text: it is percent-encoded, and {@link cookies} decodes it
 * @returns false when it was too late: the head of the response has been sent
 * @throws TypeError for a name or an attribute that may not be sent, or that a browser would refuse
 */
export function setCookie(
  exchange: Exchange<unknown>,
  name: string,
  value: string,
  options: CookieOptions = {},
): boolean {
  const { maxAgeSeconds, path = "/", httpOnly = true, sameSite = "lax", ...others } = options;
  // Browsers take these over TLS only (RFC 6265bis §4.1.3 and §5.7).
  const isHost = /^__host-/i.test(name);
  const mustBeSecure =
    isHost || /^__secure-/i.test(name) || sameSite === "none" || options.partitioned === true;
  const secure = options.secure ?? (mustBeSecure || exchange.encrypted);
  if (mustBeSecure && !secure) throw new TypeError(`the cookie ${name} has to be secure`);
  if (isHost && (path !== "/" || options.domain !== undefined)) {
    throw new TypeError(`the cookie ${name} needs the path "/" and no domain`);
  }
  // Half a surrogate pair cannot be encoded.
  const text = Buffer.from(value).toString();
  const cookie: SetCookie = { ...others, name, value: text, path, httpOnly, sameSite, secure };
  if (maxAgeSeconds !== undefined) cookie.maxAge = maxAgeSeconds;
  const line = stringifySetCookie(cookie);
  if (exchange.headSent) return false;
  exchange.appendHeader("Set-Cookie", line);
  return true;
}

/**
 * Removes a cookie from the browser.
 * @param options path and domain must be those with which it was set
 * @returns and throws like {@link setCookie}
 */
export function clearCookie(exchange: Exchange<unknown>, name: string, options: CookieOptions = {}): boolean {
  return setCookie(exchange, name, "", { ...options, maxAgeSeconds: 0, expires: new Date(0) });
}
