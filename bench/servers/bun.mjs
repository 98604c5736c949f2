// Peer: Bun.serve as its documentation shows it, run by Bun itself.
import {
  BYTES,
  blobs,
  greeting,
  HOST,
  MAX_MESSAGE_BYTES,
  MAX_UPLOAD_BYTES,
  paths,
  protocol,
  routeAnswer,
  routePattern,
  routes,
  secure,
  TEXT,
  tlsOptions,
} from "../lib/workload.mjs";

const text = { headers: { "Content-Type": TEXT } };
const bytes = { headers: { "Content-Type": BYTES } };

/** @type {Parameters<typeof Bun.serve>[0]["routes"]} */
const table = {
  "/": () => new Response(greeting, text),
  "/echo": { POST: async (request) => new Response(await request.text(), text) },
  "/upload": {
    PUT: async (request) => {
      let count = 0;
      for await (const chunk of request.body ?? []) count += chunk.length;
      return new Response(String(count), text);
    },
  },
};
for (const [path, blob] of Object.entries(blobs)) table[path] = () => new Response(blob, bytes);
for (const route of routes) {
  table[routePattern(route)] = ({ params: { id, item }, headers }) => {
    const [agent, language, cookie] = [
      headers.get("user-agent") ?? "",
      headers.get("accept-language") ?? "",
      headers.get("cookie") ?? "",
    ];
    return new Response(routeAnswer(id, item, agent, language, cookie), text);
  };
}
if (protocol === "websocket") {
  for (const path of Object.values(paths)) {
    const topic = path === paths.topic || path === paths.topicDeflate;
    table[path] = (request, server) =>
      server.upgrade(request, { data: { path, topic } }) ? undefined : new Response("", { status: 426 });
  }
}

const server = Bun.serve({
  port: 0,
  hostname: HOST,
  ...(secure && { tls: tlsOptions() }),
  maxRequestBodySize: MAX_UPLOAD_BYTES,
  routes: table,
  websocket: {
    perMessageDeflate: true,
    maxPayloadLength: MAX_MESSAGE_BYTES,
    open(socket) {
      if (socket.data.topic) socket.subscribe(socket.data.path);
    },
    message(socket, data) {
      const { path, topic } = socket.data;
      const compress = path === paths.deflate || path === paths.topicDeflate;
      if (topic) server.publish(path, data, compress);
      else socket.send(data, compress);
    },
  },
});
console.log(server.port);
