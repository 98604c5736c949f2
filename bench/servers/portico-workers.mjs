// Portico in WORKERS processes that share a port, or in this one alone; prints the port when all of them serve.
import { createHash } from "node:crypto";
import { Server } from "../../dist/index.js";
import { runWorkers, worker } from "../../dist/workers/index.js";
import { serve } from "../lib/portico-program.mjs";
import { HASHED_BYTES, PUBLISHED } from "../lib/workload.mjs";

const workers = Number(process.env["WORKERS"]);
if (worker !== undefined || workers === 0) {
  const server = new Server();
  const bytes = Buffer.alloc(HASHED_BYTES);
  server.get("/hash", () => createHash("sha256").update(bytes).digest("hex"));
  // Publishes so many messages in each turn, and answers when all have been published.
  server.get("/publish/:each", async ({ params }) => {
    const each = Number(params.each);
    for (let sent = 0; sent < PUBLISHED; sent += each) {
      for (let index = 0; index < each; index++) server.publish("topic", "x".repeat(64));
      await new Promise((resolve) => setImmediate(resolve));
    }
    return "published";
  });
  server.websocket("/subscribe", {
    open(socket) {
      socket.send(`${worker?.id}`);
      socket.subscribe("topic");
    },
  });
  const port = await serve(server);
  if (workers === 0) console.log(port);
} else {
  let ready = 0;
  await runWorkers({
    module: import.meta.url,
    workers,
    onEvent: (event) => {
      if (event.type === "ready" && ++ready === workers) console.log(event.port);
    },
  });
}
