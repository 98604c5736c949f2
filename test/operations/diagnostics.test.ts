import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { it } from "node:test";
import type { Exchange } from "../../src/exchange/exchange.ts";
import { webSocketHead } from "../abuse/peer.ts";
import { CLOSE, closePayload, frame } from "../support/frames.ts";
import { harness } from "../support/harness.ts";
import { eventually } from "../support/waiting.ts";

const names = [
  "portico:connection:open",
  "portico:connection:close",
  "portico:request",
  "portico:response",
  "portico:websocket:open",
  "portico:websocket:close",
  "portico:error",
];

it("node:diagnostics_channel tells a subscriber what documents promise", async (t) => {
  const { server, connectTcp } = harness(t);
  const seen: [name: string, message: Record<string, unknown>][] = [];
  for (const name of names) {
    const listener = (message: unknown): void => {
      const found = message as Record<string, unknown>;
      if (found["server"] === server) seen.push([name, found]);
    };
    subscribe(name, listener);
    t.after(() => unsubscribe(name, listener));
  }
  server.get("/fine", (exchange) => exchange.end());
  server.get("/broken", () => {
    throw new Error("broken");
  });
  server.websocket("/echo", {});
  const peer = await connectTcp();
  await peer.get("/fine").answer();
  await peer.get("/broken").answer();
  peer.destroy();
  await eventually(() => seen.at(-1)?.[0] === "portico:connection:close", "the close");
  const socket = await connectTcp();
  await socket.send(webSocketHead("/echo")).answer();
  socket.send(frame(CLOSE, closePayload(1000)));
  await socket.over();
  socket.destroy();
  await eventually(() => seen.at(-1)?.[0] === "portico:connection:close", "the close of the WebSocket");
  assert.deepEqual(
    seen.map(([name, message]) => [name, Object.keys(message).sort().join()]),
    [
      ["portico:connection:open", "connection,server"],
      ["portico:request", "exchange,server"],
      ["portico:response", "durationMs,exchange,outcome,server,status"],
      ["portico:request", "exchange,server"],
      ["portico:error", "error,server,where"],
      ["portico:response", "durationMs,exchange,outcome,server,status"],
      ["portico:connection:close", "connection,server"],
      ["portico:connection:open", "connection,server"],
      ["portico:request", "exchange,server"],
      ["portico:response", "durationMs,exchange,outcome,server,status"],
      ["portico:websocket:open", "server,socket"],
      ["portico:websocket:close", "code,reason,server,socket"],
      ["portico:connection:close", "connection,server"],
    ],
  );
  assert.deepEqual(
    seen
      .filter(([name]) => name === "portico:response")
      .map(([, m]) => [(m["exchange"] as Exchange).path, m["status"], m["outcome"]]),
    [
      ["/fine", 200, "complete"],
      ["/broken", 500, "complete"],
      ["/echo", 101, "upgraded"],
    ],
  );
});
