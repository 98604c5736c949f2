// Peer: ws with plain Redis, as tutorials show it: each process publishes, and sends what comes back to its clients.
import { createClient } from "@redis/client";
import { WebSocketServer } from "ws";

const client = createClient({ url: `redis://127.0.0.1:${process.argv[2]}` });
client.on("error", console.error);
await client.connect();
const subscriber = client.duplicate();
subscriber.on("error", console.error);
await subscriber.connect();
const server = new WebSocketServer({ port: 0, host: "127.0.0.1" }, () => {
  const address = server.address();
  if (address !== null && typeof address === "object") console.log(address.port);
});
server.on("connection", (socket) => {
  socket.on("error", console.error);
  socket.on("message", (data) => void client.publish("all", data.toString()));
});
await subscriber.subscribe("all", (message) => {
  for (const socket of server.clients) socket.send(message);
});
