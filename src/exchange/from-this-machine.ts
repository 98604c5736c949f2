import { isLoopbackAddress, isLoopbackHost } from "../protocol/http/host.ts";
import type { Exchange } from "./exchange.ts";

/** Fields by which proxies say that they pass on a request of another machine. */
const FORWARDED = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

/** Returns whether a request comes from this machine: by the client's address, and by the name that it asked for. */
export function fromThisMachine(exchange: Exchange): boolean {
  const { remoteAddress = "", authority = "" } = exchange;
  if (FORWARDED.some((name) => exchange.header(name) !== undefined)) return false;
  return isLoopbackAddress(remoteAddress.replace(/^::ffff:/i, "")) && isLoopbackHost(authority);
}
