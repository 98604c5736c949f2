// A chat with a status page: portico/craftos. One loop pulls all events.
import { type ClientHandle, createHttp, type EventOf } from "portico/craftos";

const http = createHttp({ host: "127.0.0.1" });
const clients = new Map<string, ClientHandle>();
let messages = 0;

const port = Number(process.argv[2] ?? 9001);
const chat = http.websocketServer(port);
if (Array.isArray(chat)) throw new Error(chat[1]);
http.addListener(port === 0 ? 0 : port + 1);
process.once("SIGTERM", () => http.queueEvent("stop"));
console.log(`Chat at ws://127.0.0.1:${chat.port}/`);
console.log(`Status at http://127.0.0.1:${http.ports[0]}/status`);

for await (const event of http.events()) {
  if (event[0] === "stop") break;
  if (event[0] === "websocket_server_connect") {
    const [, , client] = event as EventOf<"websocket_server_connect">;
    clients.set(client.clientID, client);
  } else if (event[0] === "websocket_server_closed") {
    clients.delete(String(event[1]));
  } else if (event[0] === "websocket_server_message") {
    messages++;
    for (const client of clients.values()) client.send(String(event[2]));
  } else if (event[0] === "http_request") {
    const [, , , response] = event as EventOf<"http_request">;
    response.write(`${clients.size} online, ${messages} messages\n`);
    response.close();
  }
}
await http.close();
