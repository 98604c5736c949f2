// portico/facil: one callback for all requests, which is also where WebSockets begin.
import { HttpResponse, start_http_server, Websocket, websocket_upgrade } from "../../dist/facil/index.js";
import { BYTES, blobs, greeting, HOST, MAX_MESSAGE_BYTES, TEXT } from "../lib/workload.mjs";

/** @typedef {import("../../dist/facil/index.js").HttpRequest} HttpRequest */

Websocket.max_msg_size = MAX_MESSAGE_BYTES;

/** @param {HttpRequest} request */
function serve(request) {
  if (request.upgrade) {
    websocket_upgrade({
      request,
      on_message: (ws, data, size, isText) => Websocket.write(ws, data, size, isText),
    });
    return;
  }
  const { path } = request;
  const blob = path === "/64k" || path === "/1m" ? blobs[path] : undefined;
  const response = HttpResponse.create(request);
  HttpResponse.write_header(response, "Content-Type", blob === undefined ? TEXT : BYTES);
  HttpResponse.write_body(response, blob ?? (path === "/echo" ? (request.body ?? "") : greeting));
  HttpResponse.destroy(response);
}

await start_http_server(serve, null, {
  port: 0,
  address: HOST,
  on_init: (server) => console.log(server.port),
});
