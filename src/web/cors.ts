import type { Exchange } from "../exchange/exchange.ts";
import { checkOptions, type OptionNames } from "../options/check-options.ts";
import { FieldError } from "../protocol/http/field-lines.ts";
import { isToken, TOKEN_PATTERN } from "../protocol/http/token.ts";

/** An origin such as "https://app.example", a pattern, or a function that decides. */
export type OriginRule = string | RegExp;

export interface CorsOptions {
  /**
   * The origins whose pages can read the responses: "*" (default) for all, origins such as "https://app.example:8443"
   * or "null", regular expressions that match the whole origin (`/https:\/\/[a-z]+\.example/`), or a function.
   */
  origins?: OriginRule | readonly OriginRule[] | ((origin: string, exchange: Exchange) => boolean);
  /** Methods beyond GET, HEAD and POST. Default PUT, PATCH and DELETE. */
  methods?: readonly string[];
  /** The request header fields that pages can set. Default: those that they request. */
  headers?: readonly string[];
  /** Response header fields that pages can read, in addition to the usual ones. Default none. */
  exposedHeaders?: readonly string[];
  /**
   * Lets pages send cookies, and read the responses to such requests. Requires origins other than "*". Default false.
   */
  credentials?: boolean;
  /** How long browsers can keep the answer to a preflight, in seconds. Default 600. */
  maxAgeSeconds?: number;
}

const corsOptionNames: OptionNames<CorsOptions> = {
  origins: true,
  methods: true,
  headers: true,
  exposedHeaders: true,
  credentials: "boolean",
  maxAgeSeconds: true,
};

const TOKENS = new RegExp(`^${TOKEN_PATTERN}(?:[ \\t]*,[ \\t]*${TOKEN_PATTERN})*$`);

/**
 * Cross-origin resource sharing (Fetch Standard §3.3) for `server.onRequest`. Answers preflights with 204, and adds the
 * fields to all other responses, including error responses. Other origins get the response without these fields.
 * @throws TypeError for credentials with "*", for an unknown option, and for text that is not an origin. FieldError for
 *   a method or a field name that cannot be sent
 */
export function cors(options: CorsOptions = {}): (exchange: Exchange) => void {
  checkOptions("cors", options, corsOptionNames);
  const {
    origins = "*",
    credentials = false,
    methods = ["PUT", "PATCH", "DELETE"],
    maxAgeSeconds = 600,
  } = options;
  const any = origins === "*";
  if (any && credentials) throw new TypeError('credentials need origins other than "*": say which');
  const allows = any ? () => true : originTest(origins);
  const names = [...methods, ...(options.headers ?? []), ...(options.exposedHeaders ?? [])];
  for (const name of names) {
    if (!isToken(name)) throw new FieldError(`${JSON.stringify(name)} is neither a method nor a field name`);
  }
  const exposed = options.exposedHeaders?.join(", ") ?? "";
  const allowedMethods = ["GET", "HEAD", "POST", ...methods].join(", ");
  const allowedHeaders = options.headers?.join(", ");

  return (exchange) => {
    if (!any) exchange.appendHeader("Vary", "Origin");
    const origin = exchange.header("origin");
    if (origin === undefined) return;
    const preflight =
      exchange.method === "OPTIONS" && exchange.header("access-control-request-method") !== undefined;
    // A promise, which a JavaScript program can return, is not a permission.
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
    else throw new TypeError(`${rule} is not an origin. Use one like https://app.example`);
  }
  return (origin) => texts.has(origin) || expressions.some((expression) => expression.test(origin));
}

/** Matches only whole texts, because any site can include a given text in its origin. */
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
