import type { Exchange } from "../exchange/exchange.ts";

/** Pages that can connect: those of the "same" host, "any", or those with a listed origin, such as "https://example.com". */
export type Origins = "same" | "any" | readonly string[];

/** Whether the page that sent a request can connect (RFC 6455 §10.2). Clients that are not browsers send no Origin. */
export function isOriginAllowed(exchange: Exchange, origins: Origins): boolean {
  const origin = exchange.header("origin");
  if (origin === undefined || origins === "any") return true;
  if (origins !== "same") return origins.includes(origin);
  const { authority } = exchange;
  const page = urlOf(origin);
  // The scheme decides which port an origin leaves out.
  const here = urlOf(`${page?.protocol}//${authority}`);
  return page !== undefined && page.host !== "" && page.host === here?.host;
}

function urlOf(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
