// One of several servers with the same channels: see proof.ts.
import { createClient } from "@redis/client";
import { redisBroker } from "../../src/brokers/index.ts";
import { Channels, channel, redisStore } from "../../src/channels/index.ts";
import { Server } from "../../src/server/server.ts";

const client = createClient({
  socket: { host: "127.0.0.1", port: Number(process.env["REDIS_PORT"]), reconnectStrategy: 100 },
});
client.on("error", () => {});
await client.connect();
const server = new Server({ broker: redisBroker(client), onError: () => {} });
const channels = new Channels({
  authenticate: (token) => (token === undefined ? undefined : { user: token }),
  channels: {
    "room:*": channel({
      authorize: "everyone",
      publish: "subscribers",
      history: { maxMessages: 500 },
      presence: true,
    }),
  },
  store: redisStore(client),
  limits: { leaveDelayMs: 1_000, presenceTtlMs: 3_000, syncIntervalMs: 1_000 },
});
server.mount(channels.part);
const { port } = await server.listen({ host: "127.0.0.1" });
process.send?.(port);
process.on("disconnect", () => process.exit());
