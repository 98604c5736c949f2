import { mimes } from "mrmime";
import { TCHAR } from "./octets.ts";
import { TOKEN_PATTERN } from "./token.ts";

/** Returns the extension of a file name or path; a name such as ".profile" has none. */
const EXTENSION = /[^/\\]\.([^./\\]+)$/;

/** Returns the Content-Type of a file by its name. Text is assumed to be UTF-8. */
export function mediaType(name: string): string {
  const extension = EXTENSION.exec(name)?.[1]?.toLowerCase() ?? "";
  // A file can be named x.constructor.
  const type = Object.hasOwn(mimes, extension) ? mimes[extension] : undefined;
  if (type === undefined) return "application/octet-stream";
  return type.startsWith("text/") ? `${type}; charset=utf-8` : type;
}

const COMPRESSIBLE =
  /^(?:text\/|image\/(?:svg|bmp|x-icon|vnd\.microsoft\.icon)|font\/[ot]tf|application\/(?:.*\+)?(?:json|xml|javascript|wasm)\b)/;

/** Returns whether compression makes content of this type much smaller. */
export function isCompressible(type: string): boolean {
  return COMPRESSIBLE.test(type);
}

const JSON_TYPE = new RegExp(
  `^(?:application/json|text/json|${TOKEN_PATTERN}/${TCHAR}*\\+json)[ \\t]*(?:;|$)`,
  "i",
);

/**
 * Returns whether content of this type is JSON: application/json, text/json or one that ends in "+json" (MIME Sniffing
 * Standard §4.6, RFC 6839 §3.1).
 * @param type the value of Content-Type; undefined when there is none
 */
export function isJson(type: string | undefined): boolean {
  return type !== undefined && JSON_TYPE.test(type);
}
