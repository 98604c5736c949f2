// Lists every test by its full name and counts them, without running any: npm run cases -- http1 websocket.
import { readdirSync } from "node:fs";
import { createRequire, syncBuiltinESMExports } from "node:module";
import { fileURLToPath } from "node:url";

type Body = (() => unknown) | undefined;

const names: string[] = [];
let place: string[] = [];

/** The body is the last argument; options may come before it. */
function bodyOf(args: readonly unknown[]): Body {
  const last = args.at(-1);
  return typeof last === "function" ? (last as Body) : undefined;
}

function testCase(name: string): void {
  names.push([...place, name].join(" > "));
}

function suite(name: string, ...args: readonly unknown[]): void {
  place.push(name);
  bodyOf(args)?.();
  place.pop();
}

const nothing = (): void => {};
// Not imported: what is imported before it is changed stays as it was.
const runner: typeof import("node:test") = createRequire(import.meta.url)("node:test");
Object.assign(runner, { test: testCase, it: testCase, describe: suite, suite });
Object.assign(runner, { before: nothing, after: nothing, beforeEach: nothing, afterEach: nothing });
syncBuiltinESMExports();

const wanted = process.argv.slice(2);
const here = fileURLToPath(new URL("../", import.meta.url));
const files = readdirSync(here, { recursive: true, encoding: "utf8" })
  .map((name) => name.replaceAll("\\", "/"))
  .filter((name) => name.endsWith(".test.ts"))
  .filter((name) => wanted.length === 0 || wanted.includes(name.slice(0, name.indexOf("/"))))
  .sort();
for (const file of files) {
  place = [file];
  await import(new URL(`../${file}`, import.meta.url).href);
  runner.mock.reset();
}
const lines = names.map((name) => `${name.replaceAll("\n", "\\n")}\n`);
console.error(`${names.length} cases in ${files.length} files`);
// What was imported may keep the process alive.
process.stdout.write(lines.join(""), () => process.exit(0));
