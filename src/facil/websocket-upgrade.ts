import type { WebSocketHandlers } from "../engine/web-socket-handlers.ts";
import { checkUpgrade } from "../websocket/handshake.ts";
import { type DeflateOptions, deflateSettings } from "../websocket/permessage-deflate.ts";
import type { HttpRequest } from "./http-request.ts";
import type { HttpResponse } from "./http-response.ts";
import { runGuarded } from "./report.ts";
import { Ws } from "./ws.ts";

/** How a request becomes a WebSocket and what is done with it then. */
export interface WebsocketSettings {
  request: HttpRequest;
  /**
   * @param data lent for the call: the memory is used again afterwards, so copy what is to be kept
   * @param size its length in bytes
   * @param is_text 1 for text, which has been checked to be valid UTF-8; 0 for binary data
   */
  on_message(ws: Ws, data: Buffer, size: number, is_text: 0 | 1): unknown;
  /** The connection is established. At most once. */
  on_open?(ws: Ws): unknown;
  /** The server goes down; the connection is still open and may be written to. At most once, before `on_close`. */
  on_shutdown?(ws: Ws): unknown;
  /** The connection is over, or was not established. Once in any case. */
  on_close?(ws: Ws): unknown;
  /** Its header fields and cookies go into the answer to the handshake. */
  response?: HttpResponse;
  /** What `Websocket.get_udata` answers. */
  udata?: unknown;
  /** permessage-deflate (RFC 7692) for clients that offer it. Default true. */
  compression?: boolean | DeflateOptions;
}

const handlers: WebSocketHandlers<Ws> = {
  open: (socket) => socket.data.opened(socket),
  message: (socket, data, binary) => socket.data.received(data, binary),
  close: (socket) => socket.data.closed(),
};

/**
 * Makes the connection of a request a WebSocket. `on_open` is called before it returns.
 * @returns 0, or -1 when that was not possible: a request that is no valid handshake has been answered with 400, and
 *   `on_close` was called with a connection that has its data, but on which all else answers -1 or undefined
 * @throws RangeError for settings of the compression that are out of range
 */
export function websocket_upgrade(settings: WebsocketSettings): 0 | -1 {
  const { request, response, compression = true } = settings;
  if (typeof compression === "object") deflateSettings(compression);
  const { exchange } = request;
  const ws = new Ws(settings, request.server);
  refuseInvalid(request);
  response?.giveFields();
  const done = exchange.upgrade(handlers, { data: ws, compression, ...request.server.webSocketTimeouts() });
  request.release();
  if (done) return 0;
  runGuarded(() => ws.closed());
  return -1;
}

/** Any invalid handshake is answered with 400 here, where the engine would choose between 400, 405 and 426. */
function refuseInvalid(request: HttpRequest): void {
  const { exchange } = request;
  const { method, requestHead } = exchange;
  const { minorVersion } = requestHead;
  const check = checkUpgrade({ method, minorVersion, header: (name) => exchange.header(name) });
  if (!check.ok) exchange.refuse(400, { "Sec-WebSocket-Version": "13" });
}
