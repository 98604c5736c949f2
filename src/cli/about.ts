import type { Command } from "commander";
import { runtime } from "../node/runtime.ts";
import { runtimeLines, runtimeTitle } from "../node/runtime-lines.ts";
import { paint, print, printJson } from "./terminal.ts";
import { version } from "./version.ts";

const EXAMPLES = `
Run it with the runtime in question: node, bun or deno. Add its output to reports about speed.

Examples:
  portico about
  portico about --json`;

/** Adds `portico about`. */
export function addAbout(program: Command): void {
  program
    .command("about")
    .description("show which fast paths Portico can use on this runtime")
    .option("--json", "print the version and server.runtime as one JSON object")
    .addHelpText("after", EXAMPLES)
    .action(about);
}

function about({ json = false }: { json?: boolean }): void {
  const found = runtime();
  if (json) {
    printJson({ portico: version(), ...found });
    return;
  }
  print(`Portico ${version()} on ${runtimeTitle(found)}\n`);
  const lines = runtimeLines(found);
  const width = Math.max(...lines.map(({ name }) => name.length));
  for (const { name, text, isBest } of lines) {
    print(`  ${name.padEnd(width)}  ${isBest ? text : paint("yellow", text)}`);
  }
  const lesser = lines.filter(({ isBest }) => !isBest).map(({ name }) => name);
  const outcome = lesser.length === 0 ? "none" : `${lesser.length} of ${lines.length}: ${lesser.join(", ")}`;
  print(`\nSlower or missing: ${outcome}`);
}
