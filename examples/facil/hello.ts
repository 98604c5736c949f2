import cluster from "node:cluster";
import { isMainThread } from "node:worker_threads";
import {
  type HttpRequest,
  HttpResponse,
  start_http_server,
  Websocket,
  type Ws,
  websocket_upgrade,
} from "portico/facil";

// Concurrency using threads? How many threads serve?
const THREAD_COUNT = Number(process.argv[3] ?? 4);
// Concurrency using processes? (more than a single process can be used)
const PROCESS_COUNT = Number(process.argv[4] ?? 1);

// Our WebSocket service: echo.
function ws_echo(ws: Ws, data: Buffer, size: number, is_text: 0 | 1): void {
  // echoes the data to the current WebSocket
  Websocket.write(ws, data, size, is_text);
}

// Our HTTP callback: hello world.
function on_request(request: HttpRequest): void {
  if (request.upgrade) {
    // "upgrade" to the WebSocket protocol, if requested
    websocket_upgrade({ request, on_message: ws_echo });
    return;
  }
  const response = HttpResponse.create(request);
  HttpResponse.write_body(response, "Hello World!", 12);
  HttpResponse.destroy(response);
}

// Our main program starts the HTTP server.
await start_http_server(on_request, null, {
  port: process.argv[2] ?? "8080", // default is "3000"
  threads: THREAD_COUNT,
  processes: PROCESS_COUNT,
  on_init(server) {
    if (isMainThread && (cluster.worker?.id ?? 1) === 1)
      console.log(`Listening at http://127.0.0.1:${server.port}`);
  },
});
