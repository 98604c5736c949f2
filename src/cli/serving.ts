import { type Command, Option } from "commander";
import type { Server } from "../index.ts";
import { isLoopbackAddress, isLoopbackHost } from "../protocol/http/host.ts";
import { port } from "./arguments.ts";
import { type ListenChoice, listen, networkUrls } from "./listening.ts";
import { openBrowser } from "./open-browser.ts";
import { aborted } from "./stopping.ts";
import { paint, print, printJson } from "./terminal.ts";

/** The options that all commands with a server have in common. */
export interface ServingOptions extends ListenChoice {
  json?: boolean;
  open?: boolean;
}

/** The time that exchanges and WebSockets have to end after a signal to stop, in milliseconds. */
export const GRACE_MS = 2_000;

/** Adds the options of {@link ServingOptions}. `--open` belongs to commands whose server has pages. */
export function addServingOptions(command: Command, defaultPort: number, hasPages: boolean): Command {
  const portOption = new Option(
    "-p, --port <number>",
    `TCP port; 0 chooses any free port (default: ${defaultPort}, or the next free port)`,
  );
  const hostOption = new Option(
    "--host <address>",
    "address to listen at; 0.0.0.0 or :: lets other machines in",
  );
  command.addOption(portOption.argParser(port).env("PORT"));
  command.addOption(hostOption.default("127.0.0.1").env("HOST"));
  if (hasPages) command.option("--open", "open the address in your browser");
  return command
    .option("--tls-key <file>", "private key as PEM; together with --tls-cert it serves https: and wss:")
    .option("--tls-cert <file>", "certificate as PEM, with the intermediate certificates")
    .option("--json", "print JSON, one object per line");
}

/**
 * Refuses requests for names of other hosts while the server listens to this machine only: pages of other sites could
 * read the files otherwise (DNS rebinding). With TLS the certificate protects against that.
 */
export function refuseOtherNames(server: Server, { host, tlsCert }: ServingOptions): void {
  if (tlsCert !== undefined || !(isLoopbackAddress(host) || isLoopbackHost(host))) return;
  server.onRequest((exchange) => {
    if (isLoopbackHost(exchange.authority ?? "")) return;
    // RFC 9110 §7.4
    exchange.status(421).setHeader("Content-Type", "text/plain; charset=utf-8");
    exchange.end(
      "This server answers only to names of this machine. Use localhost, or choose another address with --host.\n",
    );
  });
}

/** How a command announces its server. */
export interface Announcement {
  /** The beginning of the line with the address, such as "Serving public". */
  readonly title: string;
  readonly defaultPort: number;
  /** Of the address that is printed. */
  readonly scheme: "http" | "ws";
}

/**
 * Listens, prints the address, and serves until a signal to stop arrives. Then it closes all connections.
 * @returns when the server has closed
 * @throws Failure if the address cannot be bound or the certificate cannot be used
 */
export async function serveUntilStopped(
  server: Server,
  options: ServingOptions,
  { title, defaultPort, scheme }: Announcement,
  stop: AbortSignal,
): Promise<void> {
  const listener = await listen(server, options, defaultPort);
  const url = listener.url.replace("http", scheme);
  announce(title, url, listener.port, networkUrls(listener, url.slice(0, url.indexOf(":"))), options);
  if (options.open) openBrowser(url);
  await aborted(stop);
  await server.close({ graceMs: GRACE_MS });
}

/** Prints the address of a server. */
export function announce(
  title: string,
  url: string,
  port: number,
  network: readonly string[],
  { json, host }: ServingOptions,
): void {
  if (json) {
    printJson({ event: "listening", url, port, host, network, pid: process.pid });
    return;
  }
  print(`${title} at ${paint("cyan", url)} (press Ctrl-C to stop)`);
  for (const address of network) print(`On your network: ${paint("cyan", address)}`);
}
