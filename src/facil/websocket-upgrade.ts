import { callHandler } from "../delivery/call-handler.ts";
import type { OpenHandlers } from "../exchange/exchange.ts";
import { checkOptions, type OptionNames } from "../options/check-options.ts";
import { checkUpgrade } from "../protocol/websocket/handshake.ts";
import { type DeflateOptions, deflateSettings } from "../protocol/websocket/permessage-deflate.ts";
import type { HttpRequest } from "./http-request.ts";
import type { HttpResponse } from "./http-response.ts";
import { type WebsocketCallbacks, Ws } from "./ws.ts";

/** Settings of {@link websocket_upgrade}: the request, its response, and the callbacks of the WebSocket. */
export interface WebsocketSettings extends WebsocketCallbacks {
  request: HttpRequest;
  /** The handshake response includes its header fields and cookies. */
  response?: HttpResponse;
  /** permessage-deflate (RFC 7692) for clients that offer it. Default true. */
  compression?: boolean | DeflateOptions;
}

const websocketSettingNames: OptionNames<WebsocketSettings> = {
  request: true,
  response: true,
  compression: true,
  on_message: true,
  on_open: true,
  on_shutdown: true,
  on_close: true,
  udata: true,
};

const handlers: OpenHandlers<Ws> = {
  open: (socket) => socket.data.dispatchOpen(socket),
  message: (socket, data, binary) => socket.data.dispatchMessage(data, binary),
  close: (socket) => socket.data.dispatchClose(),
};

/**
 * Turns the connection of a request into a WebSocket. `on_open` is called before this returns.
 * @returns 0, or -1 if it failed. An invalid handshake has then been answered with 400, and `on_close` was called. Its
 *   connection has `udata`, but all other functions return -1 or undefined for it
 * @throws RangeError for compression settings out of range, TypeError for an unknown setting
 */
export function websocket_upgrade(settings: WebsocketSettings): 0 | -1 {
  checkOptions("websocket_upgrade", settings, websocketSettingNames);
  const { request, response, compression = true } = settings;
  if (typeof compression === "object") deflateSettings(compression);
  const { exchange } = request;
  const ws = new Ws(settings, request.server);
  refuseInvalid(request);
  response?.applyFields();
  // `on_message` lends its data in the original, too.
  const options = { data: ws, compression, lent: true, ...request.server.webSocketTimeouts() };
  const done = exchange.upgrade(handlers, options);
  request.removeFile();
  if (done) return 0;
  callHandler(() => ws.dispatchClose(), console.error);
  return -1;
}

/** Any invalid handshake is answered with 400 here, where the engine would choose between 400, 405 and 426. */
function refuseInvalid(request: HttpRequest): void {
  const { exchange } = request;
  const { method, requestHead } = exchange;
  const { minorVersion } = requestHead;
  const check = checkUpgrade({ method, minorVersion, header: (name) => exchange.header(name) });
  if (!check.ok) exchange.driver.refuse(400, { "Sec-WebSocket-Version": "13" });
}
