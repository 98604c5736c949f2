import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { FileWatch, watchFolder } from "../../src/cli/watching.ts";
import { put, temporaryFolder } from "../support/places.ts";
import { within } from "../support/waiting.ts";

/** More than changes of before can still be told of. */
const WRITES = 4;

/** Counts what a watch tells. */
class Told {
  private waiters: (() => void)[] = [];

  readonly tell = (): void => {
    for (const resolve of this.waiters.splice(0)) resolve();
  };

  /** Does something, and waits until it is told of. */
  async after(change: () => unknown): Promise<void> {
    const told = new Promise<void>((resolve) => this.waiters.push(resolve));
    await change();
    await within(told, "being told of a change");
  }

  /** Asserts that each of some changes to a file is told of. */
  async hears(root: string, name: string): Promise<void> {
    for (let i = 0; i < WRITES; i++) await this.after(() => writeFileSync(join(root, name), `// ${i}`));
  }
}

const FILE = "dist/sub/a.js";

/** What builds, editors and deployments do, in a folder with {@link FILE}. */
const changes: Record<string, (root: string, told: Told) => unknown> = {
  "removed and made again at once": (root) => {
    rmSync(join(root, "dist"), { recursive: true });
    put(root, FILE, "//");
  },
  "removed, and made again bit by bit": async (root, told) => {
    await told.after(() => rmSync(join(root, "dist"), { recursive: true }));
    mkdirSync(join(root, "dist"));
    await new Promise(setImmediate);
    mkdirSync(join(root, "dist/sub"));
    await new Promise(setImmediate);
    put(root, FILE, "//");
  },
  "removed below, and made again": (root) => {
    rmSync(join(root, "dist/sub"), { recursive: true });
    put(root, FILE, "//");
  },
  "moved away for another": (root) => {
    put(root, "new/sub/a.js", "//");
    renameSync(join(root, "dist"), join(root, "old"));
    renameSync(join(root, "new"), join(root, "dist"));
  },
  "moved away for another that is a link": (root) => {
    put(root, "releases/2/sub/a.js", "//");
    renameSync(join(root, "dist"), join(root, "releases/1"));
    symlinkSync("releases/2", join(root, "dist"));
  },
};

/** Watches {@link FILE} in a new folder: as one of some files, or with all that is below the folder above it. */
const watches: Record<string, (t: TestContext, root: string, told: Told) => void> = {
  FileWatch: (t, root, told) => {
    const watch = new FileWatch(told.tell);
    t.after(() => watch.close());
    watch.set([join(root, FILE), join(root, "other.js")], true);
  },
  watchFolder: (t, root, told) => t.after(watchFolder(join(root, "dist"), told.tell)),
};

for (const [name, watch] of Object.entries(watches)) {
  describe(`${name}: changes are heard`, { concurrency: 4 }, () => {
    for (const [what, change] of Object.entries(changes)) {
      it(`in a folder that is ${what}, time and again`, async (t) => {
        const root = temporaryFolder(t, { [FILE]: "//", "other.js": "//" });
        const told = new Told();
        watch(t, root, told);
        for (let round = 0; round < 2; round++) {
          await told.after(() => change(root, told));
          await told.hears(root, FILE);
          for (const left of ["old", "new"]) rmSync(join(root, left), { recursive: true, force: true });
          if (what.endsWith("link")) return;
        }
      });
    }

    it("in a file that is replaced by another one", async (t) => {
      const root = temporaryFolder(t, { [FILE]: "//", "other.js": "//" });
      const told = new Told();
      watch(t, root, told);
      for (let round = 0; round < WRITES; round++) {
        put(root, "next.js", `// ${round}`);
        await told.after(() => renameSync(join(root, "next.js"), join(root, FILE)));
      }
      await told.hears(root, FILE);
    });
  });
}

describe("FileWatch", () => {
  it("waits for files in folders that are not there yet, and keeps those of before while some are missing", async (t) => {
    const root = temporaryFolder(t, { "a.js": "//", "lib/b.js": "//" });
    const told = new Told();
    const watch = new FileWatch(told.tell);
    t.after(() => watch.close());
    watch.set([join(root, "a.js"), join(root, "lib/b.js")], true);
    watch.set([join(root, "a.js"), join(root, "new/deep/c.js")], false);
    await told.hears(root, "lib/b.js");
    await told.after(() => put(root, "new/deep/c.js", "//"));
    await told.hears(root, "new/deep/c.js");
  });

  it("tells nothing of files that are not wanted, and nothing after close", async (t) => {
    const root = temporaryFolder(t, { "a.js": "//", "b.js": "//" });
    let count = 0;
    const watch = new FileWatch(() => count++);
    const other = new Told();
    const witness = new FileWatch(other.tell);
    t.after(() => witness.close());
    watch.set([join(root, "a.js")], true);
    witness.set([join(root, "b.js")], true);
    await other.hears(root, "b.js");
    assert.equal(count, 0);
    watch.close();
    writeFileSync(join(root, "a.js"), "// closed");
    await other.hears(root, "b.js");
    assert.equal(count, 0);
  });
});

describe("watchFolder", () => {
  it("hears changes in folders that are new", async (t) => {
    const root = temporaryFolder(t, { "a.txt": "" });
    const told = new Told();
    t.after(watchFolder(root, told.tell));
    await told.after(() => put(root, "new/deep/b.txt", ""));
    await told.hears(root, "new/deep/b.txt");
  });
});
