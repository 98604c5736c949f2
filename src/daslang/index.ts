export { NetworkCallbacks } from "./callbacks.ts";
export { Client } from "./client.ts";
export { HttpClient } from "./http-client.ts";
export type { ConnectionLimits, DeliveryLimits, ServerOptions } from "./limits.ts";
export {
  make_server,
  server_close,
  server_init,
  server_is_connected,
  server_is_open,
  server_restore,
  server_send,
  server_tick,
} from "./low-level.ts";
export type { NetworkServer, NetworkServerHolder, ServerInstance } from "./network-server.ts";
export type { NetworkWebServer, NetworkWebServerHolder, WebServerOptions } from "./network-web-server.ts";
export { Server } from "./server.ts";
export type { WebChannel } from "./web-channel.ts";
export type { WebRequest } from "./web-request.ts";
export { each_param, get_cookie, get_header, get_param } from "./web-request.ts";
export type { WebResponse } from "./web-response.ts";
export {
  JSON,
  REDIRECT,
  SERVE_FILE,
  set_content_type,
  set_cookie,
  set_header,
  TEXT_PLAIN,
} from "./web-response.ts";
export type { WebHandler } from "./web-server.ts";
export { WebServer } from "./web-server.ts";
export { WebSocketClient } from "./web-socket-client.ts";
