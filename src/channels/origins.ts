import type { Exchange } from "../exchange/exchange.ts";

/** Pages that can connect: "same" host, "any", or those with an origin of a list, such as "https://example.com". */
export type Origins = "same" | "any" | readonly string[];

/** Whether the page that a request comes from can connect (RFC 6455 §10.2). Clients that are not browsers have no Origin. */
export function isOriginAllowed(exchange: Exchange, origins: Origins): boolean {
  const origin = exchange.header("origin");
  if (origin === undefined || origins === "any") return true;
  if (origins !== "same") return origins.includes(origin);
  const { authority } = exchange;
  const page = urlOf(origin);
  // The scheme decides which port is left out.
  const here = urlOf(`${page?.protocol}//${authority}`);
  return page !== undefined && page.host !== "" && page.host === here?.host;
}

function urlOf(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
