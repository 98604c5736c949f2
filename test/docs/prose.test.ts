// The words of the pages, and of the docstrings and comments of the sources, by the rules of prose.ts.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { pages } from "./programs.ts";
import { commentsOf, findingsIn, proseOf } from "./prose.ts";

/** One line for each finding. */
function complaints(text: string): string[] {
  return findingsIn(text).map((finding) => `${finding.text.trim()} (${finding.advice})`);
}

/** Folders of src/, and their files together. Their docstrings are those of all entries of the package. */
function* rooms(): Generator<[folder: string, source: string]> {
  const src = new URL("../../src/", import.meta.url);
  const names = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((name) =>
    /\.(ts|js|mjs)$/.test(name),
  );
  const files = names.map((name) => name.replaceAll("\\", "/")).sort();
  for (const room of new Set(files.map((name) => name.split("/")[0]))) {
    const inside = files.filter((name) => name.split("/")[0] === room);
    yield [`src/${room}`, inside.map((name) => readFileSync(new URL(name, src), "utf8")).join("\n\n")];
  }
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

  for (const [room, source] of rooms()) {
    it(`of the comments of ${room} follows the rules`, () => {
      assert.deepEqual(complaints(commentsOf(source)), []);
    });
  }
});
