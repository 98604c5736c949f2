import { statSync } from "node:fs";
import { dirname, extname, relative, resolve } from "node:path";
import type { Command } from "commander";
import { Server } from "../index.ts";
import { cors, serveFiles } from "../web/index.ts";
import { logRequests } from "./access-log.ts";
import { fieldValue } from "./arguments.ts";
import { styleFailures } from "./error-pages.ts";
import { EXIT, Failure } from "./failure.ts";
import { serveReloads } from "./live-reload.ts";
import { addServingOptions, refuseOtherNames, type ServingOptions, serveUntilStopped } from "./serving.ts";
import { stopSignal } from "./stopping.ts";

interface ServeOptions extends ServingOptions {
  spa?: boolean;
  live?: boolean;
  cors?: boolean;
  listing?: boolean;
  compress: boolean;
  dotFiles?: boolean;
  symbolicLinks?: boolean;
  cache: string;
  log: boolean;
}

const DEFAULT_PORT = 8080;

const EXAMPLES = `
Examples:
  portico serve                          this folder, at http://127.0.0.1:8080/
  portico serve public --live --open     open it in the browser; pages reload when a file changes
  portico serve dist --spa --port 3000   index.html for the paths of a single-page application
  portico serve . --listing --host 0.0.0.0 --tls-key key.pem --tls-cert cert.pem`;

/** Adds `portico serve`. */
export function addServe(program: Command): void {
  const command = program
    .command("serve")
    .description("serve the files in a folder")
    .argument("[dir]", "the folder", ".")
    .option("--spa", "answer unknown paths with index.html, for single-page applications")
    .option("--live", "reload pages in the browser when a file changes")
    .option("--cors", "let pages from any origin read the files")
    .option("--listing", "list the files of folders that have no index.html")
    .option("--dot-files", "also serve names that begin with a dot")
    .option("--symbolic-links", "follow symbolic links that stay in the folder")
    .option("--no-compress", "never compress")
    .option("--cache <value>", "Cache-Control header of the files", fieldValue, "no-cache")
    .option("--no-log", "do not print a line for each request")
    .addHelpText("after", EXAMPLES)
    .action(serve);
  addServingOptions(command, DEFAULT_PORT, true);
}

async function serve(dir: string, options: ServeOptions): Promise<void> {
  // A tool in use is not under development: mistakes of clients are in the log.
  process.env["NODE_ENV"] ??= "production";
  const stop = stopSignal();
  const root = folderAt(dir);
  const server = new Server();
  if (options.log) logRequests(server, options.json === true);
  refuseOtherNames(server, options);
  styleFailures(server, options.listing === true);
  if (options.cors) server.onRequest(cors());
  const transformHtml = options.live ? serveReloads(server, root) : undefined;
  server.get(
    "/*",
    serveFiles(root, {
      compress: options.compress,
      precompressed: options.compress,
      listing: options.listing === true,
      dotFiles: options.dotFiles === true,
      symbolicLinks: options.symbolicLinks === true,
      cacheControl: options.cache,
      ...(options.spa ? { fallback: "index.html" } : {}),
      ...(transformHtml === undefined ? {} : { transformHtml }),
    }),
  );
  const announcement = { title: `Serving ${dir}`, defaultPort: DEFAULT_PORT, scheme: "http" } as const;
  await serveUntilStopped(server, options, announcement, stop);
}

/** Returns the path of a folder. @throws Failure when it is a file, or not there */
function folderAt(dir: string): string {
  const path = resolve(dir);
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats?.isDirectory()) return path;
  if (stats === undefined) {
    throw new Failure(`The folder ${dir} does not exist. Check the path.`, EXIT.usage);
  }
  const isProgram = /^\.[cm]?[jt]s$/.test(extname(path));
  const folder = relative("", dirname(path)) || ".";
  const remedy = isProgram ? `Run it with "portico run ${dir}", or serve` : "Serve";
  throw new Failure(
    `${dir} is a file, not a folder. ${remedy} its folder with "portico serve ${folder}".`,
    EXIT.usage,
  );
}
