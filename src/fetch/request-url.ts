import type { Exchange } from "../exchange/exchange.ts";

/** Paths and queries that are the same after parsing: no character that a URL encodes or drops. */
const PLAIN = /^\/[\w\-.~!$&()*+,;=:@/%?]*$/;

/** Origins by host as sent, found valid before: most requests are for the same few. */
const origins = new Map<string, string>();
const MAX_ORIGINS = 64;

/**
 * The URL of a request as the URL Standard writes it, from its authority (RFC 9112 §3.3) and its path. The scheme
 * depends on whether the connection is encrypted, even if the target in absolute form has another.
 * @throws TypeError for a host that no URL can have, and for a backslash, which is a slash where a URL is parsed: the
 *   client that sent it meant another path
 */
export function urlOf(exchange: Exchange): string {
  // RFC 9112 §3.3: without an authority a server can use a default name.
  const origin = originOf(exchange.encrypted ? "https" : "http", exchange.authority || "localhost");
  const { path, query, requestHead } = exchange;
  if (!requestHead.hasPlainTarget && requestHead.path.includes("\\")) {
    throw new TypeError(`${requestHead.path} is another path as a URL`);
  }
  const target = query === "" ? path : `${path}?${query}`;
  return PLAIN.test(target) ? origin + target : new URL(origin + target).href;
}

function originOf(scheme: string, host: string): string {
  const key = `${scheme}://${host}`;
  const known = origins.get(key);
  if (known !== undefined) return known;
  const { origin } = new URL(key);
  if (origins.size >= MAX_ORIGINS) origins.clear();
  origins.set(key, origin);
  return origin;
}
