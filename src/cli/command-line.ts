import { Command, CommanderError } from "commander";
import { addAbout } from "./about.ts";
import { addBench } from "./bench.ts";
import { addCompletion } from "./completion.ts";
import { addEcho } from "./echo.ts";
import { EXIT, Failure } from "./failure.ts";
import { addInspect } from "./inspect.ts";
import { addLua } from "./lua.ts";
import { addRun } from "./run.ts";
import { addServe } from "./serve.ts";
import { complain, printable } from "./terminal.ts";
import { version } from "./version.ts";

const EXAMPLES = `
Examples:
  portico serve public --live       serve a folder; pages reload in the browser when a file changes
  portico run server.ts --watch     serve your handlers; saving the file reloads them
  portico lua server.lua            run a Lua program for Evo or CraftOS
  portico echo --deflate            a WebSocket echo
  portico bench http://127.0.0.1:8080/
  portico inspect ws://127.0.0.1:9001/
  portico completion bash           completion of commands and options for your shell

PORT and HOST in the environment set --port and --host.
Exit codes: 0 success, 1 failure, 2 wrong command line, 130 and 143 after SIGINT and SIGTERM.`;

/** Returns an error of commander as one line. */
function oneLine(text: string): string {
  const message = text
    .trim()
    .replace(/^error: /, "")
    .replace("\n(Did", " (Did")
    .replace(/\.$/, "");
  return `portico: ${printable(message)}. See --help.\n`;
}

function commandLine(): Command {
  const program = new Command("portico")
    .description("Serve, inspect and benchmark HTTP and WebSocket servers")
    .version(version(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .configureOutput({ outputError: (text, write) => write(oneLine(text)) })
    .exitOverride()
    .addHelpText("after", EXAMPLES);
  for (const add of [addServe, addRun, addLua, addEcho, addBench, addInspect, addAbout, addCompletion])
    add(program);
  return program;
}

/** Reports an error that has reached the top. @returns its exit code */
function report(error: unknown): number {
  // Commander has printed what is wrong, or the help.
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
    await commandLine().parseAsync(args.length === 0 ? ["--help"] : args, { from: "user" });
    return undefined;
  } catch (error) {
    return report(error);
  }
}
