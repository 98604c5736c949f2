import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { transform } from "esbuild";

const LIMIT_BYTES = 6_000;

describe("portico/client", () => {
  const source = readFileSync(new URL("../../dist/browser/index.js", import.meta.url), "utf8");

  it("is one file without imports, which a page can load", () => {
    assert.doesNotMatch(source, /^\s*import\b|\brequire\(|\bprocess\b|\bBuffer\b/m);
  });

  it(`is smaller than ${LIMIT_BYTES} bytes, minified and compressed`, async () => {
    const { code } = await transform(source, { minify: true, format: "esm" });
    const { length } = gzipSync(code, { level: 9 });
    assert.ok(length < LIMIT_BYTES, `${length} bytes`);
  });
});
