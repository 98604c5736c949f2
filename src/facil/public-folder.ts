import { constants as fsConstants, type Stats } from "node:fs";
import { type FileHandle, open, readlink, realpath } from "node:fs/promises";
import { resolve, sep } from "node:path";
import type { Exchange } from "../exchange/exchange.ts";
import { evaluatePreconditions, rangeApplies } from "../protocol/http/conditional.ts";
import { mediaType } from "../protocol/http/media-type.ts";
import { contentRange, parseRange } from "../protocol/http/range.ts";

const INDEX = "index.html";
/** Files up to this size are read at once and leave in one write. */
const WHOLE_BYTES = 65_536;
// Neither a pipe nor a link that appears meanwhile is followed or waited for; Windows does not have these.
const OPEN_FLAGS = fsConstants.O_RDONLY | (fsConstants.O_NONBLOCK ?? 0) | (fsConstants.O_NOFOLLOW ?? 0);

/** Serves the files of one folder unchanged. Files outside it cannot be reached, not even through links. */
export class PublicFolder {
  private readonly root: string;

  private constructor(root: string) {
    this.root = root;
  }

  /** @throws the system's error when there is no such folder */
  static async at(path: string): Promise<PublicFolder> {
    return new PublicFolder(await realpath(path));
  }

  /** Returns whether a request can be for a file. */
  mayServe(exchange: Exchange): boolean {
    return (exchange.method === "GET" || exchange.method === "HEAD") && !exchange.wantsUpgrade;
  }

  /** @returns whether there was a file, which then answers the request */
  async serve(exchange: Exchange): Promise<boolean> {
    const found = await this.find(exchange.path);
    if (found === null) return false;
    const { handle, stat, path } = found;
    let streaming = false;
    try {
      const nowMs = Date.now();
      // RFC 9110 §8.8.2.1: Last-Modified is never later than Date.
      const modifiedMs = Math.min(stat.mtimeMs, nowMs);
      const validators = { etag: `"${stat.size.toString(36)}-${stat.mtimeMs.toString(36)}"`, modifiedMs };
      const field = (name: string): string | undefined => exchange.header(name);
      exchange.setHeader("ETag", validators.etag);
      exchange.setHeader("Last-Modified", new Date(modifiedMs).toUTCString());
      const verdict = evaluatePreconditions(exchange.method, field, validators);
      if (verdict !== "proceed") {
        exchange.status(verdict === "failed" ? 412 : 304).end();
        return true;
      }
      exchange.setHeader("Accept-Ranges", "bytes");
      const counts = exchange.method === "GET" && rangeApplies(field, validators, nowMs);
      const ranges = counts ? parseRange(field("range") ?? "", stat.size, 1) : "whole";
      if (ranges === "unsatisfiable") {
        exchange.status(416).setHeader("Content-Range", contentRange(undefined, stat.size)).end();
        return true;
      }
      const [part] = ranges === "whole" ? [] : ranges;
      if (part !== undefined) exchange.status(206).setHeader("Content-Range", contentRange(part, stat.size));
      const { first, last } = part ?? { first: 0, last: stat.size - 1 };
      const length = last - first + 1;
      // A file that grows or shrinks meanwhile must not become another one than was told.
      exchange.setHeader("Content-Type", mediaType(path)).setHeader("Content-Length", length);
      if (exchange.method === "HEAD") exchange.end();
      else if (length <= WHOLE_BYTES) {
        const bytes = Buffer.allocUnsafe(length);
        const { bytesRead } = await handle.read(bytes, 0, length, first);
        exchange.end(bytes.subarray(0, bytesRead));
      } else {
        streaming = true;
        await exchange.stream(
          handle.createReadStream({ start: first, end: last, highWaterMark: WHOLE_BYTES }),
        );
      }
      return true;
    } finally {
      if (!streaming) await handle.close();
    }
  }

  private async find(target: string): Promise<{ handle: FileHandle; stat: Stats; path: string } | null> {
    const wanted = this.resolve(target);
    if (wanted === null) return null;
    let handle: FileHandle;
    let path: string;
    try {
      path = await realpath(wanted);
      if (!this.holds(path)) return null;
      handle = await open(path, OPEN_FLAGS);
    } catch {
      return null;
    }
    // A folder on the way can have become a link meanwhile. Only the opened file counts.
    if (!this.holds(await openedPath(handle, path))) {
      await handle.close();
      return null;
    }
    const stat = await handle.stat();
    if (stat.isFile()) return { handle, stat, path };
    await handle.close();
    return null;
  }

  private holds(path: string): boolean {
    return path.startsWith(this.root.endsWith(sep) ? this.root : this.root + sep);
  }

  /** The file that a path means, or null where it can mean none. A path that ends in "/" means its index. */
  private resolve(target: string): string | null {
    const segments = target.slice(1).split("/");
    for (const [index, segment] of segments.entries()) {
      const name = decodeURIComponent(segment);
      const isLast = index === segments.length - 1;
      if ((name === "" && !isLast) || name === "." || name === ".." || /[/\\\0]/.test(name)) return null;
      segments[index] = name === "" ? INDEX : name;
    }
    return resolve(this.root, segments.join(sep));
  }
}

/** Returns the real path of an open file if the system provides it, otherwise the path as found. */
function openedPath(handle: FileHandle, path: string): Promise<string> {
  return readlink(`/proc/self/fd/${handle.fd}`).catch(() => path);
}
