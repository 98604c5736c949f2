// The settings of `npm run lint` find a promise that nobody waits for.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

const other = `export async function imported(): Promise<void> {}
export class Store {
  async save(): Promise<void> {}
}
`;

/** A statement of a function, and the rule that it breaks. */
const planted: readonly [what: string, statement: string, rule: RegExp | undefined][] = [
  ["an async function of the same file", "local();", /no-floating-promises/],
  ["an imported async function", "imported();", /no-floating-promises/],
  ["an async method of a class of another file", "store.save();", /no-floating-promises/],
  ["a promise of Node's own", "sleep(1);", /no-floating-promises/],
  ["promises in an array", "[store].map((one) => one.save());", /no-floating-promises/],
  ["a chain without a catch", "local().then(() => store);", /no-floating-promises/],
  ["an async callback where none is expected", "[1].forEach(async () => local());", /no-misused-promises/],
  ["an async listener", 'process.on("exit", async () => local());', /no-misused-promises/],
  ["a promise as a condition", "if (local()) store;", /no-misused-promises/],
  ["nothing where a promise is awaited", "await local();", undefined],
  ["nothing where a promise is marked", "void local();", undefined],
  ["nothing where errors are caught", "local().catch(() => {});", undefined],
];

describe("the lint that knows types reports", () => {
  const folder = mkdtempSync(join(tmpdir(), "portico-lint-"));
  let output = "";
  before(() => {
    const types = JSON.stringify(join(root, "node_modules/@types"));
    const compilerOptions = `"strict": true, "module": "nodenext", "typeRoots": [${types}], "types": ["node"]`;
    writeFileSync(join(folder, "tsconfig.json"), `{ "compilerOptions": { ${compilerOptions} } }`);
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    writeFileSync(join(folder, "other.ts"), other);
    const head = [
      'import { setTimeout as sleep } from "node:timers/promises";',
      'import { imported, Store } from "./other.js";',
      "async function local(): Promise<void> {}",
      "export async function run(store: Store): Promise<void> {",
    ];
    const lines = [...head, ...planted.map(([, statement]) => statement), "}"];
    writeFileSync(join(folder, "planted.ts"), lines.join("\n"));
    const oxlint = join(root, "node_modules/oxlint/bin/oxlint");
    const settings = ["--type-aware", "--config", join(root, ".oxlintrc.json"), "--format", "unix"];
    const run = spawnSync(process.execPath, [oxlint, ...settings, folder], { cwd: root, encoding: "utf8" });
    output = run.stdout + run.stderr;
    assert.equal(run.status, 1, output);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const [at, [what, , rule]] of planted.entries()) {
    it(what, () => {
      const line = output.split("\n").find((text) => text.includes(`planted.ts:${at + 5}:`));
      if (rule === undefined) assert.equal(line, undefined);
      else assert.match(line ?? `nothing in line ${at + 5}:\n${output}`, rule);
    });
  }
});
