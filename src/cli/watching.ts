import { type BigIntStats, type Dirent, type FSWatcher, readdirSync, statSync, watch } from "node:fs";
import { dirname, join } from "node:path";
import { codeOf } from "./failure.ts";

/** Editors write a file in several steps; a change is reported after the files have been left alone for so long. */
const QUIET_MS = 50;
/** How often a folder is looked up by its path: no event says that a folder above it was moved or made again. */
const LOOK_MS = 250;

/** The name of a file that can be imported. */
const SOURCE = /\.(?:[cm]?[jt]s|json)$/;

function statsOf(path: string): BigIntStats | undefined {
  // A path that cannot be read now, such as one below a file, counts as missing.
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** Identifies the state of a file; "" for a missing file. */
function versionOf(path: string): string {
  const stats = statsOf(path);
  return stats === undefined
    ? ""
    : `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}`;
}

/** Distinguishes a folder from another one at the same path; "" for a missing folder. */
function identityOf(path: string): string {
  const stats = statsOf(path);
  return stats?.isDirectory() ? `${stats.dev}:${stats.ino}` : "";
}

/**
 * Reports changes to a set of files, which can be replaced, removed and made again meanwhile, also with their folders.
 * It compares the files at intervals: a program imports few of them, and events of the system are lost with a folder.
 */
export class FileWatch {
  private readonly versions = new Map<string, string>();
  private readonly onChange: () => unknown;
  private readonly timer: NodeJS.Timeout;
  private isComplete = true;
  private hasChanged = false;

  constructor(onChange: () => unknown) {
    this.onChange = onChange;
    this.timer = setInterval(() => this.look(), QUIET_MS).unref();
  }

  /**
   * Watches these files from now on instead of others.
   * @param files absolute paths
   * @param isComplete whether these are all; otherwise the former files stay, and all programs in the same folders
   *   count, because the missing one can be among them
   */
  set(files: readonly string[], isComplete: boolean): void {
    const wanted = new Set(files);
    if (isComplete)
      for (const file of this.versions.keys()) if (!wanted.has(file)) this.versions.delete(file);
    this.isComplete = isComplete;
    // A file that is known already keeps its version: it can have changed since the last look.
    for (const file of this.candidates([...this.versions.keys(), ...wanted])) {
      if (!this.versions.has(file)) this.versions.set(file, versionOf(file));
    }
  }

  close(): void {
    clearInterval(this.timer);
  }

  private candidates(files: Iterable<string>): Set<string> {
    const all = new Set(files);
    if (this.isComplete) return all;
    for (const folder of new Set([...all].map(dirname))) {
      for (const { name } of entriesOf(folder)) if (SOURCE.test(name)) all.add(join(folder, name));
    }
    return all;
  }

  private look(): void {
    let differs = false;
    for (const file of this.candidates(this.versions.keys())) {
      const version = versionOf(file);
      if (this.versions.get(file) === version) continue;
      this.versions.set(file, version);
      differs = true;
    }
    // Reported once a look has found nothing new.
    const isOver = this.hasChanged && !differs;
    this.hasChanged = differs;
    if (isOver) this.onChange();
  }
}

/**
 * Reports changes below a folder, which can be removed and made again meanwhile.
 * @returns a function that ends it
 * @throws the system's error when a folder cannot be watched
 */
export function watchFolder(root: string, onChange: () => unknown): () => void {
  const watchers: FSWatcher[] = [];
  let identity = "";
  let timer: NodeJS.Timeout | undefined;
  const onEvent = (): void => {
    clearTimeout(timer);
    timer = setTimeout(report, QUIET_MS);
  };
  const closeAll = (): void => {
    for (const watcher of watchers.splice(0)) watcher.close();
  };
  // Not fs.watch with `recursive`: on Linux it loses folders that are made again and files that are moved into place.
  const watchAll = (): void => {
    closeAll();
    identity = identityOf(root);
    const failures: unknown[] = [];
    for (const folder of foldersBelow(root)) {
      try {
        watchers.push(watch(folder).on("change", onEvent).on("error", onEvent));
      } catch (error) {
        if (codeOf(error) !== "ENOENT") failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  };
  const report = (): void => {
    try {
      watchAll();
    } catch {
      // Such as too many watched files; the next change can succeed.
    }
    onChange();
  };
  watchAll();
  const looks = setInterval(() => {
    if (identityOf(root) !== identity) onEvent();
  }, LOOK_MS).unref();
  return () => {
    clearInterval(looks);
    clearTimeout(timer);
    closeAll();
  };
}

/** A folder and the readable folders below it. */
function* foldersBelow(folder: string): Generator<string, undefined> {
  yield folder;
  for (const entry of entriesOf(folder)) {
    if (entry.isDirectory()) yield* foldersBelow(join(folder, entry.name));
  }
}

/** The entries of a folder; none for a missing or unreadable folder. Links are not followed. */
function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
