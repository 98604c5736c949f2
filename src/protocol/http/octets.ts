/** Classes of octets in a head (RFC 9110 §5.6.2 and §5.5, RFC 9112 §3.2), as bits of one table. */
export const TOKEN = 1;
export const FIELD_VALUE = 2;
export const TARGET = 4;
/** Octets of a target that cannot change how its path is read: see request-path.ts. */
export const PLAIN_TARGET = 8;
/** The same without "?", which ends the path. */
export const PLAIN_PATH = 16;

export const CR = 13;
export const LF = 10;
export const SP = 32;
export const HTAB = 9;
export const COLON = 58;
export const SEMICOLON = 59;

/** The characters of a token (RFC 9110 §5.6.2), as a class of a regular expression. */
export const TCHAR = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]";
const isTchar = new RegExp(TCHAR);
const isPlain = /[^%."<>\\^`{}]/;

export const octetClass: Uint8Array = new Uint8Array(256);

for (let octet = 0; octet < 256; octet++) {
  const isVisible = octet > 0x20 && octet < 0x7f;
  let bits = isVisible || octet === SP || octet === HTAB || octet >= 0x80 ? FIELD_VALUE : 0;
  // A fragment never reaches a server (RFC 9110 §7.1); other visible ASCII is what browsers really send.
  if (isVisible && octet !== 0x23) bits |= TARGET;
  const character = String.fromCharCode(octet);
  if ((bits & TARGET) !== 0 && isPlain.test(character)) bits |= PLAIN_TARGET;
  if ((bits & PLAIN_TARGET) !== 0 && character !== "?") bits |= PLAIN_PATH;
  if (isTchar.test(character)) bits |= TOKEN;
  octetClass[octet] = bits;
}
