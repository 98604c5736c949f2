import { trimmed } from "./fields.ts";
import { octetClass, TCHAR, TOKEN } from "./octets.ts";

/** A token as the source of a regular expression, without anchors (RFC 9110 §5.6.2). */
export const TOKEN_PATTERN: string = `${TCHAR}+`;

/** Whether a text is a token: the form of a method, a field name or a subprotocol (RFC 9110 §5.6.2). */
export function isToken(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0xff || ((octetClass[code] ?? 0) & TOKEN) === 0) return false;
  }
  return text.length > 0;
}

/**
 * Returns the elements of a comma-separated list in lower case, without the white space around them (RFC 9110 §5.6.1).
 * Empty elements are kept.
 */
export function listOf(list: string): string[] {
  return list
    .toLowerCase()
    .split(",")
    .map((item) => trimmed(item, 0, item.length));
}

/**
 * Whether a comma-separated list has a token, in any case (RFC 9110 §5.6.1).
 * @param list the value of a field such as Connection; undefined when the field is absent
 * @param token in lower case
 */
export function hasToken(list: string | undefined, token: string): boolean {
  if (list === undefined || list.length < token.length) return false;
  if (list === token) return true;
  // Most lists have one element. Comparing its length first avoids an array of strings.
  if (!list.includes(",")) return list.length === token.length && list.toLowerCase() === token;
  return listOf(list).includes(token);
}
