import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, connect as netConnect, type Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { runInNewContext } from "node:vm";
import { isSharedReadAvailable } from "../../src/node/shared-read.ts";
import { connectTransport } from "../../src/transport/connect.ts";
import { listen } from "../../src/transport/listen.ts";
import { MemoryTransport } from "../../src/transport/memory-transport.ts";
import { openSocket } from "../../src/transport/open-socket.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { certificate } from "../support/certificates.ts";
import { heldBytes } from "../support/held-bytes.ts";
import { listenOn } from "../support/places.ts";
import { signal, turns } from "../support/waiting.ts";
import { RecordingSink } from "./recording-sink.ts";

type Ends = [a: Transport, b: Transport];

/** A connected pair over a listening socket. */
async function socketPair(t: TestContext, directIo: boolean, secure: boolean): Promise<Ends> {
  const own = certificate("localhost");
  const errors: Error[] = [];
  const accepted = signal<Transport>();
  const listener = await listen(
    { host: "127.0.0.1", ...(secure ? { tls: own } : {}) },
    { accept: accepted.give, acquireSlot: () => () => {}, error: (error) => errors.push(error) },
    directIo,
    5_000,
  );
  t.after(() => listener.close());
  const tls = secure ? { tls: { ca: own.cert, servername: "localhost" } } : {};
  const b = await connectTransport({ port: listener.port, host: "127.0.0.1", ...tls });
  const a = await accepted.wait("the connection");
  assert.deepEqual(errors, []);
  return [a, b];
}

interface Pair {
  readonly a: Transport;
  readonly b: Transport;
  readonly sinkA: RecordingSink;
  readonly sinkB: RecordingSink;
}

type Maker = (t: TestContext) => Promise<Ends>;

const kinds: [name: string, make: Maker][] = [
  ["TCP by handle", (t) => socketPair(t, true, false)],
  ["TCP by stream", (t) => socketPair(t, false, false)],
  ["TLS by handle", (t) => socketPair(t, true, true)],
  ["TLS by stream", (t) => socketPair(t, false, true)],
  ["in memory", async () => MemoryTransport.pair()],
];

/** A pair until the end of the test, with what each end tells. */
async function pair(t: TestContext, make: Maker): Promise<Pair> {
  const [a, b] = await make(t);
  t.after(() => {
    a.destroy();
    b.destroy();
  });
  const [sinkA, sinkB] = [new RecordingSink(), new RecordingSink()];
  a.sink = sinkA;
  b.sink = sinkB;
  return { a, b, sinkA, sinkB };
}

it("this version of Node lets sockets share a read buffer", () => {
  assert.equal(isSharedReadAvailable, true);
});

