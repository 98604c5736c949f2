import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";

function read(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
}

describe("docs/programming-models.md", () => {
  const page = read("docs/programming-models.md");
  for (const name of ["portico", "evo", "craftos", "daslang", "facil"]) {
    it(`shows examples/chat/${name}.ts as it is`, () => {
      assert.ok(page.includes(`\`\`\`ts\n${read(`examples/chat/${name}.ts`).trimEnd()}\n\`\`\`\n`));
    });
  }
});
