import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, connect as netConnect, type Socket } from "node:net";
import { describe, it } from "node:test";
import { runInNewContext } from "node:vm";
import { isSharedReadAvailable } from "../../src/node/shared-read.ts";
import { connectTransport } from "../../src/transport/connect.ts";
import { listen } from "../../src/transport/listen.ts";
import { MemoryTransport } from "../../src/transport/memory-transport.ts";
import { openSocket } from "../../src/transport/open-socket.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { certificate } from "../support/certificates.ts";
import { heldBytes } from "../support/held-bytes.ts";
import { RecordingSink } from "./recording-sink.ts";

interface Pair {
  a: Transport;
  b: Transport;
  close(): void;
}

/** A connected pair over a listening socket. */
async function socketPair(directIo: boolean, secure: boolean): Promise<Pair> {
  const own = certificate("localhost");
  const errors: Error[] = [];
  let accepted: (transport: Transport) => void = () => {};
  const arrival = new Promise<Transport>((resolve) => {
    accepted = resolve;
  });
  const listener = await listen(
    { host: "127.0.0.1", ...(secure ? { tls: own } : {}) },
    {
      accept: (transport) => accepted(transport),
      acquireSlot: () => () => {},
      error: (error) => errors.push(error),
    },
    directIo,
    5_000,
  );
  const tls = secure ? { tls: { ca: own.cert, servername: "localhost" } } : {};
  const b = await connectTransport({ port: listener.port, host: "127.0.0.1", ...tls });
  const a = await arrival;
  assert.deepEqual(errors, []);
  return { a, b, close: () => listener.close() };
}

async function memoryPair(): Promise<Pair> {
  const [a, b] = MemoryTransport.pair();
  return { a, b, close() {} };
}

const kinds: [name: string, make: () => Promise<Pair>][] = [
  ["TCP by handle", () => socketPair(true, false)],
  ["TCP by stream", () => socketPair(false, false)],
  ["TLS by handle", () => socketPair(true, true)],
  ["TLS by stream", () => socketPair(false, true)],
  ["in memory", memoryPair],
];

it("this version of Node lets sockets share a read buffer", () => {
  assert.equal(isSharedReadAvailable, true);
});

