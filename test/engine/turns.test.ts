import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { constants, deflateRawSync } from "node:zlib";
import { MessageInflater } from "../../src/protocol/websocket/message-inflater.ts";
import { BINARY, CONTINUATION, PING_FRAME, PONG_FRAME, TEXT } from "../../src/protocol/websocket/opcodes.ts";
import { numbers } from "../support/bytes.ts";
import { frame, RSV1 } from "../support/frames.ts";
import { type Harness, harness } from "../support/harness.ts";
import { eventually, turns } from "../support/waiting.ts";
import { open } from "../support/web-socket-client.ts";
import { webSocketPair } from "../support/web-socket-pair.ts";

const MANY = 10_000;
/** What may be done for one connection before the others are looked at. */
const FEW = 1_100;
const GET = "GET /many HTTP/1.1\r\nHost: h\r\n\r\n";
const CHUNKED = "POST /many HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";

const DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate";

/** A compressed message of so many bytes. */
function zeros(length: number): Buffer {
  const flushed = deflateRawSync(Buffer.alloc(length), { finishFlush: constants.Z_SYNC_FLUSH });
  // RFC 7692 §7.2.1: without the last four bytes of the flush.
  return frame(BINARY, flushed.subarray(0, -4), { rsv: RSV1 });
}

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
      type Input = Parameters<typeof inflate>;
      t.mock.method(MessageInflater.prototype, "inflate", function (this: MessageInflater, ...input: Input) {
        inflated++;
        return inflate.apply(this, input);
      });
      server.websocket("/", {}, { compression: true });
      const client = await open(connect(), "/", `${DEFLATE}\r\n`);
      client.answersClose = false;
      const message = zeros(1_000_000);
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

interface Counted extends Harness {
  /** What has been done for the flood, and how much of that when another client was answered. */
  readonly count: { done: number; before: number };
}

/** A server at which another client asks for `/one`. */
function counted(t: TestContext): Counted {
  const made = harness(t);
  const count = { done: 0, before: -1 };
  made.server.get("/one", (exchange) => {
    count.before = count.done;
    exchange.end();
  });
  return { ...made, count };
}

describe("what one peer sends at once does not hold the others", () => {
  const floods = [
    { name: "requests", sent: GET.repeat(MANY) },
    { name: "chunks of a byte", sent: `${CHUNKED}${"1\r\nx\r\n".repeat(MANY)}0\r\n\r\n` },
  ];
  for (const { name, sent } of floods) {
    it(name, async (t) => {
      const { server, connect, count } = counted(t);
      server.get("/many", (exchange) => exchange.end(String(count.done++)));
      server.post("/many", (exchange) =>
        exchange.onBody((_, last) => {
          count.done++;
          if (last) exchange.end(String(count.done));
        }),
      );
      const [flood, other] = [connect().send(sent), connect().get("/one")];
      assert.equal((await other.answer()).status, 200);
      assert.ok(count.before < FEW, `${count.before} came before`);
      await flood.until(() => count.done >= MANY, "all of the flood", 5_000);
      if (sent.startsWith("GET")) {
        await flood.until(() => flood.rest.endsWith(`\r\n\r\n${MANY - 1}`), "the last answer", 5_000);
        assert.equal(flood.rest.split("HTTP/1.1 200 OK").length - 1, MANY);
      } else assert.equal((await flood.answer("POST", 5_000)).text, String(count.done));
    });
  }

  it("messages and pings", async (t) => {
    const { server, connect, count } = counted(t);
    const order: number[] = [];
    server.websocket("/many", {
      message: (_, data) => {
        count.done = order.push(Number(data.toString()));
      },
    });
    const flood = await open(connect(), "/many");
    const other = connect();
    const frames = Array.from({ length: MANY }, (_, i) => [frame(TEXT, String(i)), frame(PING_FRAME, "")]);
    flood.raw.send(Buffer.concat(frames.flat()));
    await other.get("/one").answer();
    assert.ok(count.before < FEW, `${count.before} came before`);
    // 2 bytes for each pong.
    await flood.raw.until(() => flood.raw.rest.length === MANY * 2, "all pongs", 5_000);
    assert.deepEqual(order, numbers(MANY));
  });

  it("fragments that have no end", async (t) => {
    const { server, connect, count } = counted(t);
    server.websocket("/many", { message() {}, pong: () => void count.done++ });
    const flood = await open(connect(), "/many");
    const other = connect();
    // Each pong tells that 9 fragments have been read.
    const fragment = frame(CONTINUATION, "", { fin: false });
    const group = Buffer.concat([...Array<Buffer>(9).fill(fragment), frame(PONG_FRAME, "")]);
    const groups = Array<Buffer>(MANY / 10).fill(group);
    flood.raw.send(Buffer.concat([frame(BINARY, "", { fin: false }), ...groups]));
    await other.get("/one").answer();
    assert.ok(count.before < FEW / 10, `${count.before * 10} came before`);
    await flood.ping("done").next(5_000);
    assert.equal(count.done, MANY / 10);
  });

  it("messages that become large when they are inflated", async (t) => {
    const { server, connect, count } = counted(t);
    server.websocket("/many", { message: () => void count.done++ }, { compression: true });
    const flood = await open(connect(), "/many", `${DEFLATE}; client_no_context_takeover\r\n`);
    const other = connect();
    flood.raw.send(Buffer.concat(Array<Buffer>(40).fill(zeros(1 << 20))));
    await other.get("/one").answer();
    assert.ok(count.before < 10, `${count.before} came before`);
    await flood.ping("done").next(5_000);
    assert.equal(count.done, 40);
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
