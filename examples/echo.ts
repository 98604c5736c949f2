import { Server } from "portico";

const server = new Server();

server.get("/", (exchange) => exchange.end("Connect a WebSocket here: everything comes back.\n"));
server.websocket("/", {
  message: (socket, data, binary) => socket.send(data, { binary }),
});

const listener = await server.listen({ port: Number(process.argv[2] ?? 9001) });
console.log(`Listening at ${listener.url}`);
