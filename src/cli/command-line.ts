import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { addBench } from "./bench.ts";
import { addEcho } from "./echo.ts";
import { EXIT, Failure } from "./failure.ts";
import { addInspect } from "./inspect.ts";
import { addRun } from "./run.ts";
import { addServe } from "./serve.ts";
import { complain, printable } from "./terminal.ts";

const EXAMPLES = `
Examples:
  portico serve public --live       a folder as a web site that reloads in the browser
  portico run server.ts --watch     your handlers, taken over anew when you save
  portico echo --deflate            a WebSocket echo
  portico bench http://127.0.0.1:8080/
  portico inspect ws://127.0.0.1:9001/

Exit codes: 0 all is well, 1 it failed, 2 the command line is wrong, 130 and 143 after SIGINT and SIGTERM.`;

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  return String(typeof manifest === "object" && manifest !== null ? Reflect.get(manifest, "version") : "");
}

/** What commander has to say of the command line. */
function oneLine(text: string): string {
  const message = text
    .trim()
    .replace(/^error: /, "")
    .replace("\n(Did", " (Did")
    .replace(/\.$/, "");
  return `portico: ${printable(message)}; --help tells more\n`;
}

function commandLine(): Command {
  const program = new Command("portico")
    .description("HTTP and WebSocket servers, and what one needs beside them")
    .version(version(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .configureOutput({ outputError: (text, write) => write(oneLine(text)) })
    .exitOverride()
    .addHelpText("after", EXAMPLES);
  for (const add of [addServe, addRun, addEcho, addBench, addInspect]) add(program);
  return program;
}

/** @returns the exit code of an error that has reached the top */
function report(error: unknown): number {
  // Commander has told what is wrong, or has printed the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.usage;
  if (error instanceof Failure) {
    complain(error.message);
    return error.exitCode;
  }
  console.error(error);
  return EXIT.failure;
}

/**
 * Runs a command until it has ended.
 * @param args without those of Node
 * @returns the exit code of a command that has failed, or undefined
 */
export async function runCommandLine(args: readonly string[]): Promise<number | undefined> {
  try {
    await commandLine().parseAsync(args, { from: "user" });
    return undefined;
  } catch (error) {
    return report(error);
  }
}
