import type { Exchange } from "../engine/exchange.ts";
import type { Server } from "../engine/server.ts";
import { subnets } from "../transport/subnets.ts";

export interface RequestIdOptions {
  /** The field that carries the id, in requests and answers. Default "X-Request-Id". */
  field?: string;
  /**
   * Whose ids are taken over: addresses, subnets, "loopback", "link-local", "private"; true: everybody's. Default: nobody's.
   */
  trust?: readonly string[] | boolean;
}

/** What a log or a URL can take as it is. */
const WELL_FORMED = /^[\w.~:/+=@-]{1,128}$/;

const taken = new WeakMap<object, string>();

/**
 * Gives each request an id, for `server.mount`: that of a trusted proxy, or a UUID. Every answer has it as a header
 * field, errors, too; {@link requestId} tells it.
 * @throws RangeError for a `trust` that is neither
 */
export function requestIds(options: RequestIdOptions = {}): (server: Server) => void {
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

/** The id of a request: that which {@link requestIds} took over, or its own, a UUID that `server.find` knows. */
export function requestId(exchange: Pick<Exchange, "id">): string {
  return taken.get(exchange) ?? exchange.id;
}
