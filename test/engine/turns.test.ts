import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { constants, deflateRawSync } from "node:zlib";
import { MessageInflater } from "../../src/protocol/websocket/message-inflater.ts";
import { BINARY, CONTINUATION, PING_FRAME, PONG_FRAME, TEXT } from "../../src/protocol/websocket/opcodes.ts";
import { numbers } from "../support/bytes.ts";
import { frame, RSV1 } from "../support/frames.ts";
import { harness } from "../support/harness.ts";
import { eventually, turns } from "../support/waiting.ts";
import { open } from "../support/web-socket-client.ts";
import { webSocketPair } from "../support/web-socket-pair.ts";

const MANY = 10_000;
/** What may be done for one connection before the others are looked at. */
const FEW = 1_100;
const GET = "GET /many HTTP/1.1\r\nHost: h\r\n\r\n";
const CHUNKED = "POST /many HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";

describe("a WebSocket that is closing", () => {
  it("lets others go first, however much its peer sends", async (t) => {
    const { server, connect, client: flood } = await webSocketPair(t, { open: (socket) => socket.close() });
    const other = connect();
    let waiting = 0;
    server.get("/one", (exchange) => {
      waiting = flood.raw.wire.waitingBytes;
      exchange.end();
    });
    flood.answersClose = false;
    flood.raw.send(Buffer.alloc(600_000, frame(TEXT, "")));
    assert.equal((await other.get("/one").answer()).status, 200);
    assert.ok(waiting > 400_000, `${waiting} bytes were left`);
  });

  it("inflates no more messages, also when the server is closed", async (t) => {
    for (const by of ["socket", "server"] as const) {
      const { server, connect } = harness(t);
      let inflated = 0;
      const { inflate } = MessageInflater.prototype;
      t.mock.method(
        MessageInflater.prototype,
        "inflate",
        function (this: MessageInflater, ...input: Parameters<typeof inflate>) {
          inflated++;
          return inflate.apply(this, input);
        },
      );
      server.websocket("/", {}, { compression: true });
      const client = await open(connect(), "/", "Sec-WebSocket-Extensions: permessage-deflate\r\n");
      client.answersClose = false;
      const payload = deflateRawSync(Buffer.alloc(1_000_000), { finishFlush: constants.Z_SYNC_FLUSH });
      const message = frame(BINARY, payload.subarray(0, -4), { rsv: RSV1 });
      client.raw.send(message);
      await eventually(() => inflated === 1, "the first");
      const closed = by === "server" ? server.close({ graceMs: 10_000 }) : server.webSockets[0]?.close();
      for (let i = 0; i < 100; i++) client.raw.send(message);
      client.close(1000);
      await client.raw.over();
      client.raw.end();
      await closed;
      assert.equal(inflated, 1);
    }
  });
});

