import { type FSWatcher, watch } from "node:fs";
import { basename, dirname } from "node:path";

/** Editors write a file in several steps; a change is told when there has been silence for so long. */
const QUIET_MS = 50;

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

/** Tells of changes to a set of files, which may be replaced, removed and made again meanwhile. */
export class FileWatch {
  private readonly folders = new Map<string, { watcher: FSWatcher; names: Set<string> }>();
  private readonly changed: Debounced;
  private isComplete = true;

  constructor(changed: () => unknown) {
    this.changed = new Debounced(changed);
  }

  /**
   * Watches these files from now on in place of others.
   * @param files absolute paths
   * @param all whether these are all: otherwise all programs in their folders count, as the one that is missing is there
   * @throws the system's error when a folder cannot be watched
   */
  set(files: readonly string[], all: boolean): void {
    const wanted = new Map<string, Set<string>>();
    for (const file of files) {
      const names = wanted.get(dirname(file)) ?? new Set();
      wanted.set(dirname(file), names.add(basename(file)));
    }
    for (const [folder, { watcher }] of this.folders) {
      if (wanted.has(folder)) continue;
      watcher.close();
      this.folders.delete(folder);
    }
    this.isComplete = all;
    for (const [folder, names] of wanted) {
      const known = this.folders.get(folder);
      if (known === undefined) this.watchFolder(folder, names);
      else known.names = names;
    }
  }

  close(): void {
    this.changed.cancel();
    for (const { watcher } of this.folders.values()) watcher.close();
    this.folders.clear();
  }

  /** The folder is watched and not the file: a file that is replaced is another one for the system. */
  private watchFolder(folder: string, names: Set<string>): void {
    const entry = { watcher: watch(folder), names };
    entry.watcher.on("change", (_event, name) => {
      const file = String(name);
      if (entry.names.has(file) || (!this.isComplete && SOURCE.test(file))) this.changed.call();
    });
    // The folder has gone.
    entry.watcher.on("error", () => this.changed.call());
    this.folders.set(folder, entry);
  }
}

/**
 * Tells of changes below a folder.
 * @returns what ends it
 * @throws the system's error when the folder cannot be watched
 */
export function watchFolder(root: string, changed: () => unknown): () => void {
  const debounced = new Debounced(changed);
  const watcher = watch(root, { recursive: true }, () => debounced.call());
  watcher.on("error", () => debounced.call());
  return () => {
    debounced.cancel();
    watcher.close();
  };
}
