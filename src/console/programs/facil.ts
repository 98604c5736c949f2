// Callbacks in the style of C: each message goes to all other clients, and then the sender learns how many there were.
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
  if (sender !== null) Websocket.write(sender, `sent to ${message.sent} others`);
}

export function start(): Promise<{ url: string; stop(): Promise<void> }> {
  let guests = 0;
  return new Promise((resolve, reject) => {
    const stopped = start_http_server(
      (request) => {
        if (request.upgrade) {
          websocket_upgrade({
            request,
            udata: `connection ${++guests}`,
            on_open: (ws) => Websocket.write(ws, `you are ${Websocket.get_udata(ws)}`),
            on_message(ws, data) {
              const text = `${Websocket.get_udata(ws)} says: ${data.toString()}`;
              Websocket.each<Message>(ws, deliver, { text, sent: 0 }, report);
            },
          });
          return;
        }
        const response = HttpResponse.create(request);
        HttpResponse.write_body(response, `${Websocket.count()} connected\n`);
        HttpResponse.destroy(response);
      },
      null,
      {
        address: "127.0.0.1",
        port: 0,
        signals: false,
        grace: 1,
        on_init(server) {
          const stop = (): Promise<void> => {
            server.stop();
            return stopped;
          };
          resolve({ url: `http://127.0.0.1:${server.port}/`, stop });
        },
      },
    );
    stopped.catch(reject);
  });
}
