import { isThenable } from "../delivery/call-handler.ts";
import type { Answered } from "../exchange/answered.ts";
import type {
  Exchange,
  OpenHandlers,
  UpgradeOptions,
  WebSocketHandlers,
  WebSocketProgram,
} from "../exchange/exchange.ts";
import { hasReplacedGlobals } from "./fetch-globals.ts";
import { platformRequest, platformTakesLazy, requestOf } from "./fetch-request.ts";
import { respond } from "./fetch-response.ts";
import { urlOf } from "./request-url.ts";

/**
 * Answers a request of the Fetch Standard, such as `app.fetch` of Hono and H3.
 * @returns the response, or a promise of it. If it throws or rejects, `onError` receives the error, and the client gets
 *   500
 */
export type FetchHandler = (request: Request, info: FetchInfo) => Response | Promise<Response>;

/** Turns the connection into a WebSocket: see {@link FetchInfo.upgrade}. */
export interface FetchUpgrade {
  <Data = undefined>(
    handlers: OpenHandlers<Data> | WebSocketProgram<Data>,
    options?: UpgradeOptions<Data>,
  ): Response;
  <Data = undefined>(
    handlers: WebSocketHandlers<Data> | WebSocketProgram<Data>,
    options?: UpgradeOptions<Data>,
  ): Response | Promise<Response>;
}

/** Details of a request that are not part of `Request`. */
export class FetchInfo {
  /** The same request as an exchange. If you answer through the exchange, return any Response; it is ignored. */
  readonly exchange: Exchange;

  /** @internal Made by the server. */
  constructor(exchange: Exchange) {
    this.exchange = exchange;
  }

  /** The client's address; undefined for a Unix socket. */
  get remoteAddress(): string | undefined {
    return this.exchange.remoteAddress;
  }

  get remotePort(): number | undefined {
    return this.exchange.remotePort;
  }

  /**
   * Turns the connection into a WebSocket, or answers an invalid handshake with 400 or 426. An `upgrade` handler is
   * called first. You can destructure it from the object.
   * @returns the response for the handler to return; with an `upgrade` handler a promise of it
   */
  get upgrade(): FetchUpgrade {
    const { exchange } = this;
    const answer = (isUpgraded: boolean): Response =>
      new Response(null, { status: isUpgraded ? 200 : exchange.statusCode });
    function upgrade<Data = undefined>(
      handlers: OpenHandlers<Data> | WebSocketProgram<Data>,
      options?: UpgradeOptions<Data>,
    ): Response;
    function upgrade<Data = undefined>(
      handlers: WebSocketHandlers<Data> | WebSocketProgram<Data>,
      options?: UpgradeOptions<Data>,
    ): Response | Promise<Response>;
    function upgrade<Data>(
      handlers: WebSocketHandlers<Data> | WebSocketProgram<Data>,
      options?: UpgradeOptions<Data>,
    ): Response | Promise<Response> {
      const result = exchange.upgrade(handlers, options);
      return typeof result === "boolean" ? answer(result) : result.then(answer);
    }
    return upgrade;
  }
}

/** Turns a fetch handler into a handler of exchanges. */
export function fetchRoute(
  handler: FetchHandler,
): (exchange: Exchange) => PromiseLike<Answered | undefined> | undefined {
  return (exchange) => {
    const url = tryUrl(exchange);
    const request = url === undefined ? undefined : requestOf(exchange, url);
    if (request === undefined) {
      // RFC 9110 §15.6.2: the method is not supported for any resource.
      if (url === undefined) exchange.driver.fail(400, "HTTP_BAD_TARGET");
      else exchange.driver.fail(501, "HTTP_METHOD_UNKNOWN");
      return undefined;
    }
    const isLazyAccepted = platformTakesLazy() || hasReplacedGlobals;
    const response: unknown = handler(
      isLazyAccepted ? request : platformRequest(request),
      new FetchInfo(exchange),
    );
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
