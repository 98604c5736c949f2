import { channel } from "node:diagnostics_channel";
import { Server } from "portico";
import { console as consolePart } from "portico/console";
import { worker } from "portico/workers";

// A program with a console, on the built package: the console's files are part of it.
const server = new Server({ onError: () => {} });
server.mount(consolePart());
server.get("/", () => ({ id: worker?.id, pid: process.pid }));
server.get("/item/:id", () => "an item");
server.get("/watched", () => String(channel("portico:response").hasSubscribers));
server.get("/fails", () => {
  throw new Error(`worker ${worker?.id} fails`);
});
server.websocket("/lobby", { open: (socket) => socket.subscribe("lobby") });
await server.listen({ host: "127.0.0.1", port: 0 });
