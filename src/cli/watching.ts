import { type Dirent, type FSWatcher, readdirSync, statSync, watch } from "node:fs";
import { basename, dirname, join } from "node:path";
import { codeOf } from "./failure.ts";

/** Editors write a file in several steps; a change is told when there has been silence for so long. */
const QUIET_MS = 50;
/** How often to look for folders that were away, or moved together with the one above them: no event tells that. */
const LOOK_MS = 250;

/** The name of a file that can be imported. */
const SOURCE = /\.(?:[cm]?[jt]s|json)$/;

/** Puts several calls that follow each other quickly together into one. */
class Debounced {
  private timer: NodeJS.Timeout | undefined;
  private readonly run: () => unknown;

  constructor(run: () => unknown) {
    this.run = run;
  }

  call(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(this.run, QUIET_MS);
  }

  cancel(): void {
    clearTimeout(this.timer);
  }
}

interface Watched {
  watcher: FSWatcher | undefined;
  /** What tells the folder that is watched from one that is made later at the same path; "" when there is none. */
  identity: string;
}

/** The identity of a folder that has been removed: the next one at its path may get the same inode. */
const GONE = "gone";

/**
 * Watches what is in folders, by their paths: also when a folder is removed or moved away and made again, as builds do.
 * fs.watch alone stays with the folder that is gone.
 */
class FolderWatch {
  private readonly folders = new Map<string, Watched>();
  private readonly timer: NodeJS.Timeout;
  private readonly heard: (folder: string, name: string) => void;
  private readonly appeared: () => void;

  /**
   * @param heard gets each change of something in a folder
   * @param appeared is called when a folder is there that was missing, or another one in its place
   */
  constructor(heard: (folder: string, name: string) => void, appeared: () => void) {
    this.heard = heard;
    this.appeared = appeared;
    this.timer = setInterval(() => this.lookAround(), LOOK_MS).unref();
  }

  /**
   * Watches these folders from now on in place of others; those that are missing are waited for.
   * @returns whether one that was watched before is another one now
   * @throws the system's error when one that is there cannot be watched; the others are
   */
  set(paths: ReadonlySet<string>): boolean {
    for (const path of this.folders.keys()) if (!paths.has(path)) this.forget(path);
    let replaced = false;
    const failures: unknown[] = [];
    for (const path of paths) {
      const known = this.folders.get(path);
      const folder = known ?? { watcher: undefined, identity: "" };
      this.folders.set(path, folder);
      try {
        if (this.look(path, folder) && known !== undefined) replaced = true;
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
    return replaced;
  }

  close(): void {
    clearInterval(this.timer);
    for (const path of this.folders.keys()) this.forget(path);
  }

  private forget(path: string): void {
    this.folders.get(path)?.watcher?.close();
    this.folders.delete(path);
  }

  /** Looks at folders that are missing, and at those whose parent is not watched. */
  private lookAround(): void {
    for (const [path, { identity }] of this.folders) {
      if (identity === "" || !this.folders.has(dirname(path))) this.lookAt(path);
    }
  }

  private lookAt(path: string): void {
    const folder = this.folders.get(path);
    try {
      if (folder !== undefined && this.look(path, folder)) this.appeared();
    } catch {
      // Such as too many files that are watched; the next look may succeed.
    }
  }

  /** Watches the folder that is at a path now. @returns whether it is another one than before */
  private look(path: string, folder: Watched): boolean {
    const identity = identityOf(path);
    if (identity === folder.identity) return false;
    folder.watcher?.close();
    folder.watcher = undefined;
    folder.identity = "";
    if (identity === "") return false;
    try {
      folder.watcher = watch(path);
    } catch (error) {
      if (codeOf(error) === "ENOENT") return false;
      throw error;
    }
    folder.identity = identity;
    folder.watcher.on("change", (event, name) => this.hear(path, folder, event, String(name)));
    folder.watcher.on("error", () => {
      folder.identity = GONE;
      this.lookAt(path);
    });
    return true;
  }

  private hear(path: string, folder: Watched, event: string, name: string): void {
    if (event === "rename") {
      // A folder's own name says that it has been removed or moved.
      if (name === basename(path)) {
        folder.identity = GONE;
        this.lookAt(path);
      }
      this.lookAt(join(path, name));
    }
    this.heard(path, name);
  }
}

function identityOf(path: string): string {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats?.isDirectory() ? `${stats.dev}:${stats.ino}` : "";
}

/** Tells of changes to a set of files, which may be replaced, removed and made again meanwhile, also with their folders. */
export class FileWatch {
  private readonly names = new Map<string, Set<string>>();
  private readonly folders: FolderWatch;
  private readonly changed: Debounced;
  private isComplete = true;

  constructor(changed: () => unknown) {
    this.changed = new Debounced(changed);
    this.folders = new FolderWatch(
      (folder, name) => {
        const isWanted = this.names.get(folder)?.has(name) || (!this.isComplete && SOURCE.test(name));
        if (isWanted) this.changed.call();
      },
      () => this.changed.call(),
    );
  }

  /**
   * Watches these files from now on in place of others.
   * @param files absolute paths
   * @param all whether these are all: otherwise those of before stay, and all programs in their folders count, as the one
   *   that is missing may be there
   * @throws the system's error when a folder cannot be watched
   */
  set(files: readonly string[], all: boolean): void {
    if (all) this.names.clear();
    for (const file of files) {
      const names = this.names.get(dirname(file)) ?? new Set();
      this.names.set(dirname(file), names.add(basename(file)));
    }
    this.isComplete = all;
    if (this.folders.set(new Set(this.names.keys()))) this.changed.call();
  }

  close(): void {
    this.changed.cancel();
    this.folders.close();
  }
}

/**
 * Tells of changes below a folder, which may be removed and made again meanwhile.
 * @returns what ends it
 * @throws the system's error when a folder cannot be watched
 */
export function watchFolder(root: string, changed: () => unknown): () => void {
  // Not fs.watch with `recursive`: on Linux it loses folders that are made again and files that are moved into place.
  const debounced = new Debounced(() => {
    try {
      look();
    } catch {
      // The folders that could not be watched are looked at again.
    }
    changed();
  });
  const notice = (): void => debounced.call();
  const folders = new FolderWatch(notice, notice);
  const look = (): unknown => folders.set(new Set([root, ...foldersBelow(root)]));
  look();
  return () => {
    debounced.cancel();
    folders.close();
  };
}

/** A folder and those below it that may be read; links are not followed. */
function* foldersBelow(folder: string): Generator<string, undefined> {
  let entries: Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    return;
  }
  yield folder;
  for (const entry of entries) if (entry.isDirectory()) yield* foldersBelow(join(folder, entry.name));
}
