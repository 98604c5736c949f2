import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";

interface Manifest {
  readonly scripts?: Record<string, string>;
  readonly dependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
}

interface Lock {
  readonly packages: Record<string, { readonly hasInstallScript?: boolean; readonly dev?: boolean }>;
}

const read = (path: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), "utf8"));
const manifest = read("package.json") as Manifest;

/** Each without dependencies of its own. */
const expectedDependencies = ["@fastify/busboy", "commander", "cookie", "mrmime"];

/** esbuild looks whether the binary of its platform has come along. */
const expectedScripts = ["node_modules/esbuild", "node_modules/fsevents"];

describe("the packages that come along", () => {
  it("are few for who uses Portico, and bring no others", () => {
    assert.deepEqual(
      Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies }),
      expectedDependencies,
    );
    const { packages } = read("package-lock.json") as Lock;
    const used = Object.keys(packages).filter((path) => path !== "" && !packages[path]?.dev);
    assert.deepEqual(
      used,
      expectedDependencies.map((name) => `node_modules/${name}`),
    );
  });

  it("run nothing when Portico is installed", () => {
    const names = Object.keys(manifest.scripts ?? {});
    assert.deepEqual(
      names.filter((name) => /^(pre|post)?install$|^prepare$/.test(name)),
      [],
    );
  });

  it("run no install scripts but the expected ones", () => {
    const { packages } = read("package-lock.json") as Lock;
    const scripts = Object.keys(packages).filter((path) => packages[path]?.hasInstallScript);
    for (const path of scripts) assert.ok(expectedScripts.includes(path), `${path} has an install script`);
  });

  for (const folder of ["bench", "site"]) {
    it(`run no install scripts at all in ${folder}/`, () => {
      const settings = readFileSync(new URL(`../../${folder}/.npmrc`, import.meta.url), "utf8");
      assert.match(settings, /^ignore-scripts=true$/m);
    });
  }
});
