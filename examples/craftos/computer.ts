// One computer, one queue: requests, WebSocket messages and the program's own clock come in order to one loop.
import { createHttp, type EventOf } from "portico/craftos";

const http = createHttp();
const port = Number(process.argv[2] ?? 8080);
http.addListener(port);
const sockets = http.websocketServer(port === 0 ? 0 : port + 1);
if (Array.isArray(sockets)) throw new Error(sockets[1]);
const clock = setInterval(() => http.queueEvent("timer", new Date().toISOString()), 100);
process.once("SIGTERM", () => http.queueEvent("terminate"));
console.log(`Listening at http://127.0.0.1:${http.ports[0]}/ and ws://127.0.0.1:${sockets.port}/`);

const log: string[] = [];
let running = true;
while (running) {
  const event = await http.pullEventRaw();
  switch (event[0]) {
    case "http_request": {
      const [, , , response] = event as EventOf<"http_request">;
      response.write(`${log.length} lines:\n${log.join("\n")}\n`);
      response.close();
      break;
    }
    case "websocket_server_message":
      log.push(String(event[2]));
      break;
    case "timer":
      log.splice(0, log.length - 100);
      break;
    case "terminate":
      running = false;
  }
}
clearInterval(clock);
await http.close();
