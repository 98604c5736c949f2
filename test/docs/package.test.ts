// The package as somebody finds it who has installed it and nothing else.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { installedProject, manifest, ownPackages, type Project } from "./installed.ts";

const run = promisify(execFile);
/** What is published may grow, but not unnoticed. `npm pack --dry-run` tells what it is now. */
const MAX_UNPACKED_BYTES = 6_000_000;
const MAX_FILES = 1_750;

const entries = Object.keys(manifest.exports)
  .filter((path) => path !== "./package.json")
  .map((path) => path.replace(".", manifest.name));

/** Names each entry, so that nothing of it is left out by the compiler. */
const importer = [
  ...entries.map((entry, at) => `import * as entry${at} from "${entry}";`),
  `export const all = [${entries.map((_, at) => `entry${at}`).join(", ")}];`,
  'import { type Exchange, Server, type WebSocket } from "portico";',
  "const server = new Server({ limits: { maxBodyBytes: 1 } });",
  'server.get("/:a/*", (exchange) => exchange.end(exchange.params.a + exchange.params["*"]));',
  "export const params = (exchange: Exchange<{ id: string }>): string => exchange.params.id;",
  "export const data = (socket: WebSocket<{ user: string }>): string => socket.data.user;",
  "// @ts-expect-error: the path names no such parameter",
  'server.get("/:a", (exchange) => exchange.params.b);',
].join("\n");

describe("the package, installed", () => {
  let project: Project;
  before(async () => {
    project = await installedProject(ownPackages);
    project.write("importer.ts", importer);
  });
  after(() => project?.remove());
  const installed = (path: string): string =>
    readFileSync(join(project.folder, "node_modules/portico", path), "utf8");

  for (const [module, moduleResolution] of [
    ["nodenext", "nodenext"],
    ["preserve", "bundler"],
  ]) {
    it(`compiles in a strict project with module ${module} and resolution ${moduleResolution}`, async () => {
      assert.equal(await project.compile({ module, moduleResolution, noEmit: true }), "");
    });
  }

  it("is imported by plain JavaScript, each entry", async () => {
    const names = entries.map((entry) => `"${entry}"`).join(", ");
    const program = `for (const name of [${names}]) console.log(Object.keys(await import(name)).length > 0);`;
    project.write("plain.js", program);
    const { stdout } = await run(process.execPath, ["plain.js"], { cwd: project.folder, timeout: 30_000 });
    assert.deepEqual(
      stdout.trim().split("\n"),
      entries.map(() => "true"),
    );
  });

  it("exports functions and classes under the names that they have themselves", async () => {
    const names = entries.map((entry) => `"${entry}"`).join(", ");
    const program = `for (const entry of [${names}]) {
  for (const [name, value] of Object.entries(await import(entry))) {
    if (typeof value === "function" && value.name !== name) console.log(entry, name, value.name);
  }
}`;
    project.write("names.js", program);
    const { stdout } = await run(process.execPath, ["names.js"], { cwd: project.folder, timeout: 30_000 });
    assert.equal(stdout, "");
  });

  it("is required by CommonJS where Node can require ES modules", async (test) => {
    if (!("require_module" in process.features)) return test.skip("this Node cannot");
    project.write("plain.cjs", 'console.log(typeof require("portico").Server);');
    const { stdout } = await run(process.execPath, ["plain.cjs"], { cwd: project.folder, timeout: 30_000 });
    assert.equal(stdout, "function\n");
  });

  it(`has at most ${MAX_FILES} files and ${MAX_UNPACKED_BYTES} bytes`, () => {
    const { entryCount, unpackedSize } = project.archive;
    assert.ok(entryCount <= MAX_FILES, `${entryCount} files`);
    assert.ok(unpackedSize <= MAX_UNPACKED_BYTES, `${unpackedSize} bytes`);
  });

  it("has the source of each file that is built, where its maps point to", () => {
    const packed = new Set(project.archive.files.map(({ path }) => path));
    const maps = [...packed].filter((path) => path.endsWith(".map"));
    assert.ok(
      maps.some((path) => path.endsWith(".d.ts.map")) && maps.some((path) => path.endsWith(".js.map")),
    );
    const lost = maps.filter((path) => {
      const { sources } = JSON.parse(installed(path)) as { sources: string[] };
      return !sources.every((source) => packed.has(posix.join(posix.dirname(path), source)));
    });
    assert.deepEqual(lost, []);
  });

  it("has no member in its types that is marked as internal", () => {
    const types = project.archive.files.map(({ path }) => path).filter((path) => path.endsWith(".d.ts"));
    assert.deepEqual(
      types.filter((path) => installed(path).includes("@internal")),
      [],
    );
  });

  it("has what is built, its sources, the documentation, and nothing else", () => {
    const expected = /^(?:dist|docs|src)\/|^(?:README\.md|CHANGELOG\.md|SECURITY\.md|LICENSE|package\.json)$/;
    const strange = project.archive.files.map(({ path }) => path).filter((path) => !expected.test(path));
    assert.deepEqual(strange, []);
  });
});
