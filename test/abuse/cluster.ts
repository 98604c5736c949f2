import cluster from "node:cluster";
import { Server } from "../../src/server/server.ts";
import { answer } from "./child.ts";

// Two workers of node:cluster that share a port; one that is killed is started again.

const WORKERS = 2;

if (cluster.isPrimary) {
  let port = 0;
  const first = new Promise<void>((resolve) => {
    let serving = 0;
    cluster.on("listening", (_, address) => {
      port = address.port;
      if (++serving === WORKERS) resolve();
    });
  });
  cluster.on("exit", () => cluster.fork());
  // Port 0 is the same one for all workers.
  for (let i = 0; i < WORKERS; i++) cluster.fork();
  await first;
  answer({ port: () => port });
} else {
  const server = new Server();
  server.get("/", (exchange) => exchange.end(`${process.pid} 0`));
  server.websocket("/", {
    open: (socket) => socket.send(`${process.pid} 0`),
    message: (socket, data, binary) => socket.send(data, { binary }),
  });
  await server.listen({ host: "127.0.0.1" });
}
