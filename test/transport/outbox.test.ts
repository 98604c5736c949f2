import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, connect as netConnect, Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { TLSSocket } from "node:tls";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { directWriteHandle, writeDirectly } from "../../src/node/raw-handle.ts";
import { corkBuffer } from "../../src/transport/buffered-output.ts";
import { HandleTransport } from "../../src/transport/handle-transport.ts";
import { openSocket } from "../../src/transport/open-socket.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { listenOn } from "../support/places.ts";
import { Random } from "../support/random.ts";
import { turns } from "../support/waiting.ts";

interface Link {
  readonly transport: Transport;
  readonly client: Socket;
}

async function links(t: TestContext, count: number, direct = true): Promise<Link[]> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  const port = await listenOn(t, server);
  const made: Link[] = [];
  for (let i = 0; i < count; i++) {
    const client = netConnect(port, "127.0.0.1").pause();
    const [socket] = (await once(server, "connection")) as [Socket];
    made.push({ transport: openSocket(socket, direct), client });
  }
  t.after(() => {
    for (const { transport, client } of made) {
      transport.destroy();
      client.destroy();
    }
  });
  return made;
}

/** Everything that a client gets until the end, as a digest. */
async function received(client: Socket): Promise<string> {
  const hash = createHash("sha256");
  client.on("data", (data) => hash.update(data)).resume();
  await once(client, "end");
  return hash.digest("hex");
}

describe("the cork buffer", () => {
  it("gives each part to one transport, whoever writes in between, and in whatever form", async (t) => {
    const pairs = await links(t, 8);
    const expected = pairs.map(() => createHash("sha256"));
    const done = pairs.map(({ client }) => received(client));
    const random = new Random(1);
    for (let round = 0; round < 400; round++) {
      const index = random.below(pairs.length);
      const { transport } = pairs[index]!;
      const size = random.pick([0, 1, 20, 300, 3_000, 20_000, 65_536, 90_000]);
      const bytes = Buffer.alloc(size, round);
      expected[index]!.update(bytes);
      if (random.oneIn(3)) transport.writeText(bytes.toString("latin1"));
      else {
        transport.writeCopy(bytes);
        if (size <= 65_536) bytes.fill(0);
      }
      if (random.oneIn(20)) await turns(1);
    }
    for (const { transport } of pairs) transport.end();
    const digests = expected.map((hash) => hash.digest("hex"));
    assert.deepEqual(await Promise.all(done), digests);
  });

  it("keeps what a slow peer has not taken, though the memory is used again", async (t) => {
    const pairs = await links(t, 20);
    const expected = pairs.map(() => createHash("sha256"));
    // More peers than may hold an outbox each; none of them reads.
    for (const [index, { transport }] of pairs.entries()) {
      for (let round = 0; transport.pendingBytes === 0; round++) {
        assert.ok(round < 4_000, "the system takes everything");
        const bytes = Buffer.alloc(40_000, index + round);
        expected[index]!.update(bytes);
        transport.writeCopy(bytes);
        await turns(1);
      }
    }
    assert.equal(corkBuffer.isCrowded, true);
    const [{ transport, client }] = (await links(t, 1)) as [Link];
    const quick = received(client);
    transport.writeCopy(Buffer.alloc(60_000, "x"));
    transport.end();
    assert.equal(await quick, createHash("sha256").update("x".repeat(60_000)).digest("hex"));
    const done = pairs.map((pair) => received(pair.client));
    for (const pair of pairs) pair.transport.end();
    const digests = expected.map((hash) => hash.digest("hex"));
    assert.deepEqual(await Promise.all(done), digests);
    assert.equal(corkBuffer.isCrowded, false);
  });
});

