import { sep } from "node:path";
import { percentDecoded } from "../protocol/http/percent-encoding.ts";

/** Names that mean another file, a stream of a file or a device there. */
const WINDOWS_NAME = /[:*?"<>|]|[. ]$|^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/**
 * Returns the names that lead from the root to the file of a path.
 * @param path below the root, as sent: percent-encoded, without a leading slash
 * @param dotFiles whether names can begin with a dot
 * @returns the names; the last one is "" for a path that ends in a slash and for an empty path. Null for a path that
 *   cannot mean a file: "." and "..", names that hold a separator or NUL, empty names, broken percent-encoding
 */
export function fileNames(path: string, dotFiles: boolean): string[] | null {
  const names: string[] = [];
  const segments = path.split("/");
  for (const [index, segment] of segments.entries()) {
    const name = percentDecoded(segment);
    if (name === undefined || (name === "" && index < segments.length - 1)) return null;
    if (name === "." || name === ".." || /[/\\\0]/.test(name)) return null;
    if (name.startsWith(".") && !dotFiles) return null;
    if (sep === "\\" && WINDOWS_NAME.test(name)) return null;
    names.push(name);
  }
  return names;
}
