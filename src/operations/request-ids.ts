import type { Exchange } from "../exchange/exchange.ts";
import { checkOptions, type OptionNames } from "../options/check-options.ts";
import { checkFieldName } from "../protocol/http/field-lines.ts";
import { subnets } from "../protocol/proxy/subnets.ts";
import type { Server } from "../server/server.ts";

export interface RequestIdOptions {
  /** The header field with the id, in requests and responses. Default "X-Request-Id". */
  field?: string;
  /**
   * The proxies whose ids are used: addresses, subnets, "loopback", "link-local" or "private". `true` uses the ids of
   * all clients. Default: none.
   */
  trust?: readonly string[] | boolean;
}

const requestIdOptionNames: OptionNames<RequestIdOptions> = {
  field: true,
  trust: true,
};

/** What a log or a URL can take as it is. */
const WELL_FORMED = /^[\w.~:/+=@-]{1,128}$/;

const taken = new WeakMap<object, string>();

/**
 * Gives each request an id: that of a trusted proxy, or a UUID. Use it with `server.mount`. Every response has it as a
 * header field, including errors. {@link requestId} returns it.
 * @throws RangeError for an invalid `trust`; FieldError for a `field` that is not a name; TypeError for an unknown
 *   option
 */
export function requestIds(options: RequestIdOptions = {}): (server: Server) => void {
  checkOptions("requestIds", options, requestIdOptionNames);
  checkFieldName(options.field ?? "X-Request-Id");
  const { field = "X-Request-Id", trust = false } = options;
  const isTrusted = typeof trust === "boolean" ? () => trust : subnets(trust);
  return (server) => {
    server.onRequest((exchange) => {
      const given = exchange.header(field);
      if (given !== undefined && WELL_FORMED.test(given) && isTrusted(exchange.remoteAddress)) {
        taken.set(exchange, given);
      }
      exchange.setHeader(field, requestId(exchange));
    });
  };
}

/** Returns the id of a request: that of a trusted proxy ({@link requestIds}), or a UUID that `server.find` accepts. */
export function requestId(exchange: Pick<Exchange, "id">): string {
  return taken.get(exchange) ?? exchange.id;
}
