// A chat with a status page: Portico's own API.
import { Server } from "portico";

const server = new Server();
let messages = 0;

server.websocket("/", {
  open: (socket) => socket.subscribe("chat"),
  message(_socket, data) {
    messages++;
    server.publish("chat", data, { binary: false });
  },
});
server.get("/status", (exchange) =>
  exchange.end(`${server.subscribers("chat")} online, ${messages} messages\n`),
);

process.once("SIGTERM", () => server.close());
const { port } = await server.listen({ host: "127.0.0.1", port: Number(process.argv[2] ?? 9001) });
console.log(`Chat at ws://127.0.0.1:${port}/`);
console.log(`Status at http://127.0.0.1:${port}/status`);
