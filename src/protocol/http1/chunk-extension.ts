import { CR, FIELD_VALUE, HTAB, octetClass, SEMICOLON, SP, TOKEN } from "../http/octets.ts";

/*
 * Chunk extensions octet by octet (RFC 9112 §7.1.1): *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )
 *
 *   state         white space    token      "="          DQUOTE   ";"          CR     anything else
 *   BETWEEN       BETWEEN        error      error        error    NAME_START   error  error
 *   NAME_START    NAME_START     NAME       error        error    error        error  error
 *   NAME          NAME_END       NAME       VALUE_START  error    NAME_START   done   error
 *   NAME_END      NAME_END       error      VALUE_START  error    NAME_START   error  error
 *   VALUE_START   VALUE_START    VALUE      error        QUOTED   error        error  error
 *   VALUE         BETWEEN        VALUE      error        error    NAME_START   done   error
 *   QUOTED        any field octet: QUOTED, but DQUOTE: CLOSED and "\": ESCAPED
 *   ESCAPED       any field octet: QUOTED
 *   CLOSED        BETWEEN        error      error        error    NAME_START   done   error
 *
 * Valid extensions are ignored. Invalid ones are refused: another recipient could see the end of the line elsewhere.
 */
export const BETWEEN = 0;
export const NAME_START = 1;
const NAME = 2;
const NAME_END = 3;
const VALUE_START = 4;
const VALUE = 5;
const QUOTED = 6;
const ESCAPED = 7;
const CLOSED = 8;
/** The CR of the line's end has been read. */
export const DONE = 9;
/** The octet cannot stand here. */
export const INVALID = 10;

const EQUALS = 61;
const DQUOTE = 34;
const BACKSLASH = 92;

/** The state after `octet`. */
export function afterExtensionOctet(state: number, octet: number): number {
  const kind = octetClass[octet] ?? 0;
  if (state === QUOTED || state === ESCAPED) {
    if ((kind & FIELD_VALUE) === 0) return INVALID;
    if (state === ESCAPED) return QUOTED;
    return octet === DQUOTE ? CLOSED : octet === BACKSLASH ? ESCAPED : QUOTED;
  }
  if ((kind & TOKEN) !== 0) {
    if (state === NAME_START || state === NAME) return NAME;
    return state === VALUE_START || state === VALUE ? VALUE : INVALID;
  }
  switch (octet) {
    case SP:
    case HTAB:
      if (state === NAME) return NAME_END;
      return state === VALUE || state === CLOSED ? BETWEEN : state;
    case SEMICOLON:
      return state === NAME_START || state === VALUE_START ? INVALID : NAME_START;
    case EQUALS:
      return state === NAME || state === NAME_END ? VALUE_START : INVALID;
    case DQUOTE:
      return state === VALUE_START ? QUOTED : INVALID;
    case CR:
      return state === NAME || state === VALUE || state === CLOSED ? DONE : INVALID;
    default:
      return INVALID;
  }
}
