// Runs all tests, or those of the folders that are named: npm test -- engine websocket.
// As many files at a time as there are cores, but one by one where times and memory are measured. With --on one more, since
// many tests wait.
//
// npm test -- --on node24 [folder …] runs them with another Node, which `npm run runtimes` has fetched: by default all but
// those that take long or look at sources only, since the machine's own Node runs these.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { delimiter, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { binaryOf, isRuntimeName, runtimeNames } from "../scripts/runtimes/runtimes.ts";

const alone = ["abuse", "soak"];
const ownOnly = ["abuse", "architecture", "fuzz", "runtimes", "site", "soak"];
const here = fileURLToPath(new URL(".", import.meta.url));
const { values, positionals: wanted } = parseArgs({
  options: { on: { type: "string" } },
  allowPositionals: true,
});
const node = values.on === undefined ? process.execPath : binaryOn(values.on);

const files = readdirSync(here, { recursive: true, encoding: "utf8" })
  .map((name) => name.replaceAll("\\", "/"))
  .filter((name) => name.endsWith(".test.ts"))
  .filter((name) => isWanted(folderOf(name)))
  .sort();

function isWanted(folder: string): boolean {
  if (wanted.length > 0) return wanted.includes(folder);
  return values.on === undefined || !ownOnly.includes(folder);
}

function folderOf(name: string): string {
  return name.slice(0, name.indexOf("/"));
}

function binaryOn(name: string): string {
  const nodes = runtimeNames.filter((known) => known.startsWith("node"));
  if (!isRuntimeName(name) || !nodes.includes(name)) {
    console.error(`The tests cannot run on ${name}. Choose from ${nodes.join(", ")}.`);
    process.exit(2);
  }
  const binary = binaryOf(name);
  if (binary !== undefined) return binary;
  console.error(`${name} is not here. Fetch it: npm run runtimes -- ${name}`);
  process.exit(2);
}

function run(names: readonly string[], concurrency: number): boolean {
  if (names.length === 0) return true;
  const options = ["--import", "tsx", "--test", "--test-reporter=spec", `--test-concurrency=${concurrency}`];
  const paths = names.map((name) => `test/${name}`);
  const cwd = fileURLToPath(new URL("../", import.meta.url));
  const env = {
    ...process.env,
    // What a test starts as "node" is the same one.
    PATH: `${dirname(node)}${delimiter}${process.env["PATH"]}`,
    // Whatever uses lent memory after its time gets wrong bytes in every test.
    PORTICO_FILL_LENT: "1",
  };
  return spawnSync(node, [...options, ...paths], { cwd, env, stdio: "inherit" }).status === 0;
}

if (files.length === 0) {
  console.error(`There is no test in ${wanted.join(", ")}.`);
  process.exit(2);
}
const together = run(
  files.filter((name) => !alone.includes(folderOf(name))),
  availableParallelism() + (values.on === undefined ? 0 : 1),
);
const others = run(
  files.filter((name) => alone.includes(folderOf(name))),
  1,
);
process.exitCode = together && others ? 0 : 1;
