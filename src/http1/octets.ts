/** Classes of octets in a head (RFC 9110 §5.6.2 and §5.5, RFC 9112 §3.2), as bits of one table. */
export const TOKEN = 1;
export const FIELD_VALUE = 2;
export const TARGET = 4;

export const CR = 13;
export const LF = 10;
export const SP = 32;
export const HTAB = 9;
export const COLON = 58;
export const SEMICOLON = 59;

export const octetClass: Uint8Array = new Uint8Array(256);

for (let octet = 0; octet < 256; octet++) {
  const visible = octet > 0x20 && octet < 0x7f;
  if (visible || octet === SP || octet === HTAB || octet >= 0x80) octetClass[octet] = FIELD_VALUE;
  // A fragment never reaches a server (RFC 9110 §7.1); other visible ASCII is what browsers really send.
  if (visible && octet !== 0x23) octetClass[octet] = (octetClass[octet] ?? 0) | TARGET;
}
for (const character of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  const octet = character.charCodeAt(0);
  octetClass[octet] = (octetClass[octet] ?? 0) | TOKEN;
}
