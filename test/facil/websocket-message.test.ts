import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Websocket } from "../../src/facil/index.ts";
import { hex, listOf } from "../support/bytes.ts";
import { frame } from "../support/frames.ts";
import { eventually, sleep } from "../support/waiting.ts";
import { leave, servePair, serveSockets } from "./helpers.ts";

describe("on_message(ws, data, size, is_text)", () => {
  it("gets the data, its size in bytes, and 1 for text or 0 for binary", async (t) => {
    const seen: unknown[] = [];
    const { client, accepted } = await servePair(t, {
      on_message: (ws, data, size, is_text) =>
        void seen.push([ws === accepted[0], Buffer.from(data).toString("utf8", 0, size), size, is_text]),
    });
    client.send("text").send(Buffer.from("bytes")).send("").send("é");
    await eventually(() => seen.length === 4, "the messages");
    assert.deepEqual(seen, [
      [true, "text", 4, 1],
      [true, "bytes", 5, 0],
      [true, "", 0, 1],
      [true, "é", 2, 1],
    ]);
  });

  it("gets a message whole, however it was cut", async (t) => {
    const seen: string[] = [];
    const { client } = await servePair(t, {
      on_message: (_ws, data, size, is_text) =>
        void seen.push(`${is_text} ${Buffer.from(data).toString("utf8", 0, size)}`),
    });
    client.raw.send(frame(1, "one ", { fin: false })).send(frame(0, Buffer.from([0xc3]), { fin: false }));
    client.raw.send(frame(0, Buffer.from([0xa9])));
    for (const byte of frame(2, "slow")) client.raw.send(Uint8Array.of(byte));
    await eventually(() => seen.length === 2, "the messages");
    assert.deepEqual(seen, ["1 one é", "0 slow"]);
  });

  it("data is only valid during the call: its memory is reused afterwards", async (t) => {
    const kept: Uint8Array[] = [];
    const copies: Buffer[] = [];
    const { client } = await servePair(t, {
      on_message(ws, data, size, is_text) {
        kept.push(data);
        copies.push(Buffer.from(data.subarray(0, size)));
        Websocket.write(ws, data, size, is_text);
      },
    });
    for (const text of ["first", "other", "third"]) {
      client.send(text);
      assert.equal(await client.text(), text);
    }
    // A small message is a view into the buffer that all sockets are read into.
    assert.notEqual(Buffer.from(kept[0] ?? []).toString("latin1", 0, 5), "first");
    assert.deepEqual(copies.map(String), ["first", "other", "third"]);
  });

  it("what is written from data is right although its memory is reused", async (t) => {
    const { client } = await servePair(t, {
      on_message(ws, data, size, is_text) {
        Websocket.write(ws, data, size, is_text);
        Websocket.write(ws, data, size, is_text);
      },
    });
    const texts = Array.from({ length: 200 }, (_, i) => `${i} `.repeat(1 + ((i * 37) % 300)));
    for (const text of texts) client.send(text);
    for (const text of texts) {
      assert.equal(await client.text(), text);
      assert.equal(await client.text(), text);
    }
  });

  it("is_text = 1 means valid UTF-8: anything else is closed with 1007 and not delivered", async (t) => {
    let messages = 0;
    const { pair, closed } = await serveSockets(t, { on_message: () => void messages++ });
    const bad = listOf("ff¦c080¦eda080¦f4908080¦61c3¦80¦e282");
    for (const bytes of bad) {
      const { client } = await pair();
      client.raw.send(frame(1, hex(bytes)));
      assert.equal((await client.closeFrame()).code, 1007, bytes);
    }
    await eventually(() => closed.length === bad.length, "on_close for each");
    assert.equal(messages, 0);
  });

  it("UTF-8 is checked over the fragments of a message", async (t) => {
    let messages = 0;
    const { client } = await servePair(t, { on_message: () => void messages++ });
    client.raw.send(frame(1, Uint8Array.of(0x61, 0xc3), { fin: false }));
    client.raw.send(frame(0, Uint8Array.of(0x61)));
    assert.equal((await client.closeFrame()).code, 1007);
    assert.equal(messages, 0);
  });

  it("binary data is anything", async (t) => {
    const seen: string[] = [];
    const { client } = await servePair(t, {
      on_message: (_ws, data, size, is_text) =>
        void seen.push(`${is_text} ${Buffer.from(data).toString("hex", 0, size)}`),
    });
    client.send(Uint8Array.of(0xff, 0, 0xc0));
    await eventually(() => seen.length === 1, "the message");
    assert.deepEqual(seen, ["0 ff00c0"]);
  });
});

