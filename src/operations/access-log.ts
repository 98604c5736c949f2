import type { Exchange } from "../engine/exchange.ts";
import type { Outcome } from "../engine/observers.ts";
import type { Server } from "../engine/server.ts";
import { defaultSecrets, printable, redactedFields, redactedQuery } from "./redact.ts";
import { requestId } from "./request-ids.ts";
import type { Client } from "./trusted-proxies.ts";

/**
 * One line of the log. Strings of a peer have no control characters, which a terminal would obey: they are spelled out,
 * such as "\x9b". Spaces and quotation marks are as they were sent.
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
  /** The peer, or whom the trusted proxies name. */
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
  /** Whose request it is: what `trustedProxies` makes. Default: the peer's. */
  client?: (exchange: Exchange) => Client;
  /** Log the query, too. Default false: queries carry names, searches and tokens. */
  query?: boolean;
  /** Further header fields of the request that are logged, by name. */
  fields?: readonly string[];
  /**
   * Names of header fields and of parameters of the query whose values are replaced, in any case, beside those that are
   * known: Authorization, Cookie, token, password and the like.
   */
  redact?: readonly string[];
  /** Leaves a request out when it answers true, such as those for health. */
  skip?: (exchange: Exchange) => boolean;
}

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
  const { client, query = false, fields = [], skip } = options;
  const secrets = new Set([...defaultSecrets, ...(options.redact ?? [])].map((name) => name.toLowerCase()));
  const addressOf = (exchange: Exchange): string | undefined =>
    client === undefined ? exchange.remoteAddress : client(exchange).address;
  return (server) => {
    const addresses = new WeakMap<Exchange, string | undefined>();
    // A socket that is gone does not know its peer any more.
    server.onRequest((exchange) => void addresses.set(exchange, addressOf(exchange)));
    server.onResponse((exchange, { outcome, status, durationMs }) => {
      if (skip?.(exchange)) return undefined;
      const userAgent = exchange.header("user-agent");
      const record: AccessRecord = {
        id: requestId(exchange),
        method: exchange.method,
        path: exchange.path,
        ...(query ? { query: redactedQuery(exchange.query, secrets) } : {}),
        route: exchange.route,
        status,
        outcome,
        durationMs: Math.round(durationMs * 1_000) / 1_000,
        bytes: exchange.offset,
        remoteAddress: addresses.get(exchange) ?? addressOf(exchange),
        userAgent: userAgent === undefined ? undefined : printable(userAgent),
        ...(fields.length > 0 ? { fields: redactedFields(exchange, fields, secrets) } : {}),
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
