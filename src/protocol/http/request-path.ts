import { percentDecoded } from "./percent-encoding.ts";

/** A path as every part of a server reads it. */
export interface PathReading {
  /** In its normal form: two spellings of one path are the same text. */
  readonly path: string;
  /** Whether others could read another path in it: it is answered with 400. */
  readonly isAmbiguous: boolean;
}

const UNRESERVED = /[\w.~-]/;
/** Escapes, and what a URL never has as it is (URL Standard, path percent-encode set; a backslash would be a slash there). */
const REWRITTEN = /%[\da-f]{2}|["<>\\^`{}]/gi;
const DOT_SEGMENT = /\/\.\.?(?:\/|$)/;

/**
 * Reads the path of a request. RFC 3986 §6.2.2: escapes of unreserved characters are decoded, once; all other escapes
 * stay, in upper case, so that "%2F", "%5C" and "%00" are never anything else. "//" stays, too.
 *
 * Ambiguous are dot segments, which a URL parser resolves (§5.2.4), and escapes that are not UTF-8, or not hexadecimal.
 * @param sent the path of the request target, as sent
 */
export function readPath(sent: string): PathReading {
  const path = sent.replace(REWRITTEN, normalized);
  // Not of the path: a broken escape and a letter that was escaped can look like an escape together, "%0%41" like "%0A".
  return { path, isAmbiguous: DOT_SEGMENT.test(path) || percentDecoded(sent) === undefined };
}

/** The segment of a path in its normal form that means a text. @param text without surrogates that stand alone */
export function pathSegment(text: string): string {
  return text.replace(/[^\x21-\x7e]|["#%/<>?\\^`{}]/gu, encodeURIComponent);
}

function normalized(text: string): string {
  if (text.length === 1) return encodeURIComponent(text);
  const character = String.fromCharCode(Number.parseInt(text.slice(1), 16));
  return UNRESERVED.test(character) ? character : text.toUpperCase();
}
