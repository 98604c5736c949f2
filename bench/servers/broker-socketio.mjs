// Peer: socket.io with its Redis streams adapter, both as their documentation shows them.

import { createServer } from "node:http";
import { createClient } from "@redis/client";
import { createAdapter } from "@socket.io/redis-streams-adapter";
import { Server } from "socket.io";

const client = createClient({ url: `redis://127.0.0.1:${process.argv[2]}` });
client.on("error", console.error);
await client.connect();
const http = createServer();
const server = new Server(http, { adapter: createAdapter(client) });
server.on("connection", (socket) => {
  socket.on("m", (/** @type {string} */ text) => server.emit("m", text));
});
http.listen(0, "127.0.0.1", () => {
  const address = http.address();
  if (address !== null && typeof address === "object") console.log(address.port);
});
