import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { asked, harness } from "../support/harness.ts";
import { eventually } from "../support/waiting.ts";
import { webSocketPair } from "../support/web-socket-pair.ts";

describe("bytes that have not left", () => {
  test("pendingBytes counts what the system refused, and not what this turn has sent", async (t) => {
    const { server, client, socket } = await webSocketPair(t, {}, { delivery: "deferred" }, {}, "", "TCP");
    server.poll();
    socket.send("first");
    assert.ok(socket.bufferedBytes > 0);
    assert.equal(socket.pendingBytes, 0);
    client.raw.pause();
    for (let i = 0; i < 200 && socket.pendingBytes === 0; i++) {
      socket.send(Buffer.alloc(100_000));
      server.flush();
    }
    assert.ok(socket.pendingBytes > 0, "20 MB were taken by a client that does not read");
    socket.terminate();
    assert.equal(socket.pendingBytes, 0);
  });

  test("flush hands over what has been sent, before the program returns", async (t) => {
    const { server, client, socket } = await webSocketPair(t, {}, { delivery: "deferred" }, {}, "", "TCP");
    server.poll();
    const before = server.counters.bytesSent;
    socket.send("now");
    assert.equal(server.counters.bytesSent, before);
    server.flush();
    assert.equal(server.counters.bytesSent, before + 5);
    assert.equal(socket.bufferedBytes, 0);
    assert.equal(await client.text(), "now");
  });

  test("of a response: pendingBytes likewise", async (t) => {
    let seen: [number, number] | undefined;
    const { server, client } = asked(harness(t, { delivery: "deferred" }), (exchange) => {
      exchange.write("part");
      seen = [exchange.pendingBytes, exchange.bufferedBytes];
      exchange.end();
    });
    await eventually(() => server.poll() > 0, "the request");
    assert.equal(seen?.[0], 0);
    assert.ok((seen?.[1] ?? 0) > 0);
    await client.answer();
  });
});
