import { isToken } from "../protocol/http/token.ts";

/** A cookie for `HttpResponse.set_cookie` (RFC 6265 §4.1). */
export interface Cookie {
  /** A token: no spaces, separators or control characters. */
  name: string;
  /** Visible ASCII without quotes, commas, semicolons and backslashes. Encode other text before. */
  value: string;
  path?: string;
  domain?: string;
  /**
   * The lifetime in seconds. 0 and negative numbers remove the cookie. Without it the cookie ends with the browser's
   * session.
   */
  max_age?: number;
  /** Sends the cookie over TLS only. */
  secure?: boolean;
  /** Hides the cookie from scripts. */
  http_only?: boolean;
  same_site?: "Strict" | "Lax" | "None";
}

// RFC 6265 §4.1.1: cookie-value.
const VALUE = /^("?)[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*\1$/;
const ATTRIBUTE = /^[\x20-\x3a\x3c-\x7e]*$/;

/** Returns the value of a Set-Cookie field, or null for a cookie that cannot be sent. */
export function setCookieValue(cookie: Cookie): string | null {
  const { name, value, path, domain, max_age, same_site } = cookie;
  if (!isToken(name) || !VALUE.test(value)) return null;
  if (!ATTRIBUTE.test(path ?? "") || !ATTRIBUTE.test(domain ?? "")) return null;
  if (max_age !== undefined && !Number.isSafeInteger(max_age)) return null;
  if (same_site !== undefined && !/^(?:Strict|Lax|None)$/i.test(same_site)) return null;
  let line = `${name}=${value}`;
  if (path !== undefined) line += `; Path=${path}`;
  if (domain !== undefined) line += `; Domain=${domain}`;
  if (max_age !== undefined) line += `; Max-Age=${max_age}`;
  if (cookie.secure) line += "; Secure";
  if (cookie.http_only) line += "; HttpOnly";
  if (same_site !== undefined) line += `; SameSite=${same_site}`;
  return line;
}
