// portico/craftos: a callback for each request, or a loop for each client.
import { createHttp } from "../../dist/craftos/index.js";
import { BYTES, blobs, greeting, HOST, MAX_MESSAGE_BYTES, protocol, TEXT } from "../lib/workload.mjs";

/** @typedef {import("../../dist/craftos/index.js").ClientHandle} ClientHandle */

const http = createHttp({ host: HOST, maxWebSocketMessage: MAX_MESSAGE_BYTES });

/** @param {ClientHandle} client */
async function echo(client) {
  for (let got = await client.receive(); got !== null; got = await client.receive()) client.send(...got);
}

if (protocol === "websocket") {
  const server = http.websocketServer(0);
  if (Array.isArray(server)) throw new Error(server[1]);
  console.log(server.port);
  for (let client = await server.listen(); client !== null; client = await server.listen()) void echo(client);
} else {
  const served = http.listen(0, (request, response) => {
    const url = request.getURL();
    const blob = url === "/64k" || url === "/1m" ? blobs[url] : undefined;
    response.setResponseHeader("Content-Type", blob === undefined ? TEXT : BYTES);
    response.write(blob ?? (url === "/echo" ? request.readAllBytes() : greeting));
    response.close();
  });
  console.log(http.ports[0]);
  await served;
}
