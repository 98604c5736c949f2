import type { TransportAddress } from "./listen.ts";

/** The parameters of `listen`: an address, or a port on all addresses. */
export type ListenArguments = [address?: TransportAddress | number];

/**
 * Returns the address that a program has given to `listen`.
 * @throws TypeError for anything else, and for a second argument, which is a host or a function in other servers
 */
export function addressOf(given: readonly unknown[]): TransportAddress {
  const [address = {}] = given;
  if (given.length > 1) {
    throw new TypeError(
      'listen accepts one argument, such as { port: 9001, host: "127.0.0.1" }, and returns when it listens',
    );
  }
  if (typeof address === "number") return { port: address };
  if (typeof address !== "object" || address === null) {
    throw new TypeError(
      `listen accepts a port or an object such as { port: 9001 }, not ${JSON.stringify(address)}`,
    );
  }
  return address;
}