for (const [name, make] of kinds) {
  describe(`transport: ${name}`, () => {
    it("carries text and bytes in the order in which they were written, both ways", async (t) => {
      const { a, b, sinkA, sinkB } = await pair(t, make);
      a.writeText("one \xe9\x00\xff ");
      a.writeBytes(Buffer.from("two "));
      a.writeText("three ");
      a.writeText("four ");
      a.writeBytes(Buffer.alloc(200_000, "five "));
      a.writeText(" six");
      b.writeText("answer");
      const expected = Buffer.concat([
        Buffer.from("one \xe9\x00\xff two three four ", "latin1"),
        Buffer.alloc(200_000, "five "),
        Buffer.from(" six"),
      ]);
      await sinkB.until(() => sinkB.length >= expected.length);
      assert.ok(sinkB.bytes().equals(expected));
      await sinkA.until(() => sinkA.length >= 6);
      assert.equal(sinkA.bytes().toString(), "answer");
    });

    it("tells the end of the peer's half, and then the close, once each", async (t) => {
      const { a, b, sinkA, sinkB } = await pair(t, make);
      a.writeText("last words");
      a.end();
      await sinkB.until(() => sinkB.ended === 1);
      assert.equal(sinkB.bytes().toString(), "last words");
      b.writeText("still heard");
      await sinkA.until(() => sinkA.length >= 11);
      b.end();
      await sinkA.until(() => sinkA.closed === 1);
      await sinkB.until(() => sinkB.closed === 1);
      assert.deepEqual([sinkB.ended, sinkB.closed, sinkA.closed], [1, 1, 1]);
      assert.ok(a.closed && b.closed);
    });

    it("after the end calls do nothing", async (t) => {
      const { a, b, sinkA, sinkB } = await pair(t, make);
      a.destroy();
      await sinkA.until(() => sinkA.closed === 1);
      await sinkB.until(() => sinkB.closed === 1 || sinkB.ended === 1);
      b.destroy();
      await sinkB.until(() => sinkB.closed === 1);
      for (const transport of [a, b]) {
        transport.writeText("too late");
        transport.writeBytes(Buffer.from("too late"));
        transport.flush();
        transport.pause();
        transport.resume();
        transport.end();
        transport.destroy();
      }
      assert.deepEqual([sinkA.closed, sinkB.closed], [1, 1]);
    });

    it("keeps what a slow peer does not read, counts it, and tells when it has been taken", async (t) => {
      const { a, b, sinkA, sinkB } = await pair(t, make);
      const total = { pendingBytes: 0, bytesSent: 0 };
      a.totals = total;
      b.pause();
      const size = 20_000_000;
      a.writeBytes(Buffer.alloc(size, 1));
      a.flush();
      assert.ok(a.pendingBytes > 0 && a.bufferedBytes >= a.pendingBytes);
      assert.equal(total.pendingBytes, a.pendingBytes);
      assert.equal(sinkA.drained, 0);
      b.resume();
      await sinkB.until(() => sinkB.length === size);
      await sinkA.until(() => sinkA.drained === 1);
      assert.deepEqual([a.pendingBytes, a.bufferedBytes, total.pendingBytes], [0, 0, 0]);
      assert.equal(total.bytesSent, size);
    });

    it("joins small pieces that wait, so that they hold about what they count, and sends them in portions", async (t) => {
      const pieces = 150_000;
      const { a, b, sinkA, sinkB } = await pair(t, make);
      b.pause();
      let total = 0;
      for (; a.pendingBytes === 0; total += 60_000) {
        a.writeBytes(Buffer.alloc(60_000, "-"));
        a.flush();
        await turns(1);
      }
      const before = { held: heldBytes(), buffered: a.bufferedBytes };
      for (let i = 0; i < pieces; i++) {
        if (i % 2 === 0) a.writeText("abc");
        else a.writeBytes(Buffer.from("def"));
        a.flush();
      }
      assert.equal(a.bufferedBytes - before.buffered, 3 * pieces);
      const held = heldBytes() - before.held;
      assert.ok(held < 2 * 3 * pieces, `${held} bytes are held for ${3 * pieces}`);
      total += 3 * pieces;
      a.requestDrain();
      b.resume();
      await sinkB.until(() => sinkB.length === total);
      assert.ok(
        sinkB
          .bytes()
          .subarray(-3 * pieces)
          .equals(Buffer.alloc(3 * pieces, "abcdef")),
      );
      await sinkA.until(() => sinkA.drained > 0);
      assert.equal(a.bufferedBytes, 0);
    });

    it("counts nothing of what comes after the end", async (t) => {
      const { a, sinkB } = await pair(t, make);
      const total = { pendingBytes: 0, bytesSent: 0 };
      a.totals = total;
      a.writeText("before");
      a.end();
      a.writeText("after");
      a.writeBytes(Buffer.alloc(100_000));
      a.flush();
      await sinkB.until(() => sinkB.ended === 1);
      assert.deepEqual([sinkB.bytes().toString(), total.bytesSent, total.pendingBytes], ["before", 6, 0]);
    });

    it("sends what waits after the peer has ended its half, and the end behind it", async (t) => {
      const { a, b, sinkA, sinkB } = await pair(t, make);
      b.pause();
      const parts = [Buffer.alloc(8_000_000, 1), Buffer.alloc(300, 2), Buffer.alloc(100_000, 3)];
      for (const part of parts) {
        a.writeBytes(part);
        a.flush();
      }
      assert.ok(a.pendingBytes > 100_000);
      b.end();
      await sinkA.until(() => sinkA.ended === 1);
      a.writeText("and more");
      a.end();
      a.writeText("too late");
      b.resume();
      await sinkB.until(() => sinkB.ended === 1);
      assert.ok(sinkB.bytes().equals(Buffer.concat([...parts, Buffer.from("and more")])));
      await sinkA.until(() => sinkA.closed === 1);
    });

    it("counts what it has sent, what waits among it", async (t) => {
      const { a, b, sinkB } = await pair(t, make);
      b.pause();
      for (const size of [10_000_000, 1, 30_000]) {
        a.writeBytes(Buffer.alloc(size, 1));
        a.flush();
      }
      assert.equal(a.bytesSent, 10_030_001);
      const mark = a.progressMark;
      b.resume();
      await sinkB.until(() => sinkB.length === 10_030_001);
      assert.equal(a.bytesSent, 10_030_001);
      assert.ok(a.progressMark > mark);
    });

    it("tells of a drain when nothing waits, not while something is held back", async (t) => {
      const { a, sinkA, sinkB } = await pair(t, make);
      a.writeBytes(Buffer.alloc(10_000_000, 1));
      a.flush();
      a.cork();
      a.writeText("held back");
      await sinkB.until(() => sinkB.length === 10_000_000);
      while (a.pendingBytes > 0) await turns(1);
      assert.equal(sinkA.drained, 0);
      a.uncork();
      await sinkA.until(() => sinkA.drained === 1);
      await sinkB.until(() => sinkB.length === 10_000_009);
    });

    it("carries bytes of another realm, and of other arrays of octets", async (t) => {
      const { a, sinkB } = await pair(t, make);
      const foreign: Uint8Array = runInNewContext("new Uint8Array(100_000).fill(1)");
      const signed = new Int8Array(100_000).fill(-1) as unknown as Uint8Array;
      for (const bytes of [foreign, signed]) {
        a.writeBytes(bytes);
        a.flush();
        a.writeText("text");
        a.writeCopy(bytes);
        a.flush();
      }
      const expected = [foreign, signed].flatMap((bytes) => [bytes, Buffer.from("text"), bytes]);
      await sinkB.until(() => sinkB.length === 400_008);
      assert.ok(sinkB.bytes().equals(Buffer.concat(expected.map((bytes) => Buffer.from(bytes)))));
      assert.equal(a.pendingBytes, 0);
    });

    it("gives the total back when it is destroyed with something pending", async (t) => {
      const { a, b, sinkA } = await pair(t, make);
      const total = { pendingBytes: 0, bytesSent: 0 };
      a.totals = total;
      b.pause();
      a.writeBytes(Buffer.alloc(20_000_000, 1));
      a.flush();
      assert.ok(total.pendingBytes > 0);
      a.destroy();
      await sinkA.until(() => sinkA.closed === 1);
      assert.equal(total.pendingBytes, 0);
      assert.equal(sinkA.drained, 0);
    });

    it("paused it delivers nothing more, resumed everything", async (t) => {
      const { a, b, sinkB } = await pair(t, make);
      sinkB.onBytes = function (this: RecordingSink, bytes, start, end) {
        RecordingSink.prototype.onBytes.call(this, bytes, start, end);
        b.pause();
      };
      const size = 5_000_000;
      a.writeBytes(Buffer.alloc(size, 1));
      await sinkB.until(() => sinkB.length > 0);
      const before = sinkB.length;
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
      // TLS may have decrypted some records that were read before.
      assert.ok(sinkB.length - before <= (name.startsWith("TLS") ? 1_000_000 : 0), "more came while paused");
      assert.ok(sinkB.length < size);
      sinkB.onBytes = RecordingSink.prototype.onBytes;
      b.resume();
      await sinkB.until(() => sinkB.length === size);
    });

    it("can be destroyed inside of a read", async (t) => {
      const { a, b, sinkB } = await pair(t, make);
      sinkB.onBytes = () => {
        b.writeText("never sent");
        b.destroy();
      };
      a.writeText("go");
      await sinkB.until(() => sinkB.closed === 1);
    });
  });
}

