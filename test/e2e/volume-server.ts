import { Server } from "../../src/server/server.ts";

// The server of the volume test, in a process of its own so that what it leaves behind can be told.
const server = new Server();

server.post("/echo/:number", async (exchange) => {
  exchange.setHeader("X-Number", exchange.params.number);
  exchange.end(await exchange.bytes());
});
server.websocket("/echo", {
  message(socket, data, binary) {
    socket.send(data, { binary });
  },
});
server.get("/report", (exchange) => {
  globalThis.gc?.();
  exchange.end(
    JSON.stringify({
      heapBytes: process.memoryUsage().heapUsed,
      externalBytes: process.memoryUsage().external,
      resources: process.getActiveResourcesInfo().length,
      openConnections: server.counters.openConnections,
      openWebSockets: server.counters.openWebSockets,
      requests: server.counters.requests,
      messagesReceived: server.counters.messagesReceived,
      messagesSent: server.counters.messagesSent,
      errors: { ...server.counters.errors },
    }),
  );
});

const listener = await server.listen({ host: "127.0.0.1" });
console.log(listener.url);
