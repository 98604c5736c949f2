import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { it } from "node:test";
import { documentedItems } from "./items.ts";

/** Names of the `describe`s in the tests of an interface that have a test in them. */
function describedItems(name: string): Set<string> {
  const folder = new URL(`../${name}/`, import.meta.url);
  const described = new Set<string>();
  for (const file of readdirSync(folder).filter((entry) => entry.endsWith(".test.ts"))) {
    const source = readFileSync(new URL(file, folder), "utf8");
    for (const block of source.split(/^(?= {0,2}describe\()/m)) {
      const [, plain, quoting] = /^ *describe\(\s*(?:"([^"\\]*)"|'([^'\\]*)')/.exec(block) ?? [];
      if (/\b(?:it|test)\(/.test(block)) described.add(plain ?? quoting ?? "");
    }
  }
  return described;
}

for (const [name, items] of Object.entries(documentedItems)) {
  it(`every documented item of portico/${name} has tests (npm run coverage:interfaces runs and lists them)`, () => {
    const described = describedItems(name);
    assert.deepEqual(
      items.filter((item) => !described.has(item)),
      [],
    );
  });
}
