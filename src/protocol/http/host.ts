import { ownText } from "../../bytes/own-text.ts";
import { HttpError } from "./http-error.ts";

// RFC 3986 §3.2.2: reg-name, IPv4 or bracketed IP literal, with an optional port; no user information.
const HOST = /^(?:\[[^\]]+\]|(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})*)(?::\d*)?$/;
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const IP_FUTURE = /^v[0-9a-f]+\.[a-z0-9\-._~!$&'()*+,;=:]+$/i;

/** The one that was found valid last: most requests are for the same. */
export let lastHost = "";

/**
 * A host with or without a port, from Host or from a target in absolute form.
 * @throws HttpError for what is neither that nor empty (RFC 9112 §3.2)
 */
export function checkedHost(value: string): string {
  if (value === lastHost) return lastHost;
  // First, because V8 also keeps what a regular expression was tested with last.
  const host = ownText(value);
  // RFC 9110 §4.2.1: an http URI with an empty host is invalid, so a port alone is not a host.
  if (!HOST.test(host) || host.startsWith(":")) throw new HttpError("HTTP_BAD_HOST", "invalid host");
  if (host.startsWith("[")) {
    const literal = host.slice(1, host.indexOf("]"));
    if (!isIpv6(literal) && !IP_FUTURE.test(literal)) {
      throw new HttpError("HTTP_BAD_HOST", "invalid IP literal");
    }
  }
  lastHost = host;
  return host;
}

/** Whether an address is of this machine only (RFC 1122 §3.2.1.3, RFC 4291 §2.5.3). */
export function isLoopbackAddress(address: string): boolean {
  return address === "::1" || /^127(?:\.\d{1,3}){3}$/.test(address);
}

/**
 * Returns whether a host, with or without a port, is a name of this machine (RFC 6761 §6.3) or a loopback address.
 * Check it if only this machine has access: any site can point its name to 127.0.0.1 (DNS rebinding), and its pages can
 * then read the responses.
 */
export function isLoopbackHost(host: string): boolean {
  const name = host.replace(/:\d*$/, "").toLowerCase();
  return /^(?:.+\.)?localhost$/.test(name) || name === "[::1]" || isLoopbackAddress(name);
}

/** RFC 4291 §2.2: eight groups of four digits, the last two of them perhaps as IPv4. */
const MAX_IPV6_LENGTH = 45;

/** Eight groups, or fewer if "::" stands for the others. The last two can be written as IPv4. */
function isIpv6(text: string): boolean {
  if (text.length > MAX_IPV6_LENGTH) return false;
  const halves = text.split("::");
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === "" ? [] : half.split(":")));
  const lastGroup = groups.at(-1) ?? "";
  let count = groups.length;
  if (lastGroup.includes(".")) {
    if (!text.endsWith(lastGroup) || !IPV4.test(lastGroup)) return false;
    groups.pop();
    count++;
  }
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return false;
  return halves.length === 2 ? count < 8 : count === 8;
}
