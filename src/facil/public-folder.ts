import { constants as fsConstants, type Stats } from "node:fs";
import { type FileHandle, open, readlink, realpath } from "node:fs/promises";
import { resolve, sep } from "node:path";
import type { Exchange } from "../engine/exchange.ts";
import { parseHttpDate } from "../http1/date.ts";
import { mediaType } from "./media-types.ts";

const INDEX = "index.html";
/** Files up to this size are read at once and leave in one write. */
const WHOLE_BYTES = 65_536;
// Neither a pipe nor a link that appears meanwhile is followed or waited for; Windows does not have these.
const OPEN_FLAGS = fsConstants.O_RDONLY | (fsConstants.O_NONBLOCK ?? 0) | (fsConstants.O_NOFOLLOW ?? 0);

/** The files of one folder, served as they are. What lies outside of it cannot be reached, also not by links. */
export class PublicFolder {
  private readonly root: string;

  private constructor(root: string) {
    this.root = root;
  }

  /** @throws the system's error when there is no such folder */
  static async at(path: string): Promise<PublicFolder> {
    return new PublicFolder(await realpath(path));
  }

  /** Whether a request may be for a file at all. */
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
      exchange.setHeader("Last-Modified", stat.mtime.toUTCString());
      if (notModified(exchange, stat)) {
        exchange.status(304).end();
        return true;
      }
      exchange.setHeader("Content-Type", mediaType(path));
      if (exchange.method === "HEAD") exchange.setHeader("Content-Length", stat.size).end();
      else if (stat.size <= WHOLE_BYTES) {
        const bytes = Buffer.allocUnsafe(stat.size);
        const { bytesRead } = await handle.read(bytes, 0, stat.size, 0);
        exchange.end(bytes.subarray(0, bytesRead));
      } else {
        streaming = true;
        exchange.setHeader("Content-Length", stat.size);
        // A file that grows meanwhile must not become longer than was told.
        const source = handle.createReadStream({ start: 0, end: stat.size - 1, highWaterMark: WHOLE_BYTES });
        await exchange.stream(source);
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
    // A folder on the way may have become a link meanwhile: what counts is what has been opened.
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

/** Where an open file lies, where the system tells; otherwise as it was found. */
function openedPath(handle: FileHandle, path: string): Promise<string> {
  return readlink(`/proc/self/fd/${handle.fd}`).catch(() => path);
}

// RFC 9110 §13.1.3: only a valid date counts, and only where there is no If-None-Match.
function notModified(exchange: Exchange, stat: Stats): boolean {
  const since = parseHttpDate(exchange.header("if-modified-since") ?? "");
  if (since === undefined || exchange.header("if-none-match") !== undefined) return false;
  return Math.floor(stat.mtimeMs / 1_000) * 1_000 <= since;
}
