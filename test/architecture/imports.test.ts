import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { forbiddenImports, importCycles, importsOf, layerTable, type Sources } from "./layers.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

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
    ["src/http1/head.ts", ""],
    ["src/websocket/frame.ts", ""],
    ["src/transport/tcp.ts", ""],
    ["src/engine/server.ts", ""],
    ["src/evo/poll.ts", ""],
    ["src/facil/run.ts", ""],
    ["src/console/main.ts", ""],
  ]);
}

describe("imports only point down", () => {
  const files = readSources();

  it("finds the source files", () => {
    assert.ok(files.size > 0, "no .ts file under src/");
  });

  it("every import of src/ is one that the layer table allows", () => {
    assert.deepEqual(forbiddenImports(files), []);
  });

  it("no files import each other in a cycle", () => {
    assert.deepEqual(importCycles(files), []);
  });
});

describe("the checker itself", () => {
  const bad: [from: string, to: string, rule: RegExp][] = [
    ["src/http1/a.ts", "../websocket/frame.ts", /src\/http1\/ may import only .*src\/bytes\/$/],
    ["src/http1/a.ts", "node:net", /may import from Node only node:buffer, node:crypto, node:zlib$/],
    ["src/websocket/a.ts", "../http1/head.ts", /src\/websocket\/ may import only/],
    ["src/websocket/a.ts", "node:timers", /may import from Node only/],
    [
      "src/transport/a.ts",
      "../http1/head.ts",
      /src\/transport\/ may import only src\/transport\/, src\/bytes\/$/,
    ],
    ["src/engine/a.ts", "../evo/poll.ts", /src\/engine\/ may import only/],
    ["src/evo/a.ts", "../facil/run.ts", /src\/evo\/ may import only/],
    ["src/index.ts", "./console/main.ts", /src\/index\.ts may import only/],
    ["src/console/a.ts", "ws", /src\/console\/ may import no package$/],
    ["src/web/a.ts", "ws", /may import no package but .*cookie/],
    ["src/engine/a.ts", "net", /may import no package$/],
    ["src/engine/a.ts", "../http1/head.js", /there is no source file src\/http1\/head\.js/],
    ["src/engine/a.ts", "../../test/helper.ts", /there is no source file test\/helper\.ts/],
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
    ["src/http1/a.ts", "./head.ts"],
    ["src/http1/a.ts", "node:buffer"],
    ["src/websocket/a.ts", "node:zlib"],
    ["src/transport/a.ts", "node:net"],
    ["src/engine/a.ts", "../transport/tcp.ts"],
    ["src/facil/deep/a.ts", "../../http1/head.ts"],
    ["src/index.ts", "./engine/server.ts"],
    ["src/console/a.ts", "../evo/poll.ts"],
    ["src/cli/a.ts", "commander"],
  ];
  for (const [from, to] of good) {
    it(`allows ${from} -> ${to}`, () => assert.deepEqual(forbiddenImports(arrow(from, to)), []));
  }

  it("reports a file outside every layer", () => {
    assert.match(
      forbiddenImports(new Map([["src/helpers.ts", ""]])).join(),
      /src\/helpers\.ts: belongs to no layer/,
    );
  });

  it("reports a cycle, once, with its files", () => {
    const cycle = new Map([
      ["src/engine/a.ts", 'import { b } from "./b.ts";\n'],
      ["src/engine/b.ts", 'export * from "./c.ts";\n'],
      ["src/engine/c.ts", 'import { type A, a } from "./a.ts";\n'],
      ["src/engine/d.ts", 'import "./a.ts";\n'],
    ]);
    const expected = "src/engine/a.ts -> src/engine/b.ts -> src/engine/c.ts -> src/engine/a.ts";
    assert.deepEqual(importCycles(cycle), [expected]);
  });

  it("lets types refer to each other", () => {
    const types = new Map([
      ["src/engine/a.ts", 'import type { B } from "./b.ts";\n'],
      ["src/engine/b.ts", 'import { a } from "./a.ts";\n'],
    ]);
    assert.deepEqual(importCycles(types), []);
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

  it("has one row per layer and no arrow to a layer that is missing", () => {
    const paths = layerTable.map((layer) => layer.path);
    assert.equal(new Set(paths).size, paths.length);
    for (const layer of layerTable) {
      for (const target of layer.layers) assert.ok(paths.includes(target), `${layer.path} -> ${target}`);
    }
  });
});
