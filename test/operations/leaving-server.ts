// A server in a process of its own that is told to end by signals; see shutdown.test.ts.
import { setTimeout as sleep } from "node:timers/promises";
import { health } from "../../src/operations/health.ts";
import { shutdownOnSignals } from "../../src/operations/shutdown.ts";
import { Server } from "../../src/server/server.ts";
import { answer, planOf } from "../abuse/child.ts";

const { readyDelayMs } = planOf<{ readyDelayMs: number }>();
const server = new Server();
server.mount(health());
server.get("/work", async (exchange) => {
  await sleep(5);
  exchange.end("done");
});
server.get("/held", () => {});
const { port } = await server.listen({ host: "127.0.0.1" });
shutdownOnSignals(server, { readyDelayMs, graceMs: 30_000, onDone: () => process.disconnect() });
answer({ port: () => port });
