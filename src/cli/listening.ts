import { networkInterfaces } from "node:os";
import type { Listener, Server } from "../index.ts";
import { listenFrom } from "../transport/next-free-port.ts";
import { fileContent } from "./arguments.ts";
import { codeOf, EXIT, Failure, messageOf } from "./failure.ts";
import { complain } from "./terminal.ts";

/** Where to listen, and with which certificate. */
export interface ListenChoice {
  /** Undefined: the default port of the command, or the next free one. */
  readonly port?: number;
  readonly host: string;
  readonly tlsKey?: string;
  readonly tlsCert?: string;
}

/**
 * Listens, and says on stderr when another port than the default one had to be taken.
 * @throws Failure when the address cannot be bound or the certificate cannot be used
 */
export async function listen(server: Server, choice: ListenChoice, defaultPort: number): Promise<Listener> {
  const { host, port, tlsKey, tlsCert } = choice;
  if ((tlsKey === undefined) !== (tlsCert === undefined)) {
    throw new Failure("--tls-key and --tls-cert belong together. Set both.", EXIT.usage);
  }
  const tls =
    tlsKey === undefined || tlsCert === undefined
      ? {}
      : { tls: { key: fileContent(tlsKey), cert: fileContent(tlsCert) } };
  const at = (chosen: number): Promise<Listener> => server.listen({ host, port: chosen, ...tls });
  try {
    if (port !== undefined) return await at(port);
    const listener = await listenFrom(defaultPort, at);
    if (listener.port !== defaultPort) {
      complain(
        `Port ${defaultPort} is in use. Listening at ${listener.port} instead. Choose a port with --port.`,
      );
    }
    return listener;
  } catch (error) {
    throw new Failure(whyNotBound(error, host, port ?? defaultPort));
  }
}

/** Returns the addresses at which other machines reach a listener that listens at all of this machine's addresses. */
export function networkUrls({ host, port }: Pick<Listener, "host" | "port">, scheme: string): string[] {
  if (host !== "0.0.0.0" && host !== "::") return [];
  const families = host === "::" ? ["IPv4", "IPv6"] : ["IPv4"];
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, internal, scopeid }) => families.includes(family) && !internal && !scopeid)
    .map(({ address, family }) => (family === "IPv6" ? `[${address}]` : address))
    .map((address) => `${scheme}://${address}:${port}`);
}

function whyNotBound(error: unknown, host: string, port: number): string {
  const code = codeOf(error);
  switch (code) {
    case "EADDRINUSE":
      return `Port ${port} is already in use at ${host}. Choose another with --port, or stop the process that uses it.`;
    case "EACCES":
      return `Listening at port ${port} is not allowed. Choose a port from 1024 on with --port.`;
    case "EADDRNOTAVAIL":
      return `${host} is not an address of this machine. Choose one that is with --host.`;
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `The host ${host} was not found. Choose an address of this machine with --host.`;
  }
  const unusable = code.startsWith("ERR_OSSL") || code.startsWith("ERR_TLS");
  const what = unusable
    ? "The key and the certificate cannot be used together"
    : `Cannot listen at ${host}:${port}`;
  return `${what}: ${messageOf(error)}`;
}
