// UTF-8 in percent-encoding (RFC 3986 §2.1, RFC 3629 §4). Exceptions are avoided: `decodeURIComponent` takes 7 µs to throw
// one, and so does URLSearchParams inside, and a head has room for thousands of names and values that cannot be decoded.
const HEX = "[\\da-f]";
const TAIL = `%[89ab]${HEX}`;
/** The first two octets of three, and of four. */
const OF_THREE = `(?:%e0%[ab]${HEX}|%e[1-9a-cef]${TAIL}|%ed%[89]${HEX})`;
const OF_FOUR = `(?:%f0%[9ab]${HEX}|%f[1-3]${TAIL}|%f4%8${HEX})`;
const CHARACTER = `%[0-7]${HEX}|%(?:c[2-9a-f]|d${HEX})${TAIL}|${OF_THREE}${TAIL}|${OF_FOUR}${TAIL}${TAIL}`;
const CHARACTERS = new RegExp(CHARACTER, "gi");
/** What becomes one U+FFFD (Encoding Standard §4.1): the begin of a character, as far as it goes, or an octet. */
const BROKEN = `${OF_THREE}|${OF_FOUR}(?:${TAIL})?|%[89a-f]${HEX}`;
const CHARACTERS_AND_BROKEN = new RegExp(`(${CHARACTER})|${BROKEN}`, "gi");

/** Longer texts are forms, whose fields are counted, and replacing costs more than what it saves. */
const MAX_REPLACED_LENGTH = 65_536;

/** @returns what `decodeURIComponent` returns, or undefined where it would throw */
export function percentDecoded(text: string): string | undefined {
  if (!text.includes("%")) return text;
  return isDecodable(text) ? decodeURIComponent(text) : undefined;
}

/** The parameters of a query, or of a form in application/x-www-form-urlencoded, as `new URLSearchParams` reads them. */
export function queryParameters(query: string): URLSearchParams {
  const isBroken = query.includes("%") && query.length <= MAX_REPLACED_LENGTH && !isDecodable(query);
  return new URLSearchParams(isBroken ? query.replace(CHARACTERS_AND_BROKEN, replaceBroken) : query);
}

function isDecodable(text: string): boolean {
  return !text.replace(CHARACTERS, "").includes("%");
}

function replaceBroken(_all: string, character?: string): string {
  return character ?? "%EF%BF%BD";
}