describe("what one peer sends at once does not hold the others", () => {
  const floods = [
    { name: "requests", sent: GET.repeat(MANY) },
    { name: "chunks of a byte", sent: `${CHUNKED}${"1\r\nx\r\n".repeat(MANY)}0\r\n\r\n` },
  ];
  for (const { name, sent } of floods) {
    it(name, async (t) => {
      const { server, connect } = harness(t);
      let done = 0;
      let doneBefore = -1;
      server.get("/many", (exchange) => exchange.end(String(done++)));
      server.post("/many", (exchange) =>
        exchange.onBody((_, last) => {
          done++;
          if (last) exchange.end(String(done));
        }),
      );
      server.get("/one", (exchange) => {
        doneBefore = done;
        exchange.end();
      });
      const [flood, other] = [connect(), connect()];
      flood.send(sent);
      assert.equal((await other.get("/one").answer()).status, 200);
      assert.ok(doneBefore < FEW, `${doneBefore} came before`);
      await flood.until(() => done >= MANY, "all of the flood", 5_000);
      if (sent.startsWith("GET")) {
        await flood.until(() => flood.rest.endsWith(`\r\n\r\n${MANY - 1}`), "the last answer", 5_000);
        assert.equal(flood.rest.split("HTTP/1.1 200 OK").length - 1, MANY);
      } else assert.equal((await flood.answer("POST", 5_000)).text, String(done));
    });
  }

  it("messages and pings", async (t) => {
    const { server, connect } = harness(t);
    let done = 0;
    let doneBefore = -1;
    const order: number[] = [];
    server.websocket("/many", {
      message(_, data) {
        done++;
        order.push(Number(data.toString()));
      },
    });
    server.get("/one", (exchange) => {
      doneBefore = done;
      exchange.end();
    });
    const flood = await open(connect(), "/many");
    const other = connect();
    const frames = Array.from({ length: MANY }, (_, i) => [frame(TEXT, String(i)), frame(PING_FRAME, "")]);
    flood.raw.send(Buffer.concat(frames.flat()));
    other.get("/one");
    await other.answer();
    assert.ok(doneBefore < FEW, `${doneBefore} came before`);
    // 2 bytes for each pong.
    await flood.raw.until(() => flood.raw.rest.length === MANY * 2, "all pongs", 5_000);
    assert.deepEqual(order, numbers(MANY));
  });

  it("fragments that have no end", async (t) => {
    const { server, connect } = harness(t);
    let done = 0;
    let doneBefore = -1;
    server.websocket("/many", { message() {}, pong: () => void done++ });
    server.get("/one", (exchange) => {
      doneBefore = done;
      exchange.end();
    });
    const flood = await open(connect(), "/many");
    const other = connect();
    // Each pong tells that 9 fragments have been read.
    const fragments = Array.from({ length: 9 }, () => frame(CONTINUATION, "", { fin: false }));
    const group = Buffer.concat([...fragments, frame(PONG_FRAME, "")]);
    flood.raw.send(
      Buffer.concat([frame(BINARY, "", { fin: false }), ...Array<Buffer>(MANY / 10).fill(group)]),
    );
    other.get("/one");
    await other.answer();
    assert.ok(doneBefore < FEW / 10, `${doneBefore * 10} came before`);
    await flood.ping("done").next(5_000);
    assert.equal(done, MANY / 10);
  });

  it("messages that become large when they are inflated", async (t) => {
    const { server, connect } = harness(t);
    let done = 0;
    let doneBefore = -1;
    server.websocket("/many", { message: () => void done++ }, { compression: true });
    server.get("/one", (exchange) => {
      doneBefore = done;
      exchange.end();
    });
    const flood = await open(
      connect(),
      "/many",
      "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover\r\n",
    );
    const other = connect();
    // RFC 7692 §7.2.1: without the last four bytes of the flush.
    const flushed = deflateRawSync(Buffer.alloc(1 << 20), { finishFlush: constants.Z_SYNC_FLUSH });
    const message = frame(BINARY, flushed.subarray(0, -4), { rsv: RSV1 });
    flood.raw.send(Buffer.concat(Array.from({ length: 40 }, () => message)));
    other.get("/one");
    await other.answer();
    assert.ok(doneBefore < 10, `${doneBefore} came before`);
    await flood.ping("done").next(5_000);
    assert.equal(done, 40);
  });

  it("the end of the stream after all that is seen when its turn has come", async (t) => {
    const { server, connect } = harness(t);
    let done = 0;
    server.get("/many", (exchange) => exchange.end(String(done++)));
    const flood = connect().send(GET.repeat(MANY)).end();
    await flood.until(() => flood.ended, "the end", 5_000);
    assert.equal(done, MANY);
    assert.equal(flood.rest.split("HTTP/1.1 200 OK").length - 1, MANY);
  });
});

describe("server.resume()", () => {
  it("stops at once when what is resumed pauses the server again", async (t) => {
    const { server, connect } = harness(t);
    let served = 0;
    server.get("/many", (exchange) => {
      served++;
      server.pause();
      exchange.end();
    });
    const clients = Array.from({ length: 5 }, () => connect());
    await eventually(() => server.counters.openConnections === 5, "the connections");
    server.pause();
    for (const client of clients) client.send(GET);
    await turns();
    server.resume();
    await turns();
    assert.equal(served, 1);
    while (served < 5) {
      server.resume();
      await turns();
    }
  });
});
