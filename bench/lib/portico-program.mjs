// The program that Portico serves, for each way in which its events are delivered.
import {
  BYTES,
  blobs,
  greeting,
  HOST,
  MAX_MESSAGE_BYTES,
  MAX_UPLOAD_BYTES,
  paths,
  routeAnswer,
  routePattern,
  routes,
  secure,
  TEXT,
  tlsOptions,
} from "./workload.mjs";

/** @typedef {import("../../dist/index.js").Server} Server */
/** @typedef {import("../../dist/index.js").WebSocketHandlers} WebSocketHandlers */

/** @param {Server} server @param {{ lent: boolean }} options @returns {Promise<number>} the port */
export async function serve(server, { lent } = { lent: false }) {
  addHttp(server, lent);
  addWebSockets(server, lent);
  const tls = secure ? { tls: tlsOptions() } : {};
  return (await server.listen({ port: 0, host: HOST, ...tls })).port;
}

/** @param {Server} server @param {boolean} lent */
function addHttp(server, lent) {
  server.get("/", (exchange) => {
    exchange.setHeader("Content-Type", TEXT);
    exchange.end(greeting);
  });
  for (const [path, blob] of Object.entries(blobs)) {
    server.get(path, (exchange) => {
      exchange.setHeader("Content-Type", BYTES);
      exchange.end(blob);
    });
  }
  for (const route of routes) {
    server.get(routePattern(route), (exchange) => {
      const { id, item } = exchange.params;
      const agent = exchange.header("user-agent");
      const language = exchange.header("accept-language");
      exchange.setHeader("Content-Type", TEXT);
      exchange.end(routeAnswer(id, item, agent, language, exchange.header("cookie")));
    });
  }
  server.post("/echo", async (exchange) => {
    const content = await exchange.bytes();
    exchange.setHeader("Content-Type", TEXT);
    exchange.end(content);
  });
  server.put(
    "/upload",
    (exchange) => {
      let count = 0;
      exchange.onBody(
        (chunk, last) => {
          count += chunk.length;
          if (last) exchange.setHeader("Content-Type", TEXT).end(String(count));
        },
        { lent },
      );
    },
    { maxBodyBytes: MAX_UPLOAD_BYTES },
  );
}

/** @param {Server} server @param {boolean} lent */
function addWebSockets(server, lent) {
  /** @type {WebSocketHandlers} */
  const echo = {
    message: (socket, data, binary) => socket.send(data, { binary }),
  };
  const limits = { maxMessageBytes: MAX_MESSAGE_BYTES, lent };
  server.websocket(paths.echo, echo, limits);
  server.websocket(paths.deflate, echo, { ...limits, compression: true });
  for (const path of [paths.topic, paths.topicDeflate]) {
    /** @type {WebSocketHandlers} */
    const broadcast = {
      open: (socket) => socket.subscribe(path),
      message: (_socket, data, binary) => server.publish(path, data, { binary }),
    };
    server.websocket(path, broadcast, { ...limits, compression: path === paths.topicDeflate });
  }
}
