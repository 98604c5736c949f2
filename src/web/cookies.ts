import { parseCookie, type SetCookie, stringifySetCookie } from "cookie";
import type { Exchange } from "../exchange/exchange.ts";
import { checkOptions, type OptionNames } from "../options/check-options.ts";
import { FieldError } from "../protocol/http/field-lines.ts";
import { percentDecoded } from "../protocol/http/percent-encoding.ts";

/** Attributes of a cookie (RFC 6265 §4.1.2). */
export interface CookieOptions {
  /** How long browsers keep it, in seconds. Without it and `expires`: until the browser is closed. */
  maxAgeSeconds?: number;
  expires?: Date;
  /** Sends it to this host and hosts below it. Default: only to the host that set it. */
  domain?: string;
  /** Sends it for paths below this one. Default "/". */
  path?: string;
  /** Hides it from scripts. Default true. */
  httpOnly?: boolean;
  /** Sends it over TLS only. Default: when this connection is encrypted, or other attributes or the name need it. */
  secure?: boolean;
  /** Which requests from other sites have it. Default "lax": followed links, but not forms and images. */
  sameSite?: "strict" | "lax" | "none";
  /** Keeps a separate cookie for each site that embeds this one. */
  partitioned?: boolean;
  priority?: "low" | "medium" | "high";
}

const cookieOptionNames: OptionNames<CookieOptions> = {
  maxAgeSeconds: true,
  expires: true,
  domain: true,
  path: true,
  httpOnly: "boolean",
  secure: "boolean",
  sameSite: true,
  partitioned: "boolean",
  priority: true,
};

const SAME_SITE: ReadonlySet<string> = new Set(["strict", "lax", "none"]);
const DECODED = { decode: (value: string): string => percentDecoded(value) ?? value };

/**
 * Returns the cookies of a request by name, decoded if possible. The object has no prototype. Of several cookies with
 * the same name it has the first.
 */
export function cookies(exchange: Exchange<unknown>): Record<string, string | undefined> {
  return Object.setPrototypeOf(parseCookie(exchange.header("cookie") ?? "", DECODED), null);
}

/**
 * Adds a Set-Cookie field to the response.
 * @param value any text; it is percent-encoded, and {@link cookies} decodes it
 * @returns false if the head of the response has already been sent
 * @throws FieldError for a cookie that a browser would refuse, such as one with `sameSite: "none"` that is not secure.
 *   TypeError for a name or an attribute that cannot be sent, and for an unknown option
 */
export function setCookie(
  exchange: Exchange<unknown>,
  name: string,
  value: string,
  options: CookieOptions = {},
): boolean {
  checkOptions("setCookie", options, cookieOptionNames);
  const { maxAgeSeconds, path = "/", httpOnly = true, sameSite = "lax", ...others } = options;
  // Browsers take these over TLS only (RFC 6265bis §4.1.3 and §5.7).
  const isHost = /^__host-/i.test(name);
  const mustBeSecure =
    isHost || /^__secure-/i.test(name) || sameSite === "none" || options.partitioned === true;
  const secure = options.secure ?? (mustBeSecure || exchange.encrypted);
  if (!SAME_SITE.has(sameSite)) {
    throw new FieldError(
      `sameSite of the cookie ${name} must be "strict", "lax" or "none", not ${JSON.stringify(sameSite)}`,
    );
  }
  if (mustBeSecure && !secure)
    throw new FieldError(`the cookie ${name} must be secure, because browsers refuse it otherwise`);
  if (isHost && (path !== "/" || options.domain !== undefined)) {
    throw new FieldError(`the cookie ${name} needs the path "/" and no domain`);
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
 * @param options use the same path and domain as when it was set
 * @returns and throws as {@link setCookie} does
 */
export function clearCookie(exchange: Exchange<unknown>, name: string, options: CookieOptions = {}): boolean {
  return setCookie(exchange, name, "", { ...options, maxAgeSeconds: 0, expires: new Date(0) });
}
