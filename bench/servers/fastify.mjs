// Peer: fastify as its documentation shows it; it logs nothing by default.
import Fastify from "fastify";
import {
  BYTES,
  blobs,
  greeting,
  HOST,
  routeAnswer,
  routePattern,
  routes,
  secure,
  TEXT,
  tlsOptions,
} from "../lib/workload.mjs";

// The type of an application over TLS is another one; what is used here is the same.
const app = Fastify(/** @type {{}} */ (secure ? { https: tlsOptions() } : {}));

app.get("/", (_request, reply) => reply.type(TEXT).send(greeting));
for (const [path, blob] of Object.entries(blobs)) {
  app.get(path, (_request, reply) => reply.type(BYTES).send(blob));
}
for (const route of routes) {
  app.get(routePattern(route), ({ params, headers }, reply) => {
    const { id, item } = /** @type {{ id: string, item: string }} */ (params);
    const { "user-agent": agent, "accept-language": language, cookie } = headers;
    reply.type(TEXT).send(routeAnswer(id, item, agent, language, cookie));
  });
}
app.post("/echo", (request, reply) => reply.type(TEXT).send(request.body));

// Content of this type comes as a stream.
app.addContentTypeParser(BYTES, (_request, payload, done) => done(null, payload));
app.put("/upload", async (request, reply) => {
  let count = 0;
  for await (const chunk of /** @type {AsyncIterable<Buffer>} */ (request.body)) count += chunk.length;
  return reply.type(TEXT).send(String(count));
});

const address = await app.listen({ port: 0, host: HOST });
console.log(new URL(address).port);
