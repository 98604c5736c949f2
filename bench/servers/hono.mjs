// Peer: Hono on @hono/node-server as its documentation shows it.
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import {
  BYTES,
  blobs,
  greeting,
  HOST,
  routeAnswer,
  routePattern,
  routes,
  secure,
  tlsOptions,
} from "../lib/workload.mjs";

const app = new Hono();

app.get("/", (context) => context.text(greeting));
for (const [path, blob] of Object.entries(blobs)) {
  app.get(path, (context) => context.body(blob, 200, { "Content-Type": BYTES }));
}
for (const route of routes) {
  app.get(routePattern(route), ({ req, text }) => {
    const { id, item } = /** @type {Record<string, string>} */ (req.param());
    return text(
      routeAnswer(id, item, req.header("user-agent"), req.header("accept-language"), req.header("cookie")),
    );
  });
}
app.post("/echo", async (context) => context.text(await context.req.text()));
app.put("/upload", async (context) => {
  let count = 0;
  for await (const chunk of context.req.raw.body ?? []) count += chunk.length;
  return context.text(String(count));
});

const settings = { fetch: app.fetch, port: 0, hostname: HOST };
serve(
  secure
    ? { ...settings, createServer: createSecureServer, serverOptions: tlsOptions() }
    : { ...settings, createServer },
  ({ port }) => console.log(port),
);
