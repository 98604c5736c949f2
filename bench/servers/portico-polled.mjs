// Portico with deferred delivery, polled in a loop that does nothing else.
import { Server } from "../../dist/index.js";

const server = new Server({ delivery: "deferred" });
server.get("/", (exchange) => {
  exchange.setHeader("Content-Type", "text/plain");
  exchange.end("Hello, World!");
});
server.websocket("/*", {
  message(socket, data, binary) {
    socket.send(data, { binary });
  },
});
const listener = await server.listen({ port: 0, host: "127.0.0.1" });
console.log(listener.port);
setImmediate(function loop() {
  server.poll();
  setImmediate(loop);
});
