import assert from "node:assert/strict";
import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { absent, curl } from "../support/tools.ts";
import { allPackages, installedProject, type Project } from "./installed.ts";
import { blocksOf, pages, programsOf } from "./programs.ts";
import { EVALUATED, runProgram } from "./running.ts";

const texts = pages();
const programs = [...texts].flatMap(([path, text]) => programsOf(path, text));

const fixture = (name: string) => readFileSync(new URL(`../fixtures/${name}`, import.meta.url), "utf8");

/** Outside of the repository, with the package as it is published. */
let project: Project;

before(async () => {
  project = await installedProject(allPackages);
  for (const { file, text } of programs) project.write(file, text);
  // What programs of the pages find in their folder.
  for (const folder of ["public", "dist", "well-known"]) {
    project.write(`${folder}/index.html`, "<!doctype html><title>Portico</title>\n");
  }
  project.write("key.pem", fixture("localhost.key.pem"));
  project.write("cert.pem", fixture("localhost.cert.pem"));
});
after(() => project?.remove());

describe("the programs of the documentation", () => {
  it("compile against the package as it is published", async () => {
    const compiled = { module: "nodenext", allowJs: true, checkJs: true, outDir: "out", rootDir: "." };
    // The types of @nats-io/nats-core do not hold with exactOptionalPropertyTypes. Our own are checked in package.test.ts.
    const options = { ...compiled, skipLibCheck: true };
    assert.equal(await project.compile(options), "");
  });

  describe("run and answer as their page says", { concurrency: 3 }, () => {
    for (const { place, file, noRun, asks } of programs) {
      const without = asks.length > 0 ? absent(curl, "curl") : false;
      it(place, { skip: noRun === undefined ? without : `it says: ${noRun}` }, async () => {
        const path = join(project.folder, "out", file.replace(/\.ts$/, ".js"));
        appendFileSync(path, EVALUATED);
        await runProgram(path, project.folder, asks);
      });
    }
  });
});

describe("a block right below the link to an example", () => {
  for (const [path, text] of texts) {
    for (const { above, text: shown, line } of blocksOf(text)) {
      const [, example] = /\((?:\.\.\/)?(examples\/[\w/-]+\.(?:ts|lua))\)$/.exec(above) ?? [];
      if (example === undefined) continue;
      it(`${path}:${line} shows ${example} as it is`, () => {
        assert.equal(shown, readFileSync(new URL(`../../${example}`, import.meta.url), "utf8"));
      });
    }
  }
});
