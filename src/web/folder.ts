import { type BigIntStats, constants, realpathSync, statSync } from "node:fs";
import { type FileHandle, open, readlink, realpath, stat } from "node:fs/promises";
import { join, resolve, sep } from "node:path";

/** A file or a folder that has been opened; whoever gets it closes the handle. */
export interface Opened {
  readonly handle: FileHandle;
  readonly stats: BigIntStats;
  readonly isFolder: boolean;
  /** Where it lies. */
  readonly place: string;
}

// A pipe is not waited for, and a link that appears meanwhile is not followed; Windows does not have these.
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
const NO_LINK = constants.O_NOFOLLOW ?? 0;

/** What the system says where there is nothing to be served. */
const ABSENT = new Set(["ENOENT", "ENOTDIR", "ENAMETOOLONG", "ELOOP", "EMLINK", "ENXIO", "ENODEV", "EISDIR"]);

/** What Linux puts behind the path of an open file that is not there any more. */
const DELETED = / \(deleted\)$/;

/** A folder out of which nothing can be reached, whatever its names and links are and become. */
export class Folder {
  /** With a separator at its end. */
  private readonly root: string;
  private realRoot: string;
  private readonly followsLinks: boolean;

  /**
   * @param root can be a link, even one that changes later
   * @param followsLinks whether to follow links below the root that lead to something below the root
   * @throws the system's error if it does not exist; TypeError if it is not a folder
   */
  constructor(root: string, followsLinks: boolean) {
    if (!statSync(root).isDirectory()) throw new TypeError(`${root} is not a folder`);
    this.root = withSeparator(resolve(root));
    this.realRoot = withSeparator(realpathSync(root));
    this.followsLinks = followsLinks;
  }

  /**
   * Opens a file or a folder below the root.
   * @param names that {@link fileNames} has made
   * @returns null if there is none, or if it must not be served: a link, a device, a pipe, a socket
   * @throws the system's error (EACCES, EMFILE …)
   */
  async open(names: readonly string[]): Promise<Opened | null> {
    const path = this.root + names.join(sep);
    const handle = await openExisting(path, this.followsLinks ? FLAGS : FLAGS | NO_LINK);
    if (handle === null) return null;
    let opened: Opened | null = null;
    try {
      opened = await this.examine(handle, path, names);
      return opened;
    } finally {
      if (opened === null) await handle.close();
    }
  }

  /** Accepts it only at its expected place, because any folder on the way can be a link, or become one. */
  private async examine(handle: FileHandle, path: string, names: readonly string[]): Promise<Opened | null> {
    const stats = await handle.stat({ bigint: true });
    const isFolder = stats.isDirectory();
    if (!isFolder && !stats.isFile()) return null;
    const place = await openedPlace(handle, stats, path);
    if (place === null) return null;
    // The root can be a link that leads elsewhere by now.
    if (!this.isInside(place, names)) this.realRoot = withSeparator(await realpath(this.root));
    return this.isInside(place, names) ? { handle, stats, isFolder, place } : null;
  }

  private isInside(place: string, names: readonly string[]): boolean {
    if (this.followsLinks) return withSeparator(place).startsWith(this.realRoot);
    const expected = withSeparator(join(this.realRoot, ...names));
    // One that has been replaced since it was opened lay where it should.
    return withSeparator(place.replace(DELETED, "")) === expected || withSeparator(place) === expected;
  }
}

async function openExisting(path: string, flags: number): Promise<FileHandle | null> {
  try {
    return await open(path, flags);
  } catch (error) {
    if (ABSENT.has(codeOf(error))) return null;
    throw error;
  }
}

/** @returns the real path of what has been opened, or null where something else is there by now */
async function openedPlace(handle: FileHandle, stats: BigIntStats, path: string): Promise<string | null> {
  const link = await readlink(`/proc/self/fd/${handle.fd}`).catch(() => null);
  if (link !== null) return link;
  try {
    const place = await realpath(path);
    const there = await stat(place, { bigint: true });
    return there.dev === stats.dev && there.ino === stats.ino ? place : null;
  } catch {
    return null;
  }
}

function withSeparator(path: string): string {
  return path.endsWith(sep) ? path : path + sep;
}

/** The `code` of a system's error, or "". */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
