// npm run runtimes [-- node24 bun …]: fetches other runtimes for the tests, by default all but the Node that runs this.
import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { binaryOf, folderOf, isRuntimeName, type RuntimeName, runtimeNames, specOf } from "./runtimes.ts";

const run = promisify(execFile);
/** A download takes some seconds, but can stall: then it is begun again. */
const TIMEOUT_MS = 100_000;
const ATTEMPTS = 3;

const own = `node${process.versions.node.split(".")[0]}`;
const named = process.argv.slice(2);
const wanted = named.length > 0 ? named : runtimeNames.filter((name) => name !== own);

/** @returns what the binary says of its version */
async function fetchRuntime(name: RuntimeName): Promise<string> {
  const folder = folderOf(name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
  const quiet = ["--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"];
  const options = { cwd: folder, timeout: TIMEOUT_MS, shell: process.platform === "win32" };
  for (let attempt = 1; ; attempt++) {
    try {
      await run("npm", ["install", ...quiet, specOf(name)], options);
      break;
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
    }
  }
  const binary = binaryOf(name);
  if (binary === undefined)
    throw new Error(`${specOf(name)} has no binary where it is looked for, in ${folder}`);
  const { stdout } = await run(binary, ["--version"], { timeout: TIMEOUT_MS });
  return stdout.split("\n", 1)[0] ?? "";
}

for (const name of wanted) {
  if (!isRuntimeName(name)) {
    console.error(`There is no runtime ${name}. Choose from ${runtimeNames.join(", ")}.`);
    process.exit(2);
  }
  try {
    console.log(`${name}: ${await fetchRuntime(name)}`);
  } catch (error) {
    console.error(`${name} cannot be had, so nothing can be tested on it: ${error}`);
    process.exitCode = 1;
  }
}
