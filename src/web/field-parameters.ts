// If a backslash before a quote makes no sense otherwise, it is the last character. No two parts of the expression can
// match the same spaces, because it would try all combinations.
const PARAMETER =
  /;[ \t]*(?:([!#$%&'*+\-.^_`|~0-9A-Za-z]+)=(?:"((?:[^"\\]|\\.|\\(?="))*)"|([^\s;"]*))[ \t]*)?(?=;|$)/y;

/** Those of a media type, and of a part of a form, are a few. */
const MAX_PARAMETERS = 64;

/** A value such as `form-data; name="a"`, taken apart. */
export interface ParameterizedValue {
  /** In lower case. */
  readonly value: string;
  /** By name in lower case; of one name the first. */
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * Reads a value with parameters (RFC 9110 §5.6.6). In quoted strings a backslash counts only before a quote and another
 * backslash: browsers send paths with bare ones.
 * @returns null where it is malformed, or has more than 64 parameters
 */
export function parseParameters(text: string): ParameterizedValue | null {
  const end = text.indexOf(";");
  const value = (end < 0 ? text : text.slice(0, end)).trim().toLowerCase();
  const parameters = new Map<string, string>();
  PARAMETER.lastIndex = end < 0 ? text.length : end;
  for (let count = 0; PARAMETER.lastIndex < text.length; count++) {
    const found = PARAMETER.exec(text);
    if (found === null || count === MAX_PARAMETERS) return null;
    const [, name, quoted, token = ""] = found;
    const key = name?.toLowerCase();
    if (key !== undefined && !parameters.has(key)) {
      parameters.set(key, quoted === undefined ? token : quoted.replace(/\\(["\\])/g, "$1"));
    }
  }
  return { value, parameters };
}
