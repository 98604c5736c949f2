// A chat with rooms, presence and history, on one machine or many: docs/channels.md. With REDIS_URL, all servers that use the
// same Redis are one chat. Without it, the chat is in this process only.
//   node --import tsx examples/channels/server.ts [port]

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createClient } from "@redis/client";
import { type Broker, Server } from "portico";
import { redisBroker } from "portico/brokers";
import { type ChannelStore, Channels, channel, memoryStore, redisStore } from "portico/channels";
import { shutdownOnSignals } from "portico/operations";
import { serveFiles } from "portico/web";

const NAME = /^[\w -]{1,20}$/;

interface Shared {
  readonly broker?: Broker;
  readonly store: ChannelStore;
  disconnect?(): void;
}

async function redis(url: string): Promise<Shared> {
  const client = createClient({ url });
  client.on("error", (error: Error) => console.error(`Redis: ${error.message}`));
  await client.connect();
  return { broker: redisBroker(client), store: redisStore(client), disconnect: () => client.destroy() };
}

const url = process.env["REDIS_URL"];
const { store, disconnect, ...options }: Shared =
  url === undefined ? { store: memoryStore() } : await redis(url);

const channels = new Channels({
  // A real chat would verify a token; here a name is enough.
  authenticate: (name = "") => (NAME.test(name) ? { user: name } : undefined),
  channels: {
    "room:*": channel({
      authorize: "everyone",
      publish: ({ user }, message) =>
        typeof message === "string" && message.length <= 500 ? { user, text: message } : undefined,
      history: { maxMessages: 200 },
      presence: true,
    }),
  },
  store,
});

const server = new Server(options);
server.mount(channels.part);
const client = readFileSync(fileURLToPath(import.meta.resolve("portico/client")));
server.get("/client.js", (exchange) => exchange.setHeader("Content-Type", "text/javascript").end(client));
server.get("/*", serveFiles(fileURLToPath(new URL("public/", import.meta.url))));
shutdownOnSignals(server, { onDone: () => disconnect?.() });
const listener = await server.listen({ port: Number(process.argv[2] ?? 8080), host: "127.0.0.1" });
console.log(`The chat is at ${listener.url}`);