for (const [name, make] of kinds) {
  describe(`transport: ${name}`, () => {
    it("carries text and bytes in the order in which they were written, both ways", async () => {
      const { a, b, close } = await make();
      const [sinkA, sinkB] = [new RecordingSink(), new RecordingSink()];
      a.sink = sinkA;
      b.sink = sinkB;
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
      a.destroy();
      b.destroy();
      close();
    });

    it("tells the end of the peer's half, and then the close, once each", async () => {
      const { a, b, close } = await make();
      const [sinkA, sinkB] = [new RecordingSink(), new RecordingSink()];
      a.sink = sinkA;
      b.sink = sinkB;
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
      close();
    });

    it("after the end calls do nothing", async () => {
      const { a, b, close } = await make();
      const [sinkA, sinkB] = [new RecordingSink(), new RecordingSink()];
      a.sink = sinkA;
      b.sink = sinkB;
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
      close();
    });

    it("keeps what a slow peer does not read, counts it, and tells when it has been taken", async () => {
      const { a, b, close } = await make();
      const [sinkA, sinkB] = [new RecordingSink(), new RecordingSink()];
      const total = { pendingBytes: 0, bytesSent: 0 };
      a.sink = sinkA;
      a.totals = total;
      b.sink = sinkB;
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
      a.destroy();
      b.destroy();
      close();
    });

    it("joins small pieces that wait, so that they hold about what they count, and sends them in portions", async () => {
      const pieces = 150_000;
      const { a, b, close } = await make();
      const [sinkA, sinkB] = [new RecordingSink(), new RecordingSink()];
      a.sink = sinkA;
      b.sink = sinkB;
      b.pause();
      let total = 0;
      for (; a.pendingBytes === 0; total += 60_000) {
        a.writeBytes(Buffer.alloc(60_000, "-"));
        a.flush();
        await new Promise((resolve) => setImmediate(resolve));
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
      a.destroy();
      b.destroy();
      close();
    });

    it("counts nothing of what comes after the end", async () => {
      const { a, b, close } = await make();
      const total = { pendingBytes: 0, bytesSent: 0 };
      const sinkB = new RecordingSink();
      a.totals = total;
      b.sink = sinkB;
      a.writeText("before");
      a.end();
      a.writeText("after");
      a.writeBytes(Buffer.alloc(100_000));
      a.flush();
      await sinkB.until(() => sinkB.ended === 1);
      assert.deepEqual([sinkB.bytes().toString(), total.bytesSent, total.pendingBytes], ["before", 6, 0]);
      a.destroy();
      b.destroy();
      close();
    });

    it("sends what waits after the peer has ended its half, and the end behind it", async () => {
      const { a, b, close } = await make();
      const [sinkA, sinkB] = [new RecordingSink(), new RecordingSink()];
      a.sink = sinkA;
      b.sink = sinkB;
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
      close();
    });

    it("counts what it has sent, what waits among it", async () => {
      const { a, b, close } = await make();
      const sinkB = new RecordingSink();
      b.sink = sinkB;
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
      a.destroy();
      b.destroy();
      close();
    });

    it("tells of a drain when nothing waits, not while something is held back", async () => {
      const { a, b, close } = await make();
      const [sinkA, sinkB] = [new RecordingSink(), new RecordingSink()];
      a.sink = sinkA;
      b.sink = sinkB;
      a.writeBytes(Buffer.alloc(10_000_000, 1));
      a.flush();
      a.cork();
      a.writeText("held back");
      await sinkB.until(() => sinkB.length === 10_000_000);
      while (a.pendingBytes > 0) await new Promise((resolve) => setImmediate(resolve));
      assert.equal(sinkA.drained, 0);
      a.uncork();
      await sinkA.until(() => sinkA.drained === 1);
      await sinkB.until(() => sinkB.length === 10_000_009);
      a.destroy();
      b.destroy();
      close();
    });

    it("carries bytes of another realm, and of other arrays of octets", async () => {
      const { a, b, close } = await make();
      const sinkB = new RecordingSink();
      b.sink = sinkB;
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
      a.destroy();
      b.destroy();
      close();
    });

    it("gives the total back when it is destroyed with something pending", async () => {
      const { a, b, close } = await make();
      const sinkA = new RecordingSink();
      const total = { pendingBytes: 0, bytesSent: 0 };
      a.sink = sinkA;
      a.totals = total;
      b.pause();
      a.writeBytes(Buffer.alloc(20_000_000, 1));
      a.flush();
      assert.ok(total.pendingBytes > 0);
      a.destroy();
      await sinkA.until(() => sinkA.closed === 1);
      assert.equal(total.pendingBytes, 0);
      assert.equal(sinkA.drained, 0);
      b.destroy();
      close();
    });

    it("paused it delivers nothing more, resumed everything", async () => {
      const { a, b, close } = await make();
      const sinkB = new RecordingSink();
      sinkB.onBytes = function (this: RecordingSink, bytes, start, end) {
        RecordingSink.prototype.onBytes.call(this, bytes, start, end);
        b.pause();
      };
      b.sink = sinkB;
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
      a.destroy();
      b.destroy();
      close();
    });

    it("can be destroyed inside of a read", async () => {
      const { a, b, close } = await make();
      const sinkB = new RecordingSink();
      b.sink = sinkB;
      sinkB.onBytes = () => {
        b.writeText("never sent");
        b.destroy();
      };
      a.writeText("go");
      await sinkB.until(() => sinkB.closed === 1);
      a.destroy();
      close();
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
    async function counted(): Promise<{ transport: Transport; client: Socket; writes: number[] }> {
      const server = createServer();
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const address = server.address();
      const client = netConnect((address as { port: number }).port, "127.0.0.1");
      const [socket] = (await once(server, "connection")) as [Socket];
      server.close();
      const handle: object = Reflect.get(socket, "_handle");
      const transport = openSocket(socket, direct);
      const writes: number[] = [];
      for (const method of ["writeLatin1String", "writeBuffer"])
        spy(handle, method, ([, data]) => writes.push((data as string | Uint8Array).length));
      return { transport, client, writes };
    }

    it("everything that is written in response to one read leaves in one write", async () => {
      const { transport, client, writes } = await counted();
      const sink = new RecordingSink();
      transport.sink = sink;
      sink.onBytes = () => {
        for (let i = 0; i < 10; i++) transport.writeText("answer ");
      };
      client.write("ask");
      await once(client, "data");
      assert.deepEqual(writes, [70]);
      transport.destroy();
    });

    it("everything that is written in one turn, microtasks included, leaves in one write", async () => {
      const { transport, client, writes } = await counted();
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
      transport.destroy();
    });

    it("a corked transport sends once, when it is uncorked as often as corked", async () => {
      const { transport, client, writes } = await counted();
      transport.cork();
      transport.cork();
      transport.writeText("a");
      transport.uncork();
      transport.writeText("b");
      await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual(writes, []);
      transport.uncork();
      assert.deepEqual(writes, [2]);
      await once(client, "data");
      transport.destroy();
    });

    it("does not gather without bound", async () => {
      const { transport, writes } = await counted();
      transport.cork();
      for (let i = 0; i < 100; i++) transport.writeText("x".repeat(10_000));
      transport.uncork();
      assert.ok(writes.length > 10 && Math.max(...writes) < 80_000);
      transport.destroy();
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