describe("a write to the handle", () => {
  it("is possible on this version of Node, for TCP and for TLS", async (t) => {
    const [{ transport }] = (await links(t, 1)) as [Link];
    assert.ok(transport instanceof HandleTransport);
    assert.ok(directWriteHandle(new TLSSocket(new Socket())) !== undefined);
  });

  it("that the peer has made impossible ends the transport with the system's error", async (t) => {
    const [{ transport, client }] = (await links(t, 1)) as [Link];
    const closed = new Promise<Error | undefined>((resolve) => {
      transport.sink = { onBytes() {}, onEnd() {}, onDrain() {}, onClose: resolve };
    });
    client.resetAndDestroy();
    await once(client, "close");
    // Whether the reset or the failing write is seen first is up to the system.
    transport.writeText("too late");
    transport.flush();
    transport.writeText("far too late");
    transport.flush();
    const error = await closed;
    assert.ok(error !== undefined && "code" in error && "errno" in error);
    assert.match(String(error.code), /^(EPIPE|ECONNRESET)$/);
  });

  it("that fails at once does not keep the outbox", async (t) => {
    const pairs = await links(t, 20);
    for (const { transport, client } of pairs) {
      client.resetAndDestroy();
      await once(client, "close");
      // The first may still be taken; the second cannot be.
      for (let i = 0; i < 2; i++) {
        transport.writeCopy(Buffer.alloc(40_000));
        transport.flush();
      }
    }
    assert.equal(corkBuffer.isCrowded, false);
  });

  it("whose failure is told before it returns is not under way", () => {
    const told: number[] = [];
    // The two forms of Node's handles.
    const writeBuffer = (request: { oncomplete(status: number): void } | null): unknown => {
      request?.oncomplete(-32);
      return request === null ? { oncomplete: null, writeStatus: -32 } : 0;
    };
    const handle = { writeQueueSize: 0, writeBuffer, writeLatin1String: writeBuffer, writev: writeBuffer };
    const writer = { onWritten: (status: number) => void told.push(status) };
    for (const data of ["text", Buffer.from("bytes"), [Buffer.from("pieces")]]) {
      assert.equal(writeDirectly(handle, data, writer), -32);
    }
    assert.deepEqual(told, []);
  });

  it("keeps text and bytes alive that wait or are under way", async (t) => {
    setFlagsFromString("--expose-gc");
    const collectGarbage: () => void = runInNewContext("gc");
    const [{ transport, client }] = (await links(t, 1)) as [Link];
    const expected = createHash("sha256");
    while (transport.pendingBytes === 0) {
      const bytes = randomBytes(60_000);
      expected.update(bytes);
      transport.writeBytes(bytes);
      transport.flush();
    }
    for (let i = 0; i < 400; i++) {
      const text = randomBytes(10_000).toString("latin1");
      expected.update(text, "latin1");
      transport.writeText(text);
      transport.flush();
    }
    let reads = 0;
    client.on("data", () => {
      if (reads++ % 10 !== 0) return;
      collectGarbage();
      // What was freed is used again.
      for (let i = 0; i < 50; i++) Buffer.allocUnsafeSlow(10_000).fill(0xee);
    });
    const done = received(client);
    transport.end();
    assert.equal(await done, expected.digest("hex"));
  });

  it("tells pending bytes and their end like the stream does", async (t) => {
    for (const direct of [true, false]) {
      const [{ transport, client }] = (await links(t, 1, direct)) as [Link];
      const drained = new Promise<void>((resolve) => {
        transport.sink = { onBytes() {}, onEnd() {}, onDrain: resolve, onClose() {} };
      });
      let written = 0;
      while (transport.pendingBytes === 0) {
        transport.writeBytes(Buffer.alloc(60_000));
        transport.flush();
        written += 60_000;
      }
      transport.writeText("x".repeat(1_000));
      transport.flush();
      written += 1_000;
      assert.ok(transport.pendingBytes > 1_000 && transport.pendingBytes <= 61_000);
      assert.equal(transport.totals.pendingBytes, transport.pendingBytes);
      const mark = transport.progressMark;
      let got = 0;
      client.on("data", (data) => {
        got += data.length;
      });
      client.resume();
      await drained;
      assert.deepEqual([transport.pendingBytes, transport.totals.pendingBytes], [0, 0]);
      assert.ok(transport.progressMark > mark);
      while (got < written) await once(client, "data");
      assert.equal(got, written);
    }
  });
});
