// The words of the pages and of public docstrings, by the rules of prose.ts.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { pages } from "./programs.ts";
import { docstringsOf, findingsIn, proseOf } from "./prose.ts";

/** Entries of the package whose docstrings follow the rules. */
const ENTRIES = ["console", "games", "loop", "operations", "testing", "web", "workers"];

/** One line for each finding. */
function complaints(text: string): string[] {
  return findingsIn(text).map((finding) => `${finding.text.trim()} (${finding.advice})`);
}

/** The declarations of what an entry exports. */
function declarationsOf(entry: string): string {
  const index = new URL(`../../dist/${entry}/index.d.ts`, import.meta.url);
  const modules = [...readFileSync(index, "utf8").matchAll(/from "(\.[^"]+)\.[jt]s"/g)];
  return modules.map(([, path]) => readFileSync(new URL(`${path}.d.ts`, index), "utf8")).join("\n");
}

describe("the prose", () => {
  it("is checked by rules that find something", () => {
    const text =
      "Who waits is told anew. The the message is no text of its own, and a peer may be gone all the same.";
    const found = findingsIn(text).map(({ advice }) => advice);
    assert.ok(found.length >= 7, found.join("\n"));
    assert.deepEqual(findingsIn("Clients that wait get the message again."), []);
    assert.equal(findingsIn(`A sentence ${"with many words ".repeat(10)}.`).length, 1);
  });

  for (const [path, text] of pages()) {
    it(`of ${path} follows the rules`, () => assert.deepEqual(complaints(proseOf(text)), []));
  }

  for (const entry of ENTRIES) {
    it(`of the docstrings of portico/${entry} follows the rules`, () => {
      assert.deepEqual(complaints(docstringsOf(declarationsOf(entry))), []);
    });
  }
});
