// A server and three clients in memory whose logs debug-log.test.ts reads: a request, one that is invalid, a WebSocket.
import { setImmediate as turn } from "node:timers/promises";
import { Server } from "../../src/server/server.ts";
import { MemoryTransport } from "../../src/transport/memory-transport.ts";
import { CLOSE, closePayload, frame, PING, TEXT } from "../support/frames.ts";
import { handshake } from "../support/web-socket-handshake.ts";

const server = new Server();
server.get("/hello", (exchange) => void exchange.setHeader("Date", "x").end("hi"));
server.websocket("/", { message: (socket, data, binary) => void socket.send(data, { binary }) });

async function send(...pieces: readonly string[]): Promise<void> {
  const [client, accepted] = MemoryTransport.pair();
  server.accept(accepted);
  for (const piece of pieces) {
    client.writeText(piece);
    for (let i = 0; i < 10; i++) await turn();
  }
  client.end();
  for (let i = 0; i < 10; i++) await turn();
}

await send("GET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
await send("GET\r\n\r\n");
await send(
  handshake("/"),
  frame(TEXT, "hé\n").toString("latin1"),
  frame(PING).toString("latin1"),
  frame(CLOSE, closePayload(1000, "bye")).toString("latin1"),
);
await server.close();
