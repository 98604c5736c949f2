import type { Exchange } from "./exchange.ts";
import { globalsReplaced } from "./fetch-globals.ts";
import { platformRequest, platformTakesLight, requestOf } from "./fetch-request.ts";
import { respond } from "./fetch-response.ts";
import { urlOf } from "./request-url.ts";
import { isThenable } from "./thenable.ts";
import type { UpgradeOptions, WebSocketHandlers, WebSocketProgram } from "./web-socket-handlers.ts";

/**
 * Answers a request of the Fetch Standard, such as `app.fetch` of Hono and H3.
 * @returns the response, or a promise of it. What it throws or rejects with is reported and answered with 500
 */
export type FetchHandler = (request: Request, info: FetchInfo) => Response | Promise<Response>;

/** What a Request does not tell. */
export class FetchInfo {
  /** The same request, with all that Portico knows of it. Who answers there may return any Response: it is not sent. */
  readonly exchange: Exchange;

  /** Made by the server. */
  constructor(exchange: Exchange) {
    this.exchange = exchange;
  }

  /** The peer's address; undefined for a Unix socket. */
  get remoteAddress(): string | undefined {
    return this.exchange.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.exchange.remotePort;
  }

  /**
   * Makes the connection a WebSocket at once, or refuses a request that is no valid handshake with 400 or 426.
   * @returns what the handler is to return
   */
  upgrade<Data = undefined>(
    handlers: WebSocketHandlers<Data> | WebSocketProgram<Data>,
    options: UpgradeOptions<Data> = {},
  ): Response {
    const { exchange } = this;
    const status = exchange.upgrade(handlers, options) ? 200 : exchange.statusCode;
    return new Response(null, { status });
  }
}

/** Makes a handler of exchanges of one that takes a Request. */
export function fetchRoute(handler: FetchHandler): (exchange: Exchange) => unknown {
  return (exchange) => {
    const url = tryUrl(exchange);
    if (url === undefined) return exchange.refuse(400);
    const request = requestOf(exchange, url);
    // RFC 9110 §15.6.2: the method is not supported for any resource.
    if (request === undefined) return exchange.refuse(501);
    const light = platformTakesLight || globalsReplaced;
    const response: unknown = handler(light ? request : platformRequest(request), new FetchInfo(exchange));
    if (!isThenable(response)) return respond(exchange, response);
    return response.then((result) => respond(exchange, result));
  };
}

function tryUrl(exchange: Exchange): string | undefined {
  try {
    return urlOf(exchange);
  } catch {
    return undefined;
  }
}
