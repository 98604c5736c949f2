import { statSync } from "node:fs";
import { extname, resolve } from "node:path";
import type { Command } from "commander";
import { Server } from "../index.ts";
import { worker } from "../workers/index.ts";
import { logRequests } from "./access-log.ts";
import { workerCount } from "./arguments.ts";
import { EXIT, Failure, messageOf } from "./failure.ts";
import { FreshImport } from "./fresh-import.ts";
import { listen } from "./listening.ts";
import { LiveHandlers } from "./live-handlers.ts";
import { describeLoadError } from "./load-error.ts";
import { handlersOf, unusedExports } from "./module-exports.ts";
import { addServingOptions, type ServingOptions, serveUntilStopped } from "./serving.ts";
import { stopSignal } from "./stopping.ts";
import { complain, print, printJson } from "./terminal.ts";
import { FileWatch } from "./watching.ts";
import { superviseRun } from "./workers.ts";

interface RunOptions extends ServingOptions {
  workers?: number | "auto";
  watch?: boolean;
  log?: boolean;
}

const DEFAULT_PORT = 8080;

const EXAMPLES = `
The file exports some of these, by name or as one default object:
  routes      { "/hello/:name": (exchange) => … , "/users": { GET: …, POST: … } }
  websockets  { "/chat": { open, message, close, …, compression: true }, "/echo": async (socket) => … }
  fetch       (request) => new Response(…), for requests that match no route
  setup       (server) => …, for hooks and everything else

Examples:
  portico run server.ts --watch --port 3000 --open
  portico run app.mjs --log
  portico run app.mjs --workers auto     on all processors; SIGHUP replaces the workers one by one`;

/** Adds `portico run`. */
export function addRun(program: Command): void {
  const command = program
    .command("run")
    .description("serve the handlers that a file exports")
    .argument("<file>", ".js, .mjs, .cjs or .ts")
    .option("-w, --watch", "reload the handlers when a file changes, without dropping connections")
    .option("--log", "print a line for each request")
    .option("--workers <count>", "number of processes; auto: one for each processor", workerCount)
    .addHelpText("after", EXAMPLES)
    .action(run);
  addServingOptions(command, DEFAULT_PORT, true);
}

async function run(name: string, options: RunOptions): Promise<void> {
  const file = programFile(name);
  if (options.workers !== undefined && worker === undefined) return superviseRun(name, options);
  // The worker itself ends its servers.
  const stop = worker === undefined ? stopSignal() : new AbortController().signal;
  const source = await FreshImport.of(file, options.watch === true);
  const server = new Server();
  if (options.log) logRequests(server, options.json === true);
  const live = new LiveHandlers(server);
  let saidUnused = "";
  /** @returns the problem of the file, or undefined when its handlers are in use */
  const take = async (): Promise<string | undefined> => {
    try {
      const exports = await source.load();
      await live.take(handlersOf(exports, name));
      const unused = unusedExports(exports);
      if (unused !== "" && unused !== saidUnused) complain(`${name} has unknown exports.${unused}`);
      saidUnused = unused;
      return undefined;
    } catch (error) {
      return error instanceof Failure ? error.message : describeLoadError(error, source.files);
    }
  };
  const problem = await take();
  if (problem !== undefined && !options.watch) throw new Failure(`${name} cannot be run. ${problem}`);
  if (problem !== undefined) complain(`${name} has no handlers until you fix this: ${problem}`);
  const watching = options.watch ? watch(source, name, take, problem, options.json === true) : undefined;
  if (worker !== undefined) {
    // Workers share one port: none takes another one.
    await listen(server, { ...options, port: options.port ?? DEFAULT_PORT }, DEFAULT_PORT);
    worker.ready();
    return new Promise<never>(() => {});
  }
  try {
    const announcement = { title: `Running ${name}`, defaultPort: DEFAULT_PORT, scheme: "http" } as const;
    await serveUntilStopped(server, options, announcement, stop);
  } finally {
    watching?.close();
  }
}

function programFile(name: string): string {
  const file = resolve(name);
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) {
    throw new Failure(
      `The file ${name} does not exist. Pass the path of a .js, .mjs, .cjs or .ts file.`,
      EXIT.usage,
    );
  }
  if (!/^\.[cm]?[jt]s$/.test(extname(file))) {
    throw new Failure(`${name} is not a program. Pass a .js, .mjs, .cjs or .ts file.`, EXIT.usage);
  }
  return file;
}

/** Reloads the handlers after each change, one reload after the other. */
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
    if (problem !== undefined) complain(`${name} keeps its previous handlers. ${problem}`);
  };
  const files = new FileWatch(() => {
    last = last.then(reload).catch((error: unknown) => complain(messageOf(error)));
  });
  files.set(source.files, first === undefined);
  return files;
}
