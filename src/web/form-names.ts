import { percentDecoded } from "../protocol/http/percent-encoding.ts";

/** What a client calls a part of a form. */
export interface FormNames {
  readonly name: string;
  /** Undefined for a field that is not a file. */
  readonly filename: string | undefined;
}

/** RFC 8187 §3.2.1: the charset, which is always UTF-8, a language, and the value in percent-encoding. */
const EXTENDED = /^utf-8'[\w-]*'((?:[\w!#$&+.^`|~-]|%[\da-f]{2})*)$/i;
const ESCAPES: Readonly<Record<string, string>> = { "%22": '"', "%0D": "\r", "%0A": "\n" };

/**
 * Reads the names in a part's Content-Disposition.
 * @param parameters its parameters, by name in lower case
 * @returns undefined when there is no name, or when `filename*` cannot be decoded and there is no other
 */
export function namesOf(parameters: ReadonlyMap<string, string>): FormNames | undefined {
  const name = parameters.get("name");
  if (name === undefined) return undefined;
  const plain = parameters.get("filename");
  const extended = parameters.get("filename*");
  // RFC 6266 §4.3: the extended form is preferred, and passed over where it cannot be decoded.
  const encoded = EXTENDED.exec(extended ?? "")?.[1];
  const decoded = encoded === undefined ? undefined : percentDecoded(encoded);
  const filename = decoded ?? (plain === undefined ? undefined : unescaped(plain));
  if (filename === undefined) return extended === undefined ? { name: unescaped(name), filename } : undefined;
  return { name: unescaped(name), filename: baseName(filename) };
}

/**
 * HTML Standard, "multipart/form-data encoding algorithm": the characters that browsers escape in names, and no others.
 */
function unescaped(text: string): string {
  return text.replace(/%(?:22|0D|0A)/g, (found) => ESCAPES[found] ?? found);
}

/** The name without a path, which is the client's own (RFC 7578 §4.2), and without control characters. */
function baseName(filename: string): string {
  const name = filename.replace(/^.*[/\\]/s, "").replace(/[\0-\x1f\x7f]/g, "");
  return name === "." || name === ".." ? "" : name;
}
