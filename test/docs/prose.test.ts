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

/** The folders whose comments users read: the rooms of src/, with the docstrings of all entries, and the examples. */
function* rooms(): Generator<[folder: string, source: string]> {
  const root = new URL("../../", import.meta.url);
  const inside = (folder: string): string[] =>
    readdirSync(new URL(folder, root), { recursive: true, encoding: "utf8" })
      .map((name) => `${folder}${name.replaceAll("\\", "/")}`)
      .filter((name) => /\.(ts|js|mjs)$/.test(name))
      .sort();
  const files = [...inside("src/"), ...inside("examples/"), ...inside("scripts/")];
  const roomOf = (name: string): string => name.split("/").slice(0, 2).join("/");
  for (const room of new Set(files.map(roomOf))) {
    const names = files.filter((name) => roomOf(name) === room);
    yield [room, names.map((name) => readFileSync(new URL(name, root), "utf8")).join("\n\n")];
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
