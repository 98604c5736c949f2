import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { transformSync } from "esbuild";

/** Runs a program in a process of its own, which has nothing but one module of src/ before it: a loader of TypeScript uses memory itself. */
export function moduleAlone(path: string): (program: string, ...flags: string[]) => number {
  const source = readFileSync(new URL(`../../src/${path}`, import.meta.url), "utf8");
  const { code } = transformSync(source, { loader: "ts" });
  return (program, ...flags) => {
    const args = ["--expose-gc", ...flags, "--input-type=module", "--eval", `${code}\n${program}`];
    const output = execFileSync(process.execPath, args, { encoding: "utf8", timeout: 60_000 });
    return Number.parseInt(output, 10);
  };
}
