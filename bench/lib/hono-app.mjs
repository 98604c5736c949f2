// The application that Hono serves, on whichever server.
import { Hono } from "hono";
import { BYTES, blobs, greeting, routeAnswer, routePattern, routes } from "./workload.mjs";

export const app = new Hono();

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
