// Prints which tests cover each documented item of the four interfaces; fails when one has none, or when a test fails.
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { documentedItems } from "./items.ts";

interface Ended {
  readonly name: string;
  readonly nesting: number;
  readonly passed: boolean;
  readonly skipped: boolean;
}

const tests = fileURLToPath(new URL("../", import.meta.url));
const reporter = new URL("reporter.mjs", import.meta.url).href;

/** Runs the tests of one interface. @returns its tests by the outermost `describe` that they stand in */
async function runTests(name: string): Promise<Map<string, Ended[]>> {
  const folder = `${tests}${name}/`;
  const files = readdirSync(folder).filter((file) => file.endsWith(".test.ts"));
  const args = ["--import", "tsx", "--test", `--test-reporter=${reporter}`, ...files.map((f) => folder + f)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const byItem = new Map<string, Ended[]>();
  let inside: Ended[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const ended: Ended = JSON.parse(line);
    // Tests end before the suite that they stand in.
    if (ended.nesting > 0) inside.push(ended);
    else {
      byItem.set(ended.name, [...(byItem.get(ended.name) ?? []), ...inside]);
      inside = [];
    }
  }
  return byItem;
}

let missing = 0;
let failed = 0;
for (const [name, items] of Object.entries(documentedItems)) {
  const byItem = await runTests(name);
  const covering = items.map((item) =>
    (byItem.get(item) ?? []).filter((test) => test.passed && !test.skipped),
  );
  console.log(`\nportico/${name}: ${items.length} documented items`);
  for (const [index, item] of items.entries()) {
    const count = covering[index]?.length ?? 0;
    if (count === 0) missing++;
    console.log(`${count === 0 ? "MISSING" : `${count}`.padStart(7)}  ${item}`);
    for (const test of covering[index] ?? []) console.log(`           - ${test.name}`);
  }
  for (const test of [...byItem.values()].flat()) {
    if (test.passed) continue;
    failed++;
    console.log(` FAILED  ${test.name}`);
  }
}
console.log(`\n${missing} documented items without a test, ${failed} tests failed`);
process.exitCode = missing + failed > 0 ? 1 : 0;
