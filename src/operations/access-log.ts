import type { Outcome } from "../connection/http-context.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { checkOptions, type OptionNames } from "../options/check-options.ts";
import type { Server } from "../server/server.ts";
import { printable, redactedFields, redactedQuery } from "./redact.ts";
import { requestId } from "./request-ids.ts";
import { secretNames } from "./secret-names.ts";
import type { Client } from "./trusted-proxies.ts";

/**
 * One line of the log. Control characters in text from clients are escaped, such as "\x9b", because a terminal would
 * execute them. Spaces and quotation marks stay as they were sent.
 */
export interface AccessRecord {
  /** The {@link requestId} of the exchange. */
  readonly id: string;
  readonly method: string;
  /** The path as sent, without the query. */
  readonly path: string;
  /** The query, with secrets replaced. Only with `query: true`. */
  readonly query?: string;
  /** The pattern of the route; "" if none matched. */
  readonly route: string;
  /** The status that was sent; 0 if nothing was sent. */
  readonly status: number;
  readonly outcome: Outcome;
  /** The time from the head of the request to the end of the response, in milliseconds, rounded to microseconds. */
  readonly durationMs: number;
  /** The length of the response body in bytes. */
  readonly bytes: number;
  /** The address of the socket's other end, or of the client that trusted proxies report. */
  readonly remoteAddress: string | undefined;
  readonly userAgent: string | undefined;
  /** The header fields of the option `fields`, with secrets replaced. */
  readonly fields?: Record<string, string>;
}

/** The functions that pino, bunyan, winston and `console` have. */
export interface AccessLogger {
  info(record: AccessRecord, message: string): unknown;
  warn(record: AccessRecord, message: string): unknown;
  error(record: AccessRecord, message: string): unknown;
}

export interface AccessLogOptions {
  /** Finds the client. Pass the result of `trustedProxies`. Default: the other end of the socket. */
  client?: (exchange: Exchange) => Client;
  /** Logs the query, too. Default false: queries contain names, searches and tokens. */
  query?: boolean;
  /** The names of additional request header fields to log. */
  fields?: readonly string[];
  /**
   * The names of additional header fields and query parameters whose values are secret, in any style. Names such as
   * Authorization, Cookie, accessToken, user[password] and api-key are recognized automatically.
   */
  redact?: readonly string[];
  /** Returns true for requests that are not logged, such as health checks. */
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
 * Writes one record for each request when it has ended. Use it with `server.mount`. A logger gets `error` for statuses
 * of at least 500, `warn` for those of at least 400 and for aborted requests, and `info` otherwise.
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
    // A closed socket no longer knows its remote address.
    server.onRequest((exchange) => void addresses.set(exchange, addressOf(exchange)));
    server.onResponse((exchange, { outcome, status, durationMs }) => {
      // A promise, which a JavaScript program can return, skips nothing.
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
