import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import { Server } from "../index.ts";
import { cors, serveFiles } from "../web/index.ts";
import { logRequests } from "./access-log.ts";
import { fieldValue } from "./arguments.ts";
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

const EXAMPLES = `
Examples:
  portico serve                          this folder, at http://127.0.0.1:8080/
  portico serve public --live            pages load again when a file changes
  portico serve dist --spa --port 3000   index.html for the paths of an application
  portico serve . --listing --host 0.0.0.0 --tls-key key.pem --tls-cert cert.pem`;

/** Adds `portico serve`. */
export function addServe(program: Command): void {
  const command = program
    .command("serve")
    .description("serve the files of a folder, with ranges, ETags and compression")
    .argument("[dir]", "the folder", ".")
    .option("--spa", "answer navigations to unknown paths with index.html")
    .option("--live", "put a script into HTML pages that loads them again when a file changes")
    .option("--cors", "let pages of all origins read the files")
    .option("--listing", "show what is in folders without an index.html")
    .option("--dot-files", "serve names that begin with a dot, too")
    .option("--symbolic-links", "follow links that lead to something in the folder")
    .option("--no-compress", "send everything as it is")
    .option("--cache <value>", "Cache-Control of the files", fieldValue, "no-cache")
    .option("--no-log", "print no line for each request")
    .addHelpText("after", EXAMPLES)
    .action(serve);
  addServingOptions(command, 8080);
}

async function serve(dir: string, options: ServeOptions): Promise<void> {
  const stop = stopSignal();
  const root = resolve(dir);
  if (!statSync(root, { throwIfNoEntry: false })?.isDirectory()) {
    throw new Failure(`there is no folder ${dir}: give one that exists`, EXIT.usage);
  }
  const server = new Server();
  if (options.log) logRequests(server, options.json === true);
  refuseOtherNames(server, options);
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
  await serveUntilStopped(server, options, `Serving ${dir}`, stop);
}