type Write = (this: unknown, ...values: unknown[]) => unknown;

/** Calls `seen` for each call of one of an object's methods. */
function spy(object: object, method: string, seen: (values: unknown[]) => void): void {
  const original: Write = Reflect.get(object, method);
  Reflect.set(object, method, function (this: unknown, ...values: unknown[]): unknown {
    seen(values);
    return Reflect.apply(original, this, values);
  });
}

for (const direct of [true, false])
  describe(`gathering, ${direct ? "to the handle" : "through the stream"}`, () => {
    /** A transport on a socket whose writes are counted, and the client that sees them. */
    async function counted(
      t: TestContext,
    ): Promise<{ transport: Transport; client: Socket; writes: number[] }> {
      const server = createServer();
      const client = netConnect(await listenOn(t, server), "127.0.0.1");
      const [socket] = (await once(server, "connection")) as [Socket];
      const handle: object = Reflect.get(socket, "_handle");
      const transport = openSocket(socket, direct);
      t.after(() => transport.destroy());
      const writes: number[] = [];
      for (const method of ["writeLatin1String", "writeBuffer"])
        spy(handle, method, ([, data]) => writes.push((data as string | Uint8Array).length));
      return { transport, client, writes };
    }

    it("everything that is written in response to one read leaves in one write", async (t) => {
      const { transport, client, writes } = await counted(t);
      const sink = new RecordingSink();
      transport.sink = sink;
      sink.onBytes = () => {
        for (let i = 0; i < 10; i++) transport.writeText("answer ");
      };
      client.write("ask");
      await once(client, "data");
      assert.deepEqual(writes, [70]);
    });

    it("everything that is written in one turn, microtasks included, leaves in one write", async (t) => {
      const { transport, client, writes } = await counted(t);
      await new Promise<void>((resolve) => {
        setImmediate(() => {
          transport.writeText("a");
          transport.writeText("b");
          resolve();
        });
      });
      queueMicrotask(() => {
        transport.writeText("c");
        queueMicrotask(() => transport.writeText("d"));
      });
      await once(client, "data");
      assert.deepEqual(writes, [2, 2]);
    });

    it("a corked transport sends once, when it is uncorked as often as corked", async (t) => {
      const { transport, client, writes } = await counted(t);
      transport.cork();
      transport.cork();
      transport.writeText("a");
      transport.uncork();
      transport.writeText("b");
      await turns(1);
      assert.deepEqual(writes, []);
      transport.uncork();
      assert.deepEqual(writes, [2]);
      await once(client, "data");
    });

    it("does not gather without bound", async (t) => {
      const { transport, writes } = await counted(t);
      transport.cork();
      for (let i = 0; i < 100; i++) transport.writeText("x".repeat(10_000));
      transport.uncork();
      assert.ok(writes.length > 10 && Math.max(...writes) < 80_000);
    });
  });

describe("a pair in memory", () => {
  it("tells the second end who is at the first", () => {
    const [near, far] = MemoryTransport.pair({
      remoteAddress: "203.0.113.7",
      remotePort: 50_000,
      encrypted: true,
    });
    assert.deepEqual([far.remoteAddress, far.remotePort, far.encrypted], ["203.0.113.7", 50_000, true]);
    assert.deepEqual([near.remoteAddress, near.remotePort, near.encrypted], ["memory", undefined, true]);
  });
});