describe("on_open(ws), on_shutdown(ws) (server going down, connection still open and writable, before on_close), on_close(ws)", () => {
  const callbacks = (log: string[]) => ({
    on_open: () => void log.push("open"),
    on_message: () => void log.push("message"),
    on_shutdown: () => void log.push("shutdown"),
    on_close: () => void log.push("close"),
  });

  it("on_open comes once, before any message, and may write", async (t) => {
    const log: string[] = [];
    const { client } = await servePair(t, {
      ...callbacks(log),
      on_open(ws) {
        log.push("open");
        assert.equal(Websocket.write(ws, "hello", 5, 1), 0);
      },
    });
    assert.equal(await client.text(), "hello");
    client.send("x");
    await eventually(() => log.length === 2, "the message");
    assert.deepEqual(log, ["open", "message"]);
  });

  const endings = {
    "when the client closes": (client) => void client.close(1000),
    "when the client is gone without a word": (client) => client.raw.destroy(),
    "when the client ends its half": (client) => void client.raw.end(),
    "when the client breaks a rule": (client) => void client.raw.send(frame(3)),
    "when the server closes": (_client, ws) => void Websocket.close(ws),
    "when both close at once": (client, ws) => {
      client.close(1000);
      Websocket.close(ws);
    },
  } satisfies Record<string, (client: Client, ws: Opened) => void>;

  for (const [when, end] of Object.entries(endings)) {
    it(`on_close comes once ${when}, without on_shutdown`, async (t) => {
      const log: string[] = [];
      const { pair, closed } = await serveSockets(t, callbacks(log));
      const { client, ws } = await pair();
      end(client, ws);
      await client.raw.until(() => {
        client.read();
        return client.closed;
      }, "the end of the connection");
      await eventually(() => log.includes("close"), "on_close");
      await sleep(30);
      assert.deepEqual(log, ["open", "close"]);
      assert.deepEqual(closed, [ws]);
    });
  }

  it("on_close comes for a client that never answers the server's close", async (t) => {
    const log: string[] = [];
    const { client, ws } = await servePair(t, callbacks(log));
    client.answersClose = false;
    Websocket.close(ws);
    await eventually(() => log.includes("close"), "on_close", 8_000);
    assert.deepEqual(log, ["open", "close"]);
  });

  it("on_shutdown comes once, on an open and writable connection, before on_close", async (t) => {
    const log: string[] = [];
    const { client, server, stopped } = await servePair(t, {
      ...callbacks(log),
      on_shutdown(ws) {
        log.push(`shutdown ${Websocket.write(ws, "going", 5, 1)} ${Websocket.count()}`);
        server.stop();
      },
    });
    server.stop();
    assert.equal(await client.text(), "going");
    assert.equal(await leave(client), 1001);
    await stopped;
    assert.deepEqual(log, ["open", "shutdown 0 1", "close"]);
  });

  it("a WebSocket that closed before the shutdown gets no on_shutdown", async (t) => {
    const log: string[] = [];
    const { client, server, stopped } = await servePair(t, callbacks(log));
    client.close(1000);
    await eventually(() => log.includes("close"), "on_close");
    server.stop();
    await stopped;
    assert.deepEqual(log, ["open", "close"]);
  });
});

type Pair = Awaited<ReturnType<Awaited<ReturnType<typeof serveSockets>>["pair"]>>;
type Client = Pair["client"];
type Opened = Pair["ws"];
