// A server at the sockets that it is started with; see activated-sockets.test.ts.

import { activatedSockets } from "../../src/operations/activated-sockets.ts";
import { Server } from "../../src/server/server.ts";

const server = new Server();
const sockets = activatedSockets();
const left = Object.keys(process.env).filter((name) => name.startsWith("LISTEN_"));
server.get("/", (exchange) => {
  exchange.end(JSON.stringify({ sockets, left, again: activatedSockets() }));
  void server.close();
});
for (const socket of sockets) await server.listen(socket);
