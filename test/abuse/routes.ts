import { setTimeout as sleep } from "node:timers/promises";
import type { Server } from "../../src/server/server.ts";

const large = Buffer.alloc(65_536, "large ");
/** How long the program of /late takes, in milliseconds. */
export const LATE_MS = 300;

const SOON_MS = 50;

/**
 * What the server of the tests does: well-behaved handlers, and some that are not.
 * @param begun is told the ids of the requests whose handlers have run
 */
export function routes(server: Server, begun: string[]): void {
  server.any("/count/:when/:id", async (exchange) => {
    const { when, id } = exchange.params;
    begun.push(id);
    if (when === "soon") await sleep(SOON_MS);
    if (when === "never") await new Promise(() => {});
    exchange.end(id);
  });

  server.get("/ping", (exchange) => exchange.end("pong"));
  server.get("/large", (exchange) => exchange.end(large));
  server.get("/endless", async (exchange) => {
    while (!exchange.finished) if (!exchange.write(large)) await exchange.drained();
  });
  // Takes no notice of what write answers.
  server.get("/pushy", (exchange) => {
    while (!exchange.finished && exchange.offset < 64 << 20) exchange.write(large);
  });
  server.post("/length", async (exchange) => exchange.end(String((await exchange.bytes()).length)));
  server.post("/stream", async (exchange) => {
    let length = 0;
    for await (const chunk of exchange.body) length += chunk.length;
    exchange.end(String(length));
  });
  server.post("/late", async (exchange) => {
    await sleep(LATE_MS);
    exchange.end("late");
  });

  server.any("/throw", () => {
    throw new Error("thrown");
  });
  server.any("/reject", () => Promise.reject(new Error("rejected")));
  server.any("/reject-later", async () => {
    await sleep(1);
    throw new Error("rejected later");
  });
  server.any("/throw-midway", (exchange) => {
    exchange.write("begun");
    throw new Error("thrown midway");
  });
  server.any("/hang", () => new Promise(() => {}));
  server.any("/twice", (exchange) => {
    exchange.end("once");
    exchange.status(201).setHeader("X-Late", "1").end("twice");
    setImmediate(() => exchange.write("later"));
  });
  server.any("/twice-and-throw", (exchange) => {
    exchange.end("once");
    throw new Error("thrown after the end");
  });

  server.websocket("/echo", {
    message: (socket, data, binary) => socket.reply(data, { binary }),
  });
  server.websocket("/sink", { message() {} }, { compression: { contextTakeover: true } });
  server.websocket("/shared-sink", { message() {} }, { compression: true });
  server.websocket("/news", { open: (socket) => void socket.subscribe("news") });
  server.websocket("/throw", {
    message() {
      throw new Error("thrown by message");
    },
  });
  server.websocket("/reject", { message: () => Promise.reject(new Error("rejected by message")) });
  server.websocket("/throw-upgrade", {
    upgrade() {
      throw new Error("thrown by upgrade");
    },
  });
  server.websocket("/throw-open", {
    open() {
      throw new Error("thrown by open");
    },
    close() {
      throw new Error("thrown by close");
    },
  });
  server.websocket("/hang", { upgrade: () => new Promise<undefined>(() => {}) });
}
