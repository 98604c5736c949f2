import { isIPv4 } from "node:net";
import type { Exchange } from "../exchange/exchange.ts";
import { checkOptions, type OptionNames } from "../options/check-options.ts";
import { checkedHost } from "../protocol/http/host.ts";
import { type AddressTest, subnets } from "../protocol/proxy/subnets.ts";
import {
  addressesFromRight,
  type ForwardedElement,
  type ForwardedNode,
  forwardedFromRight,
} from "./forwarded.ts";

export interface TrustedProxiesOptions {
  /**
   * The trusted proxies: addresses, subnets ("10.0.0.0/8"), "loopback", "link-local" or "private". Or their number, at
   * most 32, if clients can only connect through all of them.
   */
  trust: readonly string[] | number;
  /**
   * The fields they send: "x-forwarded" (default) for X-Forwarded-For, -Proto and -Host, "forwarded" for Forwarded (RFC
   * 7239). Choose the one that your proxies set: clients can forge the other.
   */
  field?: "x-forwarded" | "forwarded";
}

const trustedProxiesOptionNames: OptionNames<TrustedProxiesOptions> = {
  trust: true,
  field: true,
};

/** The client of a request, according to the trusted proxies. */
export interface Client {
  /**
   * The client's address. IPv4 addresses never have the form "::ffff:192.0.2.1". Undefined for a Unix socket, and if a
   * trusted proxy reports none.
   */
  readonly address: string | undefined;
  /** The client's port. Undefined if a proxy does not report it. */
  readonly port: number | undefined;
  /** The scheme between the client and the first trusted proxy, or this server. */
  readonly protocol: "http" | "https";
  /** The host that the client requested, with its port if there is one. */
  readonly host: string | undefined;
}

/** Any exchange, whatever its parameters. */
type Request = Pick<Exchange, "remoteAddress" | "remotePort" | "encrypted" | "authority" | "header">;

/** A client that is a trusted address itself can name thousands of others in one head, at 4 to 7 µs each. */
const MAX_HOPS = 32;
const NOBODY: ForwardedNode = { address: undefined, port: undefined };
const PROTOCOLS: Record<string, "http" | "https"> = {
  http: "http",
  https: "https",
  ws: "http",
  wss: "https",
};

/**
 * Creates a function that finds the client of a request behind proxies. It starts at the other end of the socket and
 * follows the address that each trusted proxy reports. It stops at the first untrusted address, or at the 32nd, and
 * never throws.
 * @throws RangeError for an invalid `trust`
 */
export function trustedProxies(options: TrustedProxiesOptions): (exchange: Request) => Client {
  checkOptions("trustedProxies", options, trustedProxiesOptionNames);
  const { trust, field = "x-forwarded" } = options;
  const isTrusted = trustOf(trust);
  const forwarded = field === "forwarded";
  if (!forwarded && field !== "x-forwarded") {
    throw new RangeError(`field is "x-forwarded" or "forwarded", not ${JSON.stringify(field)}`);
  }
  return (exchange) => {
    const { remoteAddress } = exchange;
    const own: Client = {
      address: plainAddress(remoteAddress),
      port: exchange.remotePort,
      protocol: exchange.encrypted ? "https" : "http",
      host: exchange.authority,
    };
    if (!isTrusted(remoteAddress, 0)) return own;
    const list = exchange.header(forwarded ? "forwarded" : "x-forwarded-for") ?? "";
    const elements = forwarded ? forwardedFromRight(list) : addressesFromRight(list);
    const { node = own, protocol, host } = lastTold(elements, own, isTrusted);
    return {
      address: plainAddress(node.address),
      port: node.port,
      protocol:
        protocolOf(forwarded ? protocol : lastOf(exchange.header("x-forwarded-proto"))) ?? own.protocol,
      host: hostOf(forwarded ? host : lastOf(exchange.header("x-forwarded-host"))) ?? own.host,
    };
  };
}

/** Whether to believe who is so many proxies away. */
type Trust = (address: string | undefined, hops: number) => boolean;

function trustOf(trust: readonly string[] | number): Trust {
  if (typeof trust === "number") {
    if (!(Number.isInteger(trust) && trust >= 0 && trust <= MAX_HOPS)) {
      throw new RangeError(`trust cannot be ${trust}. Use the number of your proxies, 0 to ${MAX_HOPS}`);
    }
    return (_address, hops) => hops < trust;
  }
  const contains: AddressTest = subnets(trust);
  return (address) => contains(address);
}

/** The leftmost element that a trusted proxy has added. */
function lastTold(
  elements: Iterable<ForwardedElement>,
  peer: ForwardedNode,
  isTrusted: Trust,
): ForwardedElement {
  let told: ForwardedElement = { node: peer };
  let hops = 0;
  for (const element of elements) {
    if (element.node === undefined) return { ...element, node: NOBODY };
    told = element;
    if (++hops >= MAX_HOPS || !isTrusted(element.node.address, hops)) break;
  }
  return told;
}

/** One client has one address, whether it comes by a proxy or to a socket for IPv6 and IPv4. */
function plainAddress(address: string | undefined): string | undefined {
  const rest = address?.startsWith("::ffff:") ? address.slice(7) : "";
  return isIPv4(rest) ? rest : address;
}

/** Of several values the one that the nearest proxy has added. */
function lastOf(list: string | undefined): string | undefined {
  return list?.slice(list.lastIndexOf(",") + 1).trim();
}

function protocolOf(name: string | undefined): "http" | "https" | undefined {
  const lower = name?.toLowerCase() ?? "";
  return Object.hasOwn(PROTOCOLS, lower) ? PROTOCOLS[lower] : undefined;
}

function hostOf(host: string | undefined): string | undefined {
  if (host === undefined || host === "") return undefined;
  try {
    return checkedHost(host);
  } catch {
    return undefined;
  }
}
