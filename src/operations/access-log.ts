import type { Outcome } from "../connection/http-context.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { checkOptions, type OptionNames } from "../options/check-options.ts";
import type { Server } from "../server/server.ts";
import { printable, redactedFields, redactedQuery } from "./redact.ts";
import { requestId } from "./request-ids.ts";
import { secretNames } from "./secret-names.ts";
import type { Client } from "./trusted-proxies.ts";

/**
 * One line of the log. Control characters in text from clients are escaped, such as "\x9b", because a terminal would obey
 * them. Spaces and quotation marks stay as they were sent.
 */
export interface AccessRecord {
  /** {@link requestId} of the exchange. */
  readonly id: string;
  readonly method: string;
  /** As sent, without the query. */
  readonly path: string;
  /** With `query: true`, secrets replaced. */
  readonly query?: string;
  /** The pattern of the route; "" when there was none. */
  readonly route: string;
  /** What was sent; 0 when nothing was. */
  readonly status: number;
  readonly outcome: Outcome;
  /** From the head of the request to the end of the response, rounded to microseconds. */
  readonly durationMs: number;
  /** Content of the response. */
  readonly bytes: number;
  /** The other end of the socket, or the client that the trusted proxies name. */
  readonly remoteAddress: string | undefined;
  readonly userAgent: string | undefined;
  /** Those of `fields`, secrets replaced. */
  readonly fields?: Record<string, string>;
}

/** What pino, bunyan, winston and console have. */
export interface AccessLogger {
  info(record: AccessRecord, message: string): unknown;
  warn(record: AccessRecord, message: string): unknown;
  error(record: AccessRecord, message: string): unknown;
}

export interface AccessLogOptions {
  /** Finds the client: a function that `trustedProxies` makes. Default: the other end of the socket. */
  client?: (exchange: Exchange) => Client;
  /** Log the query, too. Default false: queries carry names, searches and tokens. */
  query?: boolean;
  /** Further header fields of the request that are logged, by name. */
  fields?: readonly string[];
  /**
   * Names of header fields and of parameters of the query whose values are replaced, in any style, in addition to those
   * that are known by their words: Authorization, Cookie, accessToken, user[password], api-key and the like.
   */
  redact?: readonly string[];
  /** Leaves a request out when it answers true, such as those for health. */
  skip?: (exchange: Exchange) => boolean;
}

const accessLogOptionNames: OptionNames<AccessLogOptions> = {
  client: true,
  query: "boolean",
  fields: true,
  redact: true,
  skip: true,
};

const MESSAGE = "request";

/**
 * Writes one record for each request when it has ended, for `server.mount`. With a logger: `error` from 500 on,
 * `warn` from 400 on and for what was broken off, `info` otherwise.
 * @param log a logger such as `pino()`, or a function
 */
export function accessLog(
  log: AccessLogger | ((record: AccessRecord) => unknown),
  options: AccessLogOptions = {},
): (server: Server) => void {
  checkOptions("accessLog", options, accessLogOptionNames);
  const { client, query = false, fields = [], skip } = options;
  const isSecret = secretNames(options.redact);
  const addressOf = (exchange: Exchange): string | undefined =>
    client === undefined ? exchange.remoteAddress : client(exchange).address;
  return (server) => {
    const addresses = new WeakMap<Exchange, string | undefined>();
    // A socket that is gone does not know its peer any more.
    server.onRequest((exchange) => void addresses.set(exchange, addressOf(exchange)));
    server.onResponse((exchange, { outcome, status, durationMs }) => {
      // A promise, which a program in JavaScript may return, leaves nothing out.
      if (skip?.(exchange) === true) return undefined;
      const userAgent = exchange.header("user-agent");
      const record: AccessRecord = {
        id: requestId(exchange),
        method: exchange.method,
        path: exchange.requestHead.path,
        ...(query ? { query: redactedQuery(exchange.query, isSecret) } : {}),
        route: exchange.route,
        status,
        outcome,
        durationMs: Math.round(durationMs * 1_000) / 1_000,
        bytes: exchange.offset,
        remoteAddress: addresses.get(exchange) ?? addressOf(exchange),
        userAgent: userAgent === undefined ? undefined : printable(userAgent),
        ...(fields.length > 0 ? { fields: redactedFields(exchange, fields, isSecret) } : {}),
      };
      // A promise that a logger returns is the hook's: when it rejects, `onError` is told.
      return typeof log === "function" ? log(record) : log[levelOf(status, outcome)](record, MESSAGE);
    });
  };
}

function levelOf(status: number, outcome: Outcome): "info" | "warn" | "error" {
  if (status >= 500) return "error";
  return status >= 400 || outcome === "aborted" ? "warn" : "info";
}
