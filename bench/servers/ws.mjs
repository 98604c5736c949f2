// Peer: ws as its documentation shows it, on one server for each path.
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { WebSocketServer } from "ws";
import { HOST, MAX_MESSAGE_BYTES, paths, secure, tlsOptions } from "../lib/workload.mjs";

const server = secure ? createSecureServer(tlsOptions()) : createServer();
/** @type {Map<string, WebSocketServer>} */
const servers = new Map();

for (const path of Object.values(paths)) {
  const perMessageDeflate = path === paths.deflate || path === paths.topicDeflate;
  const broadcasts = path === paths.topic || path === paths.topicDeflate;
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate, maxPayload: MAX_MESSAGE_BYTES });
  sockets.on("connection", (socket) => {
    socket.on("error", console.error);
    socket.on("message", (data, isBinary) => {
      if (!broadcasts) socket.send(data, { binary: isBinary });
      else for (const client of sockets.clients) client.send(data, { binary: isBinary });
    });
  });
  servers.set(path, sockets);
}

server.on("upgrade", (request, socket, head) => {
  const sockets = servers.get(request.url ?? "");
  if (sockets === undefined) socket.destroy();
  else sockets.handleUpgrade(request, socket, head, (client) => sockets.emit("connection", client, request));
});
server.listen(0, HOST, () => {
  const address = server.address();
  if (address !== null && typeof address === "object") console.log(address.port);
});
