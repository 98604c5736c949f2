import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runtime } from "../../src/node/runtime.ts";
import { runtimeLines, runtimeTitle } from "../../src/node/runtime-lines.ts";
import { inProcess } from "./in-process.ts";
import { portico } from "./portico.ts";

describe("portico about", () => {
  it("prints the runtime, a line for each part, and which of them are slower or missing", async (t) => {
    const { code, stdout, stderr } = await portico(t, ["about"]);
    assert.deepEqual([code, stderr], [0, ""]);
    const [first = "", ...rest] = stdout.trimEnd().split("\n");
    assert.match(first, /^Portico \d+\.\d+\.\d+\S* on /);
    assert.ok(first.endsWith(` on ${runtimeTitle(runtime())}`));
    const lines = runtimeLines(runtime());
    assert.deepEqual(
      rest.filter((line) => line.startsWith("  ")).map((line) => line.trim().split(/ {2,}/)),
      lines.map(({ name, text }) => [name, text]),
    );
    const lesser = lines.filter(({ isBest }) => !isBest).map(({ name }) => name);
    const last = rest.at(-1) ?? "";
    assert.match(last, /^Slower or missing: /);
    assert.ok(last.endsWith(lesser.length === 0 ? "none" : lesser.join(", ")), last);
  });

  it("prints what server.runtime has as one JSON object with --json", async (t) => {
    const { code, stdout, stderr } = await inProcess(t, ["about", "--json"]);
    assert.deepEqual([code, stderr], [undefined, ""]);
    const { portico: version, ...rest } = JSON.parse(stdout);
    assert.match(version, /^\d+\.\d+\.\d+/);
    assert.deepEqual(rest, runtime());
  });
});
