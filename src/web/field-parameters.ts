// Where a backslash before a quote makes no sense otherwise, it is the last character. No two places may take the same
// spaces: that would be tried in all ways.
const PARAMETER =
  /;[ \t]*(?:([!#$%&'*+\-.^_`|~0-9A-Za-z]+)=(?:"((?:[^"\\]|\\.|\\(?="))*)"|([^\s;"]*))[ \t]*)?(?=;|$)/y;

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
 * @returns null where it is malformed
 */
export function parseParameters(text: string): ParameterizedValue | null {
  const end = text.indexOf(";");
  const value = (end < 0 ? text : text.slice(0, end)).trim().toLowerCase();
  const parameters = new Map<string, string>();
  PARAMETER.lastIndex = end < 0 ? text.length : end;
  while (PARAMETER.lastIndex < text.length) {
    const found = PARAMETER.exec(text);
    if (found === null) return null;
    const [, name, quoted, token = ""] = found;
    const key = name?.toLowerCase();
    if (key !== undefined && !parameters.has(key)) {
      parameters.set(key, quoted === undefined ? token : quoted.replace(/\\(["\\])/g, "$1"));
    }
  }
  return { value, parameters };
}
