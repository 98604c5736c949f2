import type { Exchange } from "../engine/exchange.ts";

/** An origin such as "https://app.example", or what tells whether one may read. */
export type OriginRule = string | RegExp;

export interface CorsOptions {
  /**
   * Whose pages may read the responses. "*" (default): any; origins such as "https://app.example:8443", or "null";
   * regular expressions that match the whole origin (`/https:\/\/[a-z]+\.example/`); or a function.
   */
  origins?: OriginRule | readonly OriginRule[] | ((origin: string, exchange: Exchange) => boolean);
  /** Methods beyond GET, HEAD and POST. Default PUT, PATCH and DELETE. */
  methods?: readonly string[];
  /** Request header fields that pages may set. Default: those that they ask for. */
  headers?: readonly string[];
  /** Response header fields that pages may read, beyond those that all may. Default none. */
  exposedHeaders?: readonly string[];
  /** Let pages send cookies, and read what was answered to them. Needs origins other than "*". Default false. */
  credentials?: boolean;
  /** How long browsers may keep the answer to a preflight, in seconds. Default 600. */
  maxAgeSeconds?: number;
}

const TOKENS = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:[ \t]*,[ \t]*[!#$%&'*+\-.^_`|~0-9A-Za-z]+)*$/;

/**
 * Cross-origin resource sharing (Fetch Standard §3.3) for `server.onRequest`. Answers preflights with 204; adds the fields
 * to all other responses, also to those of failures. An origin that may not read gets the response without them.
 * @throws TypeError for credentials with "*", and for a text that is no origin
 */
export function cors(options: CorsOptions = {}): (exchange: Exchange) => void {
  const {
    origins = "*",
    credentials = false,
    methods = ["PUT", "PATCH", "DELETE"],
    maxAgeSeconds = 600,
  } = options;
  const any = origins === "*";
  if (any && credentials) throw new TypeError('credentials need origins other than "*": say which');
  const allows = any ? () => true : originTest(origins);
  const exposed = options.exposedHeaders?.join(", ") ?? "";
  const allowedMethods = ["GET", "HEAD", "POST", ...methods].join(", ");
  const allowedHeaders = options.headers?.join(", ");

  return (exchange) => {
    if (!any) exchange.appendHeader("Vary", "Origin");
    const origin = exchange.header("origin");
    if (origin === undefined) return;
    const preflight =
      exchange.method === "OPTIONS" && exchange.header("access-control-request-method") !== undefined;
    // A promise, which a program in JavaScript may return, is no permission.
    const allowed = allows(origin, exchange) === true;
    if (allowed) {
      exchange.setHeader("Access-Control-Allow-Origin", any ? "*" : origin);
      if (credentials) exchange.setHeader("Access-Control-Allow-Credentials", "true");
      if (exposed !== "" && !preflight) exchange.setHeader("Access-Control-Expose-Headers", exposed);
    }
    if (!preflight) return;
    exchange.appendHeader("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers");
    if (allowed) {
      exchange.setHeader("Access-Control-Allow-Methods", allowedMethods);
      const headers = allowedHeaders ?? requestedHeaders(exchange);
      if (headers !== "") exchange.setHeader("Access-Control-Allow-Headers", headers);
      exchange.setHeader("Access-Control-Max-Age", maxAgeSeconds);
    }
    exchange.status(204).end();
  };
}

function requestedHeaders(exchange: Exchange): string {
  const asked = exchange.header("access-control-request-headers") ?? "";
  return TOKENS.test(asked) ? asked : "";
}

function originTest(
  origins: NonNullable<CorsOptions["origins"]>,
): (origin: string, exchange: Exchange) => boolean {
  if (typeof origins === "function") return origins;
  const rules = typeof origins === "string" || origins instanceof RegExp ? [origins] : [...origins];
  const texts = new Set<string>();
  const expressions: RegExp[] = [];
  for (const rule of rules) {
    if (rule instanceof RegExp) expressions.push(whole(rule));
    else if (isOrigin(rule)) texts.add(rule);
    else throw new TypeError(`${rule} is no origin: write one like https://app.example`);
  }
  return (origin) => texts.has(origin) || expressions.some((expression) => expression.test(origin));
}

/** Matches whole texts only: what is found somewhere in an origin can be in anybody's. */
function whole({ source, flags }: RegExp): RegExp {
  // With these flags an expression would remember where it stopped.
  return new RegExp(`^(?:${source})$`, flags.replace(/[gy]/g, ""));
}

function isOrigin(text: string): boolean {
  if (text === "null") return true;
  // Other schemes than those of the web have no origin in the URL Standard, but browser extensions do.
  return (
    URL.canParse(text) &&
    /^[a-z][a-z0-9+.-]*:\/\/[^/?#@]+$/.test(text) &&
    new URL(text).href.replace(/\/$/, "") === text
  );
}
