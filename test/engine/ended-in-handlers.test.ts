import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { WebSocket, WebSocketHandlers } from "../../src/exchange/exchange.ts";
import type { ServerEvent } from "../../src/exchange/server-event.ts";
import { frame, PING, PONG } from "../support/frames.ts";
import { harness, routed } from "../support/harness.ts";
import { eventually, turns, within } from "../support/waiting.ts";
import { pairOn } from "../support/web-socket-pair.ts";

const deferred = { delivery: "deferred" } as const;

const ends: readonly [name: string, end: (socket: WebSocket) => void][] = [
  ["terminate", (socket) => socket.terminate()],
  ["close", (socket) => socket.close(4000, "out")],
  ["closeNow", (socket) => socket.closeNow(4000, "out")],
];

describe("a WebSocket that a handler has ended", () => {
  for (const [name, end] of ends) {
    test(`by ${name} delivers none of the messages that waited, and then its close`, async (t) => {
      const log: string[] = [];
      const { server, client } = await pairOn(harness(t, deferred), {
        open: () => void log.push("open"),
        message: (socket, data) => {
          log.push(data.toString());
          end(socket as WebSocket);
        },
        ping: () => void log.push("ping"),
        pong: () => void log.push("pong"),
        close: (_socket, code) => void log.push(`close ${code}`),
      });
      for (let i = 0; i < 10; i++) client.send(`message ${i}`);
      client.raw.send(frame(PING, "")).send(frame(PONG, ""));
      await eventually(() => server.waitingEvents === 13, "all events");
      server.poll();
      client.read();
      await eventually(() => {
        client.read();
        server.poll();
        return log.length === 3;
      }, "the close");
      const code = name === "terminate" ? 1006 : 4000;
      assert.deepEqual(log, ["open", "message 0", `close ${code}`]);
      assert.equal(server.waitingEvents, 0);
    });
  }

  test("gives the iterator of events nothing more but its close", async (t) => {
    const { server, client } = await pairOn(harness(t, deferred));
    for (let i = 0; i < 3; i++) client.send("x");
    await eventually(() => server.waitingEvents === 4, "all events");
    const types: string[] = [];
    for await (const event of server.events()) {
      types.push(event.type);
      if (event.type === "message") event.socket.terminate();
      if (event.type === "close") break;
    }
    assert.deepEqual(types, ["open", "message", "close"]);
  });

  test("whose connection the server closes for all delivers what waited", async (t) => {
    const log: string[] = [];
    const handlers: WebSocketHandlers<undefined> = {
      message: (_socket, data) => void log.push(data.toString()),
    };
    const { server, client } = await pairOn(harness(t, deferred), handlers);
    client.send("kept");
    await eventually(() => server.waitingEvents === 2, "the events");
    const closing = server.close({ graceMs: 1_000 });
    await client.closeFrame();
    client.raw.end();
    await within(closing, "the server to close");
    server.poll();
    assert.deepEqual(log, ["kept"]);
  });
});

test("an exchange that a handler has aborted delivers none of the content that waited, and then its abort", async (t) => {
  const log: string[] = [];
  const { server, connect } = routed(harness(t, deferred), "post", (exchange) => {
    exchange.onAbort(() => void log.push("abort"));
    exchange.onBody((chunk) => void log.push(chunk.toString()));
    exchange.abort();
  });
  const client = connect().send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\n");
  client.send("head");
  await eventually(() => server.waitingEvents === 2, "the request and some content");
  client.send("tail");
  await eventually(() => server.waitingEvents === 3, "the rest");
  server.poll();
  await turns();
  server.poll();
  assert.deepEqual(log, ["abort"]);
});

test("an exchange that is over gives the iterator of events no content", async (t) => {
  const { server, connect } = routed(harness(t, deferred), "post", () => {});
  const types: ServerEvent["type"][] = [];
  const client = connect().post("/", "content");
  await eventually(() => server.waitingEvents === 2, "the request and its content");
  for await (const event of server.events()) {
    types.push(event.type);
    if (event.type === "request") event.exchange.abort();
    if (event.type === "abort") break;
  }
  assert.deepEqual(types, ["request", "abort"]);
  client.destroy();
});
