import { lstatSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve, sep } from "node:path";

/** A folder that a program cannot leave, also not by symbolic links. */
export class Folder {
  readonly root: string;

  /** @throws the system's error when there is no such folder */
  constructor(root: string) {
    this.root = realpathSync(root);
  }

  /**
   * The real path of something in the folder, whether it exists or not.
   * @param path relative to the folder, or absolute below it
   * @returns undefined for what lies outside
   */
  locate(path: string): string | undefined {
    if (path.includes("\0")) return undefined;
    const real = follow(resolve(this.root, path));
    return real === this.root || real?.startsWith(this.root === sep ? sep : this.root + sep)
      ? real
      : undefined;
  }

  /** The same for a path that is always relative to the folder, as if that were the root of all folders. */
  locateBelow(path: string): string | undefined {
    return this.locate(join(this.root, resolve(sep, path)));
  }
}

/** Follows symbolic links in the part of a path that exists. */
function follow(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    const parent = dirname(path);
    // A link that leads nowhere yet could lead outside once something is made through it.
    const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
    if (!isMissing || isLink || parent === path) return undefined;
    const real = follow(parent);
    return real === undefined ? undefined : join(real, basename(path));
  }
}
