import type { Exchange } from "../exchange/exchange.ts";
import { queryParameters } from "../protocol/http/percent-encoding.ts";
import { cookies } from "../web/cookies.ts";

const FORM = /^application\/x-www-form-urlencoded(?:$|[;\s])/i;

/** A request whose body is complete. You can keep it. */
export class WebRequest {
  /** @internal */
  readonly exchange: Exchange;
  /** The body as it was received. */
  readonly content: Buffer;

  /** @internal Made by the server. */
  constructor(exchange: Exchange, content: Buffer) {
    this.exchange = exchange;
    this.content = content;
  }

  /** The method, as sent. */
  get method(): string {
    return this.exchange.method;
  }

  /** The path with the query, as sent. */
  get url(): string {
    return this.exchange.target;
  }

  /** The path without the query, in its normal form. */
  get path(): string {
    return this.exchange.path;
  }

  /** Header fields by lower-case name. */
  get headers(): Record<string, string> {
    return this.exchange.headers;
  }

  /** The body as UTF-8 text; `content` has the bytes. */
  get body(): string {
    return this.content.toString("utf8");
  }
}

/** Returns the value of a header field. @param name case-insensitive @returns undefined if it was not sent */
export function get_header(req: WebRequest, name: string): string | undefined {
  return req.exchange.header(name);
}

/** Returns the value of a cookie, or undefined if it was not sent. */
export function get_cookie(req: WebRequest, name: string): string | undefined {
  return cookies(req.exchange)[name];
}

/**
 * Returns a parameter: of the path (":name"), of the query, or of a form in the body (application/x-www-form-urlencoded), in
 * this order.
 */
export function get_param(req: WebRequest, name: string): string | undefined {
  for (const [known, value] of parametersOf(req)) if (known === name) return value;
  return undefined;
}

/** Calls a function with each parameter, in the order in which {@link get_param} looks for them. */
export function each_param(req: WebRequest, block: (name: string, value: string) => void): void {
  for (const [name, value] of parametersOf(req)) block(name, value);
}

function* parametersOf({ exchange, body }: WebRequest): Generator<[name: string, value: string]> {
  yield* Object.entries(exchange.params as Record<string, string>);
  yield* queryParameters(exchange.query);
  if (FORM.test(exchange.header("content-type") ?? "")) yield* queryParameters(body);
}
