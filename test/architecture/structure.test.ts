import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { rooms } from "./rooms.ts";
import { forbiddenImports, importCircles, importsOf, roomOf, type Sources } from "./structure.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const MAX_LINES = 300;
const MAX_MEDIAN_LINES = 150;

function readSources(): Sources {
  const files = new Map<string, string>();
  for (const name of readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).sort()) {
    const path = `src/${name.replaceAll("\\", "/")}`;
    if (path.endsWith(".ts")) files.set(path, readFileSync(join(root, path), "utf8"));
  }
  return files;
}

/** One file with one import; what it points to exists. */
function arrow(from: string, to: string): Sources {
  return new Map([
    [from, `import { x } from "${to}";\n`],
    ["src/protocol/http/fields.ts", ""],
    ["src/protocol/http1/reader.ts", ""],
    ["src/protocol/websocket/frame.ts", ""],
    ["src/transport/tcp.ts", ""],
    ["src/server/server.ts", ""],
    ["src/evo/poll.ts", ""],
    ["src/facil/run.ts", ""],
    ["src/console/main.ts", ""],
  ]);
}

describe("the house", () => {
  const files = readSources();
  const lengths = [...files].map(([path, text]) => ({ path, lines: text.split("\n").length - 1 }));

  it("has source files", () => {
    assert.ok(files.size > 0, "no .ts file under src/");
  });

  it("has no import that leads up, or to another room on the same floor", () => {
    assert.deepEqual(forbiddenImports(files), []);
  });

  it("has no import circle, types included", () => {
    assert.deepEqual(importCircles(files), []);
  });

  it(`has no file of more than ${MAX_LINES} lines`, () => {
    assert.deepEqual(
      lengths.filter(({ lines }) => lines > MAX_LINES),
      [],
    );
  });

  it(`has a median file of less than ${MAX_MEDIAN_LINES} lines`, () => {
    const sorted = lengths.map(({ lines }) => lines).sort((a, b) => a - b);
    assert.ok((sorted[sorted.length >> 1] ?? 0) < MAX_MEDIAN_LINES);
  });

  it("has files in each room", () => {
    const used = new Set([...files.keys()].map(roomOf));
    assert.deepEqual(
      rooms.filter((room) => !used.has(room)),
      [],
    );
    assert.equal(new Set(rooms.map(({ path }) => path)).size, rooms.length);
  });
});

describe("the checker itself", () => {
  const bad: [from: string, to: string, rule: RegExp][] = [
    ["src/protocol/http1/a.ts", "../websocket/frame.ts", /protocol\/websocket\/ is on the same floor$/],
    ["src/protocol/http1/a.ts", "node:net", /may import from Node only node:buffer$/],
    ["src/protocol/http/a.ts", "../http1/reader.ts", /protocol\/http1\/ is above it$/],
    ["src/protocol/websocket/a.ts", "node:timers", /may import from Node only/],
    ["src/delivery/a.ts", "node:net", /may import from Node only nothing$/],
    ["src/transport/a.ts", "../protocol/http1/reader.ts", /is on the same floor$/],
    ["src/server/a.ts", "../evo/poll.ts", /evo\/ is above it$/],
    ["src/evo/a.ts", "../facil/run.ts", /facil\/ is on the same floor$/],
    ["src/index.ts", "./console/main.ts", /console\/ is above it$/],
    ["src/console/a.ts", "ws", /console\/ may import no package$/],
    ["src/web/a.ts", "ws", /may import no package but .*cookie/],
    ["src/server/a.ts", "net", /may import no package$/],
    [
      "src/server/a.ts",
      "../protocol/http/fields.js",
      /there is no source file src\/protocol\/http\/fields\.js/,
    ],
    ["src/server/a.ts", "../../test/helper.ts", /there is no source file test\/helper\.ts/],
  ];
  for (const [from, to, rule] of bad) {
    it(`reports ${from} -> ${to}`, () => {
      const [message = "nothing", ...more] = forbiddenImports(arrow(from, to));
      assert.deepEqual(more, []);
      assert.ok(message.startsWith(`${from} imports "${to}": `), message);
      assert.match(message, rule);
    });
  }

  const good: [from: string, to: string][] = [
    ["src/protocol/http/a.ts", "./fields.ts"],
    ["src/protocol/http1/a.ts", "../http/fields.ts"],
    ["src/protocol/http1/a.ts", "node:buffer"],
    ["src/protocol/websocket/a.ts", "node:buffer"],
    ["src/transport/a.ts", "node:net"],
    ["src/server/a.ts", "../transport/tcp.ts"],
    ["src/facil/deep/a.ts", "../../protocol/http/fields.ts"],
    ["src/index.ts", "./server/server.ts"],
    ["src/console/a.ts", "../evo/poll.ts"],
    ["src/cli/a.ts", "commander"],
  ];
  for (const [from, to] of good) {
    it(`allows ${from} -> ${to}`, () => assert.deepEqual(forbiddenImports(arrow(from, to)), []));
  }

  it("reports a file outside of every room", () => {
    assert.match(
      forbiddenImports(new Map([["src/helpers.ts", ""]])).join(),
      /src\/helpers\.ts: is in no room/,
    );
  });

  it("reports a circle, once, with its files", () => {
    const circle = new Map([
      ["src/server/a.ts", 'import { b } from "./b.ts";\n'],
      ["src/server/b.ts", 'export * from "./c.ts";\n'],
      ["src/server/c.ts", 'import { type A, a } from "./a.ts";\n'],
      ["src/server/d.ts", 'import "./a.ts";\n'],
    ]);
    assert.deepEqual(importCircles(circle), [["src/server/a.ts", "src/server/b.ts", "src/server/c.ts"]]);
  });

  it("counts types", () => {
    const types = new Map([
      ["src/server/a.ts", 'import type { B } from "./b.ts";\n'],
      ["src/server/b.ts", 'import { a } from "./a.ts";\n'],
    ]);
    assert.deepEqual(importCircles(types), [["src/server/a.ts", "src/server/b.ts"]]);
  });

  it("sees every form of import and none that is only text", () => {
    const source = [
      'import "./side-effect.ts";',
      'import a, { type B } from "./static.ts";',
      "import {\n  c,\n  d,\n} from './lines.ts';",
      'import type { E } from "./types.ts";',
      'export { f } from "./names.ts";',
      'export * as g from "./star.ts";',
      "export const h = 1;",
      'const i = await import("./dynamic.ts");',
      'let j: import("./in-type.ts").J;',
      "  const k = await import(name);",
      'const l = require("./common.cjs");',
      " * import { Server } from 'portico';",
      '// const m = await import("./comment.ts");',
      "const { n } = import.meta;",
      'socket.import("./method.ts");',
      'const text = "a value from elsewhere";',
    ].join("\n");
    assert.deepEqual(importsOf(source), [
      "./side-effect.ts",
      "./static.ts",
      "./lines.ts",
      "./types.ts",
      "./names.ts",
      "./star.ts",
      "./dynamic.ts",
      "./in-type.ts",
      "(computed: name)",
      "./common.cjs",
    ]);
  });
});
