// A server and three clients in memory whose logs debug-log.test.ts reads: a request, one that is invalid, a WebSocket.
import { setImmediate as turn } from "node:timers/promises";
import { Server } from "../../src/server/server.ts";
import { MemoryTransport } from "../../src/transport/memory-transport.ts";

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

const masked = (first: number, text: string): string =>
  `${String.fromCharCode(first, 0x80 | text.length)}\0\0\0\0${text}`;

await send("GET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
await send("GET\r\n\r\n");
await send(
  "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
  masked(0x81, "h\xc3\xa9\n"),
  masked(0x89, ""),
  masked(0x88, "\x03\xe8bye"),
);
await server.close();
