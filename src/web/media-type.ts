import { extname } from "node:path";
import { mimes } from "mrmime";

/** What browsers and tools expect beside what is registered. */
const OTHERS: Readonly<Record<string, string>> = { ".map": "application/json" };

/** @returns the Content-Type of a file by its name; text is taken for UTF-8 */
export function mediaType(name: string): string {
  const extension = extname(name).toLowerCase();
  const key = extension.slice(1);
  // A file may be called x.constructor.
  const type = OTHERS[extension] ?? (Object.hasOwn(mimes, key) ? mimes[key] : undefined);
  if (type === undefined) return "application/octet-stream";
  return type.startsWith("text/") ? `${type}; charset=utf-8` : type;
}

const COMPRESSIBLE =
  /^(?:text\/|image\/(?:svg|bmp|x-icon|vnd\.microsoft\.icon)|font\/[ot]tf|application\/(?:.*\+)?(?:json|xml|javascript|wasm)\b)/;

/** Whether compression makes content of this type smaller by much. */
export function isCompressible(type: string): boolean {
  return COMPRESSIBLE.test(type);
}
