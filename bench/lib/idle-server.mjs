// A WebSocket server in a process of its own that tells what memory it uses.

import { WebSocketServer } from "ws";
import { WebSocketServer as EvoServer } from "../../dist/evo/index.js";
import { Server } from "../../dist/index.js";

const host = "127.0.0.1";
let clients = () => 0;

/** @returns {Promise<number>} */
async function listen() {
  if (process.argv[2] === "ws") {
    const server = new WebSocketServer({ port: 0, host, perMessageDeflate: false });
    server.on("connection", (socket) => socket.on("message", (data) => socket.send(data)));
    clients = () => server.clients.size;
    await new Promise((resolve) => server.once("listening", resolve));
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }
  if (process.argv[2] === "evo") {
    const server = new EvoServer({ host });
    clients = () => server.GetNumConnectedClients();
    return server.StartListening(0);
  }
  const server = new Server();
  server.websocket("/*", { message: (socket, data, binary) => socket.send(data, { binary }) });
  clients = () => server.counters.openWebSockets;
  return (await server.listen({ port: 0, host })).port;
}

const port = await listen();
process.on("message", () => {
  setTimeout(() => {
    globalThis.gc?.();
    const { rss, heapUsed } = process.memoryUsage();
    process.send?.({ clients: clients(), rss, heap: heapUsed });
  }, 200);
});
process.send?.(port);
