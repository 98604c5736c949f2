import type { Command } from "commander";
import { isLoopbackAddress, isLoopbackHost } from "../http1/host.ts";
import type { Listener, Server } from "../index.ts";
import { fileContent, port } from "./arguments.ts";
import { codeOf, EXIT, Failure, messageOf } from "./failure.ts";
import { aborted } from "./stopping.ts";
import { paint, print, printJson } from "./terminal.ts";

/** What all commands that serve have in common. */
export interface ServingOptions {
  port: number;
  host: string;
  tlsKey?: string;
  tlsCert?: string;
  json?: boolean;
}

/** How long exchanges and WebSockets may take to end when the program is told to stop, in milliseconds. */
const GRACE_MS = 2_000;

/** Adds the options of {@link ServingOptions}. */
export function addServingOptions(command: Command, defaultPort: number): Command {
  return command
    .option("-p, --port <number>", "TCP port; 0 takes any free one", port, defaultPort)
    .option("--host <address>", "address to listen at; 0.0.0.0 or :: lets other machines in", "127.0.0.1")
    .option("--tls-key <file>", "private key as PEM; with --tls-cert it serves https: and wss:")
    .option("--tls-cert <file>", "certificate as PEM, with those between it and its authority")
    .option("--json", "print JSON, one object a line");
}

/**
 * Refuses requests for names that are not of this machine, where only this machine is listened to: pages of other sites
 * could read what is served (DNS rebinding). With TLS the certificate tells the browser whose name it is.
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

/**
 * Listens, says where, and serves until it is told to stop; then it lets go of all connections.
 * @param title begins the line that says where
 * @param scheme of the address that it says
 * @returns when the server is closed
 * @throws Failure when the address cannot be bound or the certificate not be used
 */
export async function serveUntilStopped(
  server: Server,
  options: ServingOptions,
  title: string,
  stop: AbortSignal,
  scheme: "http" | "ws" = "http",
): Promise<void> {
  const { url: base, port } = await listen(server, options);
  const url = base.replace("http", scheme);
  if (options.json) printJson({ event: "listening", url, port, host: options.host, pid: process.pid });
  else print(`${title} at ${paint("cyan", url)} (Ctrl-C stops it)`);
  await aborted(stop);
  await server.close({ graceMs: GRACE_MS });
}

async function listen(server: Server, options: ServingOptions): Promise<Listener> {
  const { host, port, tlsKey, tlsCert } = options;
  if ((tlsKey === undefined) !== (tlsCert === undefined)) {
    throw new Failure("--tls-key and --tls-cert belong together: give both", EXIT.usage);
  }
  const tls =
    tlsKey === undefined || tlsCert === undefined
      ? {}
      : { tls: { key: fileContent(tlsKey), cert: fileContent(tlsCert) } };
  try {
    return await server.listen({ host, port, ...tls });
  } catch (error) {
    throw new Failure(whyNotBound(error, host, port));
  }
}

function whyNotBound(error: unknown, host: string, port: number): string {
  const code = codeOf(error);
  switch (code) {
    case "EADDRINUSE":
      return `port ${port} of ${host} is in use: give another one with --port, or --port 0 for any free one`;
    case "EACCES":
      return `you may not listen at port ${port}: give one from 1024 on with --port`;
    case "EADDRNOTAVAIL":
      return `${host} is no address of this machine: give one that is with --host`;
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `there is no host ${host}: give an address of this machine with --host`;
  }
  const unusable = code.startsWith("ERR_OSSL") || code.startsWith("ERR_TLS");
  const what = unusable
    ? "the key and the certificate cannot be used together"
    : `cannot listen at ${host}:${port}`;
  return `${what}: ${messageOf(error)}`;
}
