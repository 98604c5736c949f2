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
export { Server } from "./server.ts";
