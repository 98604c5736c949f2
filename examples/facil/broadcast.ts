// A chat: each message goes to all other clients, and the sender learns to how many. Text only.
import { HttpResponse, start_http_server, Websocket, type Ws, websocket_upgrade } from "portico/facil";

interface Message {
  readonly text: string;
  sent: number;
}

/** The task of a broadcast, for each connection but the sender's. */
function deliver(ws: Ws, message: Message): void {
  if (Websocket.write(ws, message.text) === 0) message.sent++;
}

/** The end of a broadcast. */
function report(sender: Ws | null, message: Message): void {
  if (sender !== null) Websocket.write(sender, `sent to ${message.sent}`);
}

await start_http_server(
  (request) => {
    if (request.upgrade) {
      websocket_upgrade({
        request,
        udata: request.query || "somebody",
        on_open: (ws) => Websocket.write(ws, `${Websocket.count(ws)} here`),
        on_message(ws, data, _size, is_text) {
          if (!is_text) return;
          const text = `${Websocket.get_udata(ws)}: ${data.toString()}`;
          Websocket.each<Message>(ws, deliver, { text, sent: 0 }, report);
        },
        on_shutdown: (ws) => Websocket.write(ws, "the server goes down"),
      });
      return;
    }
    const response = HttpResponse.create(request);
    HttpResponse.write_header(response, "Content-Type", "text/plain; charset=utf-8");
    HttpResponse.write_body(response, `${Websocket.count()} connected. Connect a WebSocket here: /?name\n`);
    HttpResponse.destroy(response);
  },
  null,
  {
    port: process.argv[2] ?? "3000",
    on_init: (server) => console.log(`Listening at http://127.0.0.1:${server.port}`),
  },
);
