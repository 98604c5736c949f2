import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { frame } from "../support/frames.ts";
import { harness } from "../support/harness.ts";
import type { RawClient } from "../support/raw-client.ts";
import { signal, sleep } from "../support/waiting.ts";
import { open } from "../support/web-socket-client.ts";
import { pairOn, tcpPairOn } from "../support/web-socket-pair.ts";

const LENGTH = 10_000_000;
const POST = `POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${LENGTH}\r\n\r\n`;

/** Sends a piece each 20 ms for so long, as a client with a slow line does. */
async function trickle(client: RawClient, ms: number, piece = "x".repeat(1_000)): Promise<void> {
  const end = performance.now() + ms;
  while (performance.now() < end && !client.closed) {
    client.send(piece);
    await sleep(20);
  }
}

describe("RFC 9112 §9.6: a client that is still sending gets the response", () => {
  const limits = { closeTimeoutMs: 100, lingerTimeoutMs: 10_000 };
  const answers = {
    "401 of a handler": { status: 401, maxBodyBytes: LENGTH },
    "413 by the head": { status: 413, maxBodyBytes: 1_000 },
  };
  for (const [name, { status, maxBodyBytes }] of Object.entries(answers)) {
    for (const way of ["memory", "TCP", "TLS"] as const) {
      test(`${name}, over ${way}, to a client that sends for longer than closeTimeoutMs`, async (t) => {
        const { server, connectOver } = harness(t, { limits: { ...limits, maxBodyBytes } });
        server.post("/", (exchange) => void exchange.status(401).end("log in first"));
        const client = await connectOver(way);
        // It reads when it has sent what it wants to, as many clients do.
        client.pause().send(POST);
        await trickle(client, 500);
        client.resume();
        const answer = await client.answer("POST");
        assert.deepEqual([answer.status, client.error], [status, undefined]);
      });
    }
  }

  test("lingerTimeoutMs bounds it, however much is sent", async (t) => {
    const { server, connect } = harness(t, { limits: { closeTimeoutMs: 100, lingerTimeoutMs: 300 } });
    server.post("/", (exchange) => void exchange.status(401).end());
    const client = connect().send(POST);
    const begin = performance.now();
    await trickle(client, 5_000);
    assert.ok(client.closed, "it stays for as long as it sends");
    assert.ok(performance.now() - begin > 250, "it is over too early");
  });

  test("a silent client has closeTimeoutMs", async (t) => {
    const { server, connect } = harness(t, { limits: { closeTimeoutMs: 40, lingerTimeoutMs: 60_000 } });
    server.post("/", (exchange) => void exchange.status(401).end());
    const client = connect().send(POST);
    await client.until(() => client.closed, "the end of the connection");
  });
});

describe("a WebSocket that is closing waits for a client that is still sending", () => {
  const limits = { closeTimeoutMs: 100, lingerTimeoutMs: 10_000 };
  const message = frame(2, Buffer.alloc(1_000_000));
  const begun = message.subarray(0, 1_000);

  test("after close(): the answer comes behind the message that is under way", async (t) => {
    const { client, closed } = await pairOn(harness(t, { limits }), { open: (socket) => socket.close(4000) });
    client.answersClose = false;
    const end = client.raw.sentBytes + message.length;
    client.raw.send(begun);
    await trickle(client.raw, 400);
    client.raw.send(Buffer.alloc(end - client.raw.sentBytes));
    client.close(4000);
    assert.equal(await closed(), "4000 ");
  });

  test("after a failure: the close frame is not lost", async (t) => {
    const { client } = await tcpPairOn(harness(t, { limits: { ...limits, maxMessageBytes: 10 } }));
    const { raw } = client;
    raw.pause();
    raw.send(begun);
    await trickle(raw, 500);
    raw.resume();
    assert.equal((await client.closeFrame()).code, 1009);
    assert.equal(raw.error, undefined);
  });

  test("lingerTimeoutMs bounds it", async (t) => {
    const { server, connect } = harness(t, { limits: { closeTimeoutMs: 100, lingerTimeoutMs: 300 } });
    const closed = signal<number>();
    server.websocket("/", { open: (socket) => socket.close(), close: (_, code) => closed.give(code) });
    const client = await open(connect(), "/");
    client.answersClose = false;
    await trickle(client.raw, 5_000, frame(1, "x").toString("latin1"));
    assert.equal(await closed.wait("the close"), 1006);
    assert.ok(client.raw.closed);
  });
});
