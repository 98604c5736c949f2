import { createHash } from "node:crypto";
import type { WebSocketHandlers } from "../../src/exchange/exchange.ts";
import { Server } from "../../src/server/server.ts";
import { answer } from "../abuse/child.ts";
import { bytesOf } from "../support/bytes.ts";
import { certificate } from "../support/certificates.ts";

// The server of the soak, in a process of its own, so that what it keeps can be told.

/** What it tells of itself. */
export interface SoakReport {
  readonly rssBytes: number;
  readonly heapBytes: number;
  readonly externalBytes: number;
  readonly cpuMs: number;
  /** Handles and timers, by kind. */
  readonly resources: Record<string, number>;
  readonly counters: Server["counters"];
  /** Errors that left handlers, by their text. */
  readonly reported: Record<string, number>;
}

const PIECE_BYTES = 16_384;
const reported: Record<string, number> = {};
const server = new Server({
  limits: { headTimeoutMs: 2_000, bodyTimeoutMs: 5_000, closeTimeoutMs: 1_000, maxMessageBytes: 1 << 20 },
  onError(error) {
    reported[String(error)] = (reported[String(error)] ?? 0) + 1;
  },
});

server.get("/bytes/:seed/:length", (exchange) => {
  exchange.end(bytesOf(Number(exchange.params.seed), Number(exchange.params.length)));
});
server.get("/stream/:seed/:length", async (exchange) => {
  const bytes = bytesOf(Number(exchange.params.seed), Number(exchange.params.length));
  for (let at = 0; at < bytes.length && !exchange.finished; at += PIECE_BYTES) {
    if (!exchange.write(bytes.subarray(at, at + PIECE_BYTES))) await exchange.drained();
  }
  exchange.end();
});
server.post("/echo", async (exchange) => exchange.end(await exchange.bytes()));
server.post("/stream-echo", (exchange) => exchange.stream(exchange.body));
server.post("/digest", (exchange) => {
  const hash = createHash("sha256");
  exchange.onBody((chunk, last) => {
    hash.update(chunk);
    if (last) exchange.end(hash.digest("hex"));
  });
});
server.post("/publish/:room", async (exchange) => {
  exchange.end(String(server.publish(exchange.params.room, await exchange.bytes())));
});

const echo: WebSocketHandlers = { message: (socket, data, binary) => socket.reply(data, { binary }) };
server.websocket("/echo", echo);
server.websocket("/echo/shared", echo, { compression: true });
server.websocket("/echo/own", echo, { compression: { contextTakeover: true } });
server.websocket(
  "/rooms/:room",
  { open: (socket) => void socket.subscribe(socket.request?.params["room"] ?? "") },
  { compression: true },
);

const plain = await server.listen({ host: "127.0.0.1" });
const secure = await server.listen({ host: "127.0.0.1", tls: certificate("localhost") });

function report(): SoakReport {
  const { rss, heapUsed, external } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  const resources: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  return {
    rssBytes: rss,
    heapBytes: heapUsed,
    externalBytes: external,
    cpuMs: (user + system) / 1000,
    resources,
    counters: server.counters,
    reported,
  };
}

answer({
  ports: () => ({ plain: plain.port, secure: secure.port }),
  report,
  collect() {
    globalThis.gc?.();
    return report();
  },
});
