import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Websocket } from "../../src/facil/index.ts";
import { eventually, signal, sleep } from "../support/waiting.ts";
import { leave, serveOne, servePair, serveSockets } from "./helpers.ts";

describe("Websocket.get_udata(ws), set_udata(ws, udata)", () => {
  it("set returns the old value, get the one that is set", async (t) => {
    const first = { first: true };
    const { ws } = await servePair(t, { udata: first });
    const second = () => {};
    assert.equal(Websocket.get_udata(ws), first);
    assert.equal(Websocket.set_udata(ws, second), first);
    assert.equal(Websocket.get_udata(ws), second);
    for (const value of [null, 0, "text", undefined, Symbol.iterator]) {
      Websocket.set_udata(ws, value);
      assert.equal(Websocket.get_udata(ws), value);
    }
  });

  it("each connection has its own", async (t) => {
    const { pair } = await serveSockets(t, { udata: "shared" });
    const one = await pair();
    const two = await pair();
    Websocket.set_udata(one.ws, "own");
    assert.equal(Websocket.get_udata(two.ws), "shared");
  });

  it("is there in every callback, on_close included", async (t) => {
    const seen: unknown[] = [];
    const { client, ws, server, stopped } = await servePair(t, {
      udata: 1,
      on_open: (ws) => void seen.push(Websocket.set_udata(ws, 2)),
      on_message: (ws) => void seen.push(Websocket.set_udata(ws, 3)),
      on_shutdown: (ws) => void seen.push(Websocket.set_udata(ws, 4)),
      on_close: (ws) => void seen.push(Websocket.set_udata(ws, 5)),
    });
    client.send("x");
    await eventually(() => seen.length === 2, "the message");
    server.stop();
    assert.equal(await leave(client), 1001);
    await stopped;
    assert.deepEqual(seen, [1, 2, 3, 4]);
    assert.equal(Websocket.get_udata(ws), 5);
  });
});

describe("Websocket.get_server(ws), get_uuid(ws)", () => {
  it("get_server is the server object that owns the connection", async (t) => {
    const one = await serveSockets(t);
    const two = await serveSockets(t);
    assert.equal(Websocket.get_server((await one.pair()).ws), one.server);
    assert.equal(Websocket.get_server((await two.pair()).ws), two.server);
  });

  it("get_uuid is a bigint or string that stays", async (t) => {
    const { client, ws, closed } = await servePair(t);
    const uuid = Websocket.get_uuid(ws);
    assert.ok(["bigint", "string"].includes(typeof uuid));
    assert.equal(Websocket.get_uuid(ws), uuid);
    client.close(1000);
    await eventually(() => closed.length === 1, "on_close");
    assert.equal(Websocket.get_uuid(ws), uuid);
  });

  it("get_uuid is unique in the process, also after a connection has gone and in another server", async (t) => {
    const uuids = new Set<unknown>();
    for (const service of [await serveSockets(t), await serveSockets(t)]) {
      for (let i = 0; i < 40; i++) {
        const { client, ws } = await service.pair();
        uuids.add(Websocket.get_uuid(ws));
        if (i % 2 === 0) client.raw.destroy();
      }
    }
    assert.equal(uuids.size, 80);
  });
});

describe("Websocket.write(ws, data, size, is_text)", () => {
  it("sends text or binary and answers 0", async (t) => {
    const { client, ws } = await servePair(t);
    assert.equal(Websocket.write(ws, "text", 4, 1), 0);
    assert.equal(Websocket.write(ws, "text too", 8, true), 0);
    assert.equal(Websocket.write(ws, Buffer.from("from bytes"), 10, 1), 0);
    assert.equal(Websocket.write(ws, Uint8Array.of(1, 255), 2, 0), 0);
    assert.equal(Websocket.write(ws, "binary", 6, false), 0);
    assert.equal(Websocket.write(ws, "", 0, 1), 0);
    const got: unknown[] = [];
    for (let i = 0; i < 6; i++) {
      const { binary, data } = await client.message();
      got.push(`${binary ? "binary" : "text"}: ${data.toString("latin1")}`);
    }
    const bytes = ["binary: \x01\xff", "binary: binary"];
    assert.deepEqual(got, ["text: text", "text: text too", "text: from bytes", ...bytes, "text: "]);
  });

  it("size may cut the data, in bytes", async (t) => {
    const { client, ws } = await servePair(t);
    Websocket.write(ws, "Hello World", 5, 1);
    Websocket.write(ws, Buffer.from("Hello World"), 7, 0);
    Websocket.write(ws, "éa and more", 3, 1);
    Websocket.write(ws, "nothing", 0, 1);
    Websocket.write(ws, "all", 1_000, 1);
    for (const text of ["Hello", "Hello W", "éa", "", "all"]) assert.equal(await client.text(), text);
  });

  it("without a size the data is sent whole", async (t) => {
    const { client, ws } = await servePair(t);
    Websocket.write(ws, "é whole", undefined, 1);
    assert.equal(await client.text(), "é whole");
  });

  it("the data may be changed as soon as it was written", async (t) => {
    const { client, ws } = await servePair(t);
    const data = Buffer.alloc(3_000, "a");
    for (const letter of ["a", "b", "c"]) {
      data.fill(letter);
      Websocket.write(ws, data, data.length, 1);
    }
    data.fill("x");
    for (const letter of ["a", "b", "c"]) assert.equal(await client.text(), letter.repeat(3_000));
  });

  it("answers -1 when the connection is closed", async (t) => {
    const inClose = signal<number>();
    const { client, ws, pair, closed } = await servePair(t, {
      on_close: (ws) => inClose.give(Websocket.write(ws, "x", 1, 1)),
    });
    client.raw.destroy();
    assert.equal(await inClose.wait("on_close"), -1);
    assert.equal(Websocket.write(ws, "x", 1, 1), -1);
    const other = await pair();
    Websocket.close(other.ws);
    assert.equal(Websocket.write(other.ws, "x", 1, 1), -1);
    assert.equal((await other.client.closeFrame()).code, 1000);
    await eventually(() => closed.length === 2, "on_close");
    assert.equal(Websocket.write(other.ws, "x", 1, 1), -1);
  });

  it("answers -1 over the backpressure limit, and 0 again when the client has read", async (t) => {
    const limit = 1 << 20;
    const { client, ws } = await servePair(t, {}, { limits: { maxBackpressureBytes: limit } });
    client.raw.pause();
    const piece = Buffer.alloc(1 << 16);
    let written = 0;
    const fill = (): boolean => {
      while (written < 2_000) {
        piece.writeUInt32BE(written);
        if (Websocket.write(ws, piece, piece.length, 0) === -1) return true;
        written++;
      }
      return false;
    };
    // What the system takes of it does not count against the limit.
    for (let quiet = 0, before = -1; quiet < 5; quiet = written === before ? quiet + 1 : 0) {
      before = written;
      assert.equal(fill(), true, "no limit");
      await sleep(20);
    }
    client.raw.resume();
    for (let i = 0; i < written; i++) {
      const { data } = await client.message(4_000);
      assert.equal(data.length, piece.length);
      assert.equal(data.readUInt32BE(), i);
    }
    assert.equal(Websocket.write(ws, "after", 5, 1), 0);
    assert.equal(await client.text(), "after");
  });
});

