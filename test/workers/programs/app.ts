import client from "prom-client";
import { health } from "../../../src/operations/health.ts";
import { metrics } from "../../../src/operations/metrics.ts";
import { defaultBroker } from "../../../src/server/broker.ts";
import { Server } from "../../../src/server/server.ts";
import { worker } from "../../../src/workers/index.ts";

// The program that the workers of the tests run.
let isHealthy = true;
const received: string[] = [];
const print = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

const server = new Server();
server.mount(health({ checks: { own: () => isHealthy } }));
server.mount(metrics({ client, path: "/metrics" }));
server.get("/", () => ({ id: worker?.id, pid: process.pid }));
server.get("/slow", async () => {
  print({ type: "slow", pid: process.pid });
  await new Promise((resolve) => setTimeout(resolve, 400));
  return { id: worker?.id, pid: process.pid };
});
server.get("/busy/:ms", (exchange) => {
  exchange.end("busy");
  setImmediate(() => {
    print({ type: "busy", pid: process.pid });
    const end = performance.now() + Number(exchange.params.ms);
    while (performance.now() < end);
  });
});
server.get("/crash", () => process.exit(7));
server.get("/sick", () => {
  isHealthy = false;
  return "sick";
});

const broker = defaultBroker();
if (broker !== undefined) {
  broker.start({
    onMessage: (topic, message) => received.push(`${topic} ${Buffer.from(message).toString()}`),
    onState: (state) => print({ type: "broker", state, id: worker?.id }),
  });
  broker.subscribe("all");
  broker.subscribe(`only ${worker?.id}`);
}
server.get("/publish/:topic/:text", ({ params }) => {
  broker?.publish(params.topic, Buffer.from(params.text));
  return "published";
});
server.get("/flood", () => {
  const message = new Uint8Array(1024 * 1024);
  let sent = 0;
  const next = (): void => {
    if (sent++ < 64) Promise.resolve(broker?.publish("all", message)).then(next, next);
    else print({ type: "flooded" });
  };
  next();
  return "flooding";
});
server.get("/received", () => ({ id: worker?.id, received }));

worker?.onStop(() => print({ type: "stopped", id: worker?.id }));
if (process.env["CRASH"] === String(worker?.id)) setTimeout(() => process.exit(7), 100);
await server.listen({ host: "127.0.0.1", port: Number(process.env["PORT"] ?? 0) });
