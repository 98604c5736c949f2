import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { describe, it } from "node:test";
import { pictures } from "../../scripts/picture/pictures.ts";
import { importsOf } from "./structure.ts";
import { callersOf, type Step, ways } from "./ways.ts";

const root = new URL("../../", import.meta.url);
const sourceOf = (file: string): string => readFileSync(new URL(`src/${file}`, root), "utf8");

describe("the pictures in docs/architecture.md", () => {
  const drawn = pictures();
  for (const [path, svg] of drawn) {
    it(`${path} is that of the code`, () => {
      const url = new URL(path, root);
      const committed = existsSync(url) ? readFileSync(url, "utf8").replaceAll("\r\n", "\n") : "";
      assert.ok(
        committed === svg,
        `${path} is out of date: run \`npm run picture\`, look at it, and commit it.`,
      );
    });
  }

  it("are shown on the page, in light and dark", () => {
    const page = readFileSync(new URL("docs/architecture.md", root), "utf8");
    for (const path of drawn.keys())
      assert.ok(page.includes(`"${posix.basename(path)}"`), `${path} is not shown`);
  });

  it("are all that there are", () => {
    const names = readdirSync(new URL("docs/", root)).filter((name) => /-(?:light|dark)\.svg$/.test(name));
    assert.deepEqual(
      names.sort().map((name) => `docs/${name}`),
      [...drawn.keys()].sort(),
    );
  });
});

/** Whether a file imports another, or is imported by it. */
function isLinked(one: string, other: string): boolean {
  const imports = (from: string, to: string): boolean =>
    importsOf(sourceOf(from)).some((name) => posix.join(posix.dirname(from), name) === to);
  return imports(one, other) || imports(other, one);
}

function check(steps: readonly Step[]): void {
  for (const [at, { file, through }] of steps.entries()) {
    it(`${file} is a step of it`, () => {
      assert.ok(
        existsSync(new URL(`src/${file}`, root)),
        `src/${file} is not there: see test/architecture/ways.ts`,
      );
      for (const caller of callersOf(steps, at)) {
        const both = sourceOf(caller) + sourceOf(file);
        if (through !== undefined) assert.match(both, new RegExp(`\\b${through}\\b`));
        else
          assert.ok(
            isLinked(caller, file),
            `${caller} and ${file} do not import each other; name an interface`,
          );
      }
    });
  }
}

for (const { of, arrives, leaves } of ways) {
  describe(`the way of a ${of}, up to the program`, () => check(arrives));
  describe(`the way of a ${of}, down to the socket`, () => check(leaves));
}
