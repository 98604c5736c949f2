import { spawnSync } from "node:child_process";
import { GENERATION } from "./reload-hooks.ts";

/** How many files are looked at for a place of a syntax error that Node did not tell. */
const MAX_CHECKS = 20;

/**
 * Describes an error for a program's author: the message, the place and the stack frames of the program.
 * @param files the files that were being loaded
 */
export function describeLoadError(error: unknown, files: readonly string[]): string {
  if (!(error instanceof Error)) return String(error);
  const stack = error.stack ?? error.message;
  const lines = stack.split("\n").filter((line) => !/^\s+at .*(?:\bnode:|\/node_modules\/)/.test(line));
  const text = lines.join("\n").replace(new RegExp(`\\?${GENERATION}=\\d+`, "g"), "");
  const hasPlace = lines.length > 1 || error.message.includes("/");
  if (!(error instanceof SyntaxError) || hasPlace) return text;
  return `${text}${syntaxErrorPlace(files)}`;
}

/** Node reports the place only if it compiles the file itself. */
function syntaxErrorPlace(files: readonly string[]): string {
  for (const file of files.filter((path) => /\.[cm]?js$/.test(path)).slice(0, MAX_CHECKS)) {
    const { status, stderr } = spawnSync(process.execPath, ["--check", file], {
      encoding: "utf8",
      timeout: 5_000,
    });
    // There are no carets under an unexpected end.
    const place = /^(\S.*:\d+)\n(.*(?:\n\s*\^+)?)/.exec(stderr);
    if (status !== 0 && place !== null) return `\n${place[1]}\n${place[2]}`;
  }
  return "";
}
