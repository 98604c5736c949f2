import { statSync } from "node:fs";
import { extname, resolve } from "node:path";
import type { Command } from "commander";
import { Server } from "../index.ts";
import { logRequests } from "./access-log.ts";
import { EXIT, Failure, messageOf } from "./failure.ts";
import { FreshImport } from "./fresh-import.ts";
import { LiveHandlers } from "./live-handlers.ts";
import { describeLoadError } from "./load-error.ts";
import { handlersOf } from "./module-exports.ts";
import { addServingOptions, type ServingOptions, serveUntilStopped } from "./serving.ts";
import { stopSignal } from "./stopping.ts";
import { complain, print, printJson } from "./terminal.ts";
import { FileWatch } from "./watching.ts";

interface RunOptions extends ServingOptions {
  watch?: boolean;
  log?: boolean;
}

const EXAMPLES = `
The file exports some of these, by name or as one default object:
  routes      { "/hello/:name": (exchange) => … , "/users": { GET: …, POST: … } }
  websockets  { "/chat": { open, message, close, …, compression: true }, "/echo": async (socket) => … }
  fetch       (request) => new Response(…), for what no route takes
  setup       (server) => …, for hooks and everything else

Examples:
  portico run server.ts --watch --port 3000
  portico run app.mjs --log`;

/** Adds `portico run`. */
export function addRun(program: Command): void {
  const command = program
    .command("run")
    .description("serve the handlers that a file exports")
    .argument("<file>", ".js, .mjs, .cjs or .ts")
    .option("-w, --watch", "take the handlers over anew when a file changes; connections stay")
    .option("--log", "print a line for each request")
    .addHelpText("after", EXAMPLES)
    .action(run);
  addServingOptions(command, 8080);
}

async function run(name: string, options: RunOptions): Promise<void> {
  const stop = stopSignal();
  const file = programFile(name);
  const source = await FreshImport.of(file, options.watch === true);
  const server = new Server();
  if (options.log) logRequests(server, options.json === true);
  const live = new LiveHandlers(server);
  /** @returns what is wrong with the file, or undefined when its handlers have been taken */
  const take = async (): Promise<string | undefined> => {
    try {
      await live.take(handlersOf(await source.load(), name));
      return undefined;
    } catch (error) {
      return error instanceof Failure ? error.message : describeLoadError(error, source.files);
    }
  };
  const problem = await take();
  if (problem !== undefined && !options.watch) throw new Failure(`${name} cannot be run: ${problem}`);
  if (problem !== undefined) complain(`${name} has no handlers until it is mended: ${problem}`);
  const watching = options.watch ? watch(source, name, take, problem, options.json === true) : undefined;
  try {
    await serveUntilStopped(server, options, `Running ${name}`, stop);
  } finally {
    watching?.close();
  }
}

function programFile(name: string): string {
  const file = resolve(name);
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) {
    throw new Failure(`there is no file ${name}: give the path of a .js, .mjs, .cjs or .ts file`, EXIT.usage);
  }
  if (!/^\.[cm]?[jt]s$/.test(extname(file))) {
    throw new Failure(`${name} is no program: give a .js, .mjs, .cjs or .ts file`, EXIT.usage);
  }
  return file;
}

/** Takes the handlers over again after each change, one time after the other. */
function watch(
  source: FreshImport,
  name: string,
  take: () => Promise<string | undefined>,
  first: string | undefined,
  json: boolean,
): FileWatch {
  let last: Promise<unknown> = Promise.resolve();
  const reload = async (): Promise<void> => {
    const problem = await take();
    files.set(source.files, problem === undefined);
    if (json) printJson({ event: "reload", ok: problem === undefined, problem });
    else if (problem === undefined) print(`Reloaded ${name}`);
    if (problem !== undefined) complain(`${name} keeps its former handlers: ${problem}`);
  };
  const files = new FileWatch(() => {
    last = last.then(reload).catch((error: unknown) => complain(messageOf(error)));
  });
  files.set(source.files, first === undefined);
  return files;
}
