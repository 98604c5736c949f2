import type { Exchange } from "../exchange/exchange.ts";

/** Pages that can connect: those of the "same" host, "any", or those with a listed origin, such as "https://example.com". */
export type Origins = "same" | "any" | readonly string[];

/** @throws TypeError for anything else, which would admit other pages, or none */
export function checkOrigins(origins: Origins): void {
  if (origins === "same" || origins === "any") return;
  if (!Array.isArray(origins)) {
    throw new TypeError(
      `origins cannot be ${JSON.stringify(origins)}. Use "same", "any" or a list of origins`,
    );
  }
  for (const origin of origins as readonly unknown[]) {
    const url = urlOf(String(origin));
    if (origin === "null" || (url !== undefined && origin === `${url.protocol}//${url.host}`)) continue;
    throw new TypeError(
      `origins cannot have ${JSON.stringify(origin)}. Use a scheme and a host, such as "https://example.com"`,
    );
  }
}

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
