// Runs all tests, or those of the folders that are named: npm test -- engine websocket.
// As many files at a time as there are cores, but one by one where times and memory are measured.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";

const alone = ["abuse", "soak"];
const here = fileURLToPath(new URL(".", import.meta.url));
const wanted = process.argv.slice(2);

const files = readdirSync(here, { recursive: true, encoding: "utf8" })
  .map((name) => name.replaceAll("\\", "/"))
  .filter((name) => name.endsWith(".test.ts"))
  .filter((name) => wanted.length === 0 || wanted.includes(folderOf(name)))
  .sort();

function folderOf(name: string): string {
  return name.slice(0, name.indexOf("/"));
}

function run(names: readonly string[], concurrency: number): boolean {
  if (names.length === 0) return true;
  const options = ["--import", "tsx", "--test", "--test-reporter=spec", `--test-concurrency=${concurrency}`];
  const paths = names.map((name) => `test/${name}`);
  const cwd = fileURLToPath(new URL("../", import.meta.url));
  // Whatever uses lent memory after its time gets wrong bytes in every test.
  const env = { ...process.env, PORTICO_FILL_LENT: "1" };
  return spawnSync(process.execPath, [...options, ...paths], { cwd, env, stdio: "inherit" }).status === 0;
}

if (files.length === 0) {
  console.error(`There is no test in ${wanted.join(", ")}.`);
  process.exit(2);
}
const together = run(
  files.filter((name) => !alone.includes(folderOf(name))),
  availableParallelism(),
);
const others = run(
  files.filter((name) => alone.includes(folderOf(name))),
  1,
);
process.exitCode = together && others ? 0 : 1;