describe("Websocket.close(ws)", () => {
  it("sends a close frame and closes", async (t) => {
    const { client, ws, closed } = await servePair(t);
    Websocket.close(ws);
    Websocket.close(ws);
    assert.equal((await client.closeFrame()).code, 1000);
    await client.raw.over();
    await eventually(() => closed.length === 1, "on_close");
    Websocket.close(ws);
    await sleep(20);
    assert.equal(closed.length, 1);
  });

  it("closes after what was written has been flushed", async (t) => {
    const { client, ws, closed } = await servePair(t);
    client.raw.pause();
    const piece = Buffer.alloc(1 << 20);
    for (let i = 0; i < 12; i++) {
      piece[0] = i;
      assert.equal(Websocket.write(ws, Buffer.from(piece), piece.length, 0), 0);
    }
    Websocket.close(ws);
    await sleep(100);
    assert.equal(closed.length, 0);
    client.raw.resume();
    for (let i = 0; i < 12; i++) {
      const { data } = await client.message(4_000);
      assert.deepEqual([data.length, data[0]], [piece.length, i]);
    }
    assert.equal((await client.closeFrame(4_000)).code, 1000);
    await client.raw.over();
    await eventually(() => closed.length === 1, "on_close");
  });

  it("may be called by every callback", async (t) => {
    const { open, closed } = await serveSockets(t, {
      on_open(ws) {
        Websocket.write(ws, "not today", 9, 1);
        Websocket.close(ws);
      },
      on_close: (ws) => void Websocket.close(ws),
    });
    const client = await open();
    assert.equal(await client.text(), "not today");
    assert.equal((await client.closeFrame()).code, 1000);
    await eventually(() => closed.length === 1, "on_close");
    const two = await serveSockets(t, { on_message: (ws) => void Websocket.close(ws) });
    const other = await two.open();
    other.send("one").send("two");
    assert.equal((await other.closeFrame()).code, 1000);
    await eventually(() => two.closed.length === 1, "on_close");
  });
});

describe("Websocket.count(ws?)", () => {
  it("is the number of open connections in this process", async (t) => {
    assert.equal(Websocket.count(), 0);
    const one = await serveSockets(t);
    const first = await one.pair();
    const second = await one.pair();
    assert.equal(Websocket.count(), 2);
    assert.equal(Websocket.count(first.ws), 2);
    assert.equal(Websocket.count(second.ws), 2);
    first.client.close(1000);
    await eventually(() => one.closed.length === 1, "on_close");
    await eventually(() => Websocket.count() === 1, "the count to fall");
    second.client.raw.destroy();
    await eventually(() => Websocket.count() === 0, "the count to fall");
  });

  it("counts WebSockets only", async (t) => {
    const { client } = await serveOne(t, () => {});
    client.get("/");
    await sleep(30);
    assert.equal(Websocket.count(), 0);
  });

  it("counts the connections of all servers of this process", async (t) => {
    const one = await serveSockets(t);
    const two = await serveSockets(t);
    await one.pair();
    await two.pair();
    assert.equal(Websocket.count(), 2);
  });

  it("is 0 after the server has stopped", async (t) => {
    const { client, server, stopped } = await servePair(t);
    server.stop();
    assert.equal(await leave(client), 1001);
    await stopped;
    assert.equal(Websocket.count(), 0);
  });
});
