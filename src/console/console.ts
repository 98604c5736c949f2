import { performance } from "node:perf_hooks";
import type { Server, WebSocket } from "../index.ts";
import { page } from "./page.ts";

/** What the page shows, sent to every open page once a second. */
interface Status {
  type: "status";
  uptimeSeconds: number;
  memoryBytes: number;
  connections: number;
  webSockets: number;
  requests: number;
  messagesReceived: number;
  messagesSent: number;
}

const TOPIC = "console";
const MAX_TEXT = 500;

/**
 * Adds the page to a server: GET / is the page, GET /status the state as JSON, POST /echo sends the content back,
 * and the WebSocket at /live carries the state and a chat that all open pages share.
 * @returns a function that stops the updates
 */
export function mountConsole(server: Server): () => void {
  server.get("/", (exchange) => {
    exchange.setHeader("Content-Type", "text/html; charset=utf-8");
    exchange.setHeader("Content-Security-Policy", "default-src 'self' 'unsafe-inline'; img-src data:");
    exchange.end(page);
  });
  server.get("/status", (exchange) => {
    exchange.setHeader("Content-Type", "application/json");
    exchange.setHeader("Cache-Control", "no-store");
    exchange.end(JSON.stringify(statusOf(server)));
  });
  server.post("/echo", async (exchange) => {
    const text = await exchange.text(65_536);
    exchange.setHeader("Content-Type", "text/plain; charset=utf-8");
    exchange.end(text);
  });
  server.websocket<{ name: string }>("/live", {
    upgrade(exchange) {
      // Pages of other sites may not listen here (RFC 6455 §10.2).
      const origin = exchange.header("origin");
      const own = `${exchange.encrypted ? "https" : "http"}://${exchange.authority}`;
      if (origin !== undefined && origin !== own) exchange.status(403).end();
      return { name: `guest ${(++guests).toString(36)}` };
    },
    open(socket) {
      socket.subscribe(TOPIC);
      socket.send(JSON.stringify({ type: "welcome", name: socket.data.name }));
      socket.send(JSON.stringify(statusOf(server)));
    },
    message: (socket, data) => say(server, socket, data.toString()),
  });
  const timer = setInterval(() => server.publish(TOPIC, JSON.stringify(statusOf(server))), 1_000);
  timer.unref();
  return () => clearInterval(timer);
}

let guests = 0;

function say(server: Server, socket: WebSocket<{ name: string }>, text: string): void {
  const line = { type: "chat", name: socket.data.name, text: text.slice(0, MAX_TEXT) };
  server.publish(TOPIC, JSON.stringify(line));
}

function statusOf(server: Server): Status {
  const { counters } = server;
  return {
    type: "status",
    uptimeSeconds: Math.floor(performance.now() / 1000),
    memoryBytes: process.memoryUsage.rss(),
    connections: counters.openConnections,
    webSockets: counters.openWebSockets,
    requests: counters.requests,
    messagesReceived: counters.messagesReceived,
    messagesSent: counters.messagesSent,
  };
}
