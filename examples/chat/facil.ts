// A chat with a status page: portico/facil. Callbacks run at once; `each` reaches all connections of the process.
import {
  type HttpRequest,
  HttpResponse,
  start_http_server,
  Websocket,
  type Ws,
  websocket_upgrade,
} from "portico/facil";

let messages = 0;

function on_message(_ws: Ws, data: Buffer): void {
  messages++;
  const copy = Buffer.from(data); // the data is valid during the call only
  Websocket.each(null, (peer) => Websocket.write(peer, copy, copy.length, 1), null);
}

function on_request(request: HttpRequest): void {
  if (request.upgrade) {
    websocket_upgrade({ request, on_message });
    return;
  }
  const response = HttpResponse.create(request);
  HttpResponse.write_body(response, `${Websocket.count()} online, ${messages} messages\n`);
  HttpResponse.destroy(response);
}

await start_http_server(on_request, null, {
  address: "127.0.0.1",
  port: process.argv[2] ?? "9001",
  on_init(server) {
    console.log(`Chat at ws://127.0.0.1:${server.port}/`);
    console.log(`Status at http://127.0.0.1:${server.port}/status`);
  },
});
