// Portico with a broker on Redis: a message of a client goes to all clients of all processes.
import { createClient } from "@redis/client";
import { redisBroker } from "../../dist/brokers/index.js";
import { Server } from "../../dist/index.js";

const client = createClient({ url: `redis://127.0.0.1:${process.argv[2]}` });
client.on("error", console.error);
await client.connect();
const server = new Server({ broker: redisBroker(client) });
server.websocket("/", {
  open: (socket) => socket.subscribe("all"),
  message: (_socket, data) => server.publish("all", data.toString()),
});
console.log((await server.listen({ port: 0, host: "127.0.0.1" })).port);
