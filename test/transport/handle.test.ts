import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";

import { type Server as NetServer, connect as netConnect, type Socket } from "node:net";

import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { takeConnections } from "../../src/node/taken-handles.ts";
import { connectTransport } from "../../src/transport/connect.ts";
import { HandleTransport } from "../../src/transport/handle-transport.ts";
import { listen, type TransportAddress } from "../../src/transport/listen.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { temporaryFolder } from "../support/places.ts";
import { signal, turns } from "../support/waiting.ts";
import { RecordingSink } from "./recording-sink.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Keeps the error, too. */
class Sink extends RecordingSink {
  error: Error | undefined;
  override onClose(error?: Error): void {
    this.error = error;
    super.onClose();
  }
}

interface Link {
  readonly transport: Transport;
  readonly sink: Sink;
  readonly client: Socket;
}

/** A connection that was accepted, and a client that is an ordinary socket, not read from yet. */
async function link(t: TestContext, address: TransportAddress = { host: "127.0.0.1" }): Promise<Link> {
  const accepted = signal<Transport>();
  const handlers = { accept: accepted.give, acquireSlot: () => () => {}, error: assert.fail };
  const listener = await listen(address, handlers, true, 5_000);
  const where =
    address.path === undefined ? { port: listener.port, host: "127.0.0.1" } : { path: address.path };
  const client = netConnect({ ...where, allowHalfOpen: true })
    .on("error", () => {})
    .pause();
  const transport = await accepted.wait("the connection");
  const sink = new Sink();
  transport.sink = sink;
  await once(client, "connect");
  t.after(() => {
    transport.destroy();
    client.destroy();
    listener.close();
  });
  return { transport, sink, client };
}

/** Writes until the system takes no more. @returns how much was written */
async function fill(transport: Transport): Promise<number> {
  let written = 0;
  while (transport.pendingBytes === 0) {
    transport.writeBytes(Buffer.alloc(60_000, written / 60_000));
    transport.flush();
    written += 60_000;
    await turns(1);
  }
  return written;
}

async function readAll(client: Socket): Promise<number> {
  let count = 0;
  client.on("data", (data) => {
    count += data.length;
  });
  client.resume();
  await once(client, "end");
  return count;
}

describe("a connection without a socket of Node", () => {
  it("is what a listener accepts on this version of Node, by TCP and by a Unix socket", async (t) => {
    const tcp = await link(t);
    assert.ok(tcp.transport instanceof HandleTransport);
    assert.equal(tcp.transport.remoteAddress, "127.0.0.1");
    assert.equal(tcp.transport.remotePort, tcp.client.localPort);
    const unix = await link(t, { path: join(temporaryFolder(t), "s") });
    assert.ok(unix.transport instanceof HandleTransport);
    assert.equal(unix.transport.remoteAddress, undefined);
    unix.client.write("by path");
    await unix.sink.until(() => unix.sink.length === 7);
  });

  it("is what connect() makes", async (t) => {
    const { transport, sink } = await link(t);
    transport.writeText("x");
    const accept = (one: Transport): void => one.writeText("welcome");
    const handlers = { accept, acquireSlot: () => () => {}, error: assert.fail };
    const listener = await listen({ host: "127.0.0.1" }, handlers, true, 5_000);
    t.after(() => listener.close());
    const client = await connectTransport({ port: listener.port, host: "127.0.0.1" });
    const received = new Sink();
    client.sink = received;
    await received.until(() => received.length === 7);
    assert.ok(client instanceof HandleTransport);
    client.destroy();
    await received.until(() => received.closed === 1);
    assert.equal(sink.closed, 0);
  });

  it("is accepted by the workers of a cluster, too", async (t) => {
    const program = `
import cluster from "node:cluster";
import { connect } from "node:net";
import { listen } from ${JSON.stringify(new URL("../../src/transport/listen.ts", import.meta.url).href)};
if (cluster.isPrimary) {
  const worker = cluster.fork();
  worker.once("message", (port) => {
    connect(port, "127.0.0.1").setEncoding("utf8").once("data", (text) => {
      console.log(text);
      worker.kill();
      process.exit();
    });
  });
} else {
  const accept = (transport) => {
    transport.writeText(transport.constructor.name);
    transport.end();
  };
  const listener = await listen({ host: "127.0.0.1" }, { accept, acquireSlot: () => () => {}, error: console.error }, true, 5_000);
  process.send(listener.port);
}`;
    const folder = temporaryFolder(t, { "program.mjs": program });
    const args = ["--import", "tsx", join(folder, "program.mjs")];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, timeout: 60_000 });
    assert.equal(stdout.trim(), "HandleTransport");
  });

  it("goes on as a socket where handles are unlike those that are known", () => {
    const seen: unknown[] = [];
    const listening = { onconnection: (...values: unknown[]) => seen.push(values) };
    const server = { _handle: listening } as unknown as NetServer;
    takeConnections(server, () => assert.fail());
    const unlike = { readStart() {} };
    listening.onconnection(0, unlike);
    listening.onconnection(-24, undefined);
    assert.deepEqual(seen, [
      [0, unlike],
      [-24, undefined],
    ]);
  });

  it("reads nothing while it is paused, and everything after", async (t) => {
    const { transport, sink, client } = await link(t);
    sink.onBytes = (bytes, start, end) => {
      RecordingSink.prototype.onBytes.call(sink, bytes, start, end);
      transport.pause();
    };
    client.write(Buffer.alloc(1_000_000, "x"));
    await sink.until(() => sink.length > 0);
    const { length } = sink;
    await turns(20);
    assert.equal(sink.length, length);
    while (sink.length < 1_000_000) {
      const before = sink.length;
      transport.resume();
      transport.resume();
      await sink.until(() => sink.length > before);
    }
    assert.ok(sink.bytes().equals(Buffer.alloc(1_000_000, "x")));
    assert.equal(transport.bytesReceived, 1_000_000);
  });

  it("tells the other side's end, sends all that waits, then its own end, and closes", async (t) => {
    const { transport, sink, client } = await link(t);
    client.end("last words");
    await sink.until(() => sink.ended === 1);
    const written = await fill(transport);
    transport.end();
    transport.end();
    transport.writeText("too late");
    assert.equal(sink.closed, 0);
    assert.equal(await readAll(client), written);
    await sink.until(() => sink.closed === 1);
    assert.deepEqual([sink.ended, sink.error, transport.closed], [1, undefined, true]);
    assert.equal(transport.bytesSent, written);
  });

  it("goes on reading after its own end", async (t) => {
    const { transport, sink, client } = await link(t);
    transport.end();
    await readAll(client);
    client.write("still ");
    client.end("here");
    await sink.until(() => sink.closed === 1);
    assert.equal(sink.bytes().toString(), "still here");
    assert.equal(sink.ended, 1);
  });

  const stages = ["idle", "a write is under way", "its end waits behind a write", "it has ended its half"];
  for (const stage of stages) {
    it(`is closed by a reset while ${stage}`, async (t) => {
      const { transport, sink, client } = await link(t);
      if (stage.includes("write")) await fill(transport);
      if (stage.includes("end")) transport.end();
      await turns(1);
      client.resetAndDestroy();
      await sink.until(() => sink.closed === 1);
      assert.deepEqual([transport.closed, transport.totals.pendingBytes], [true, 0]);
      assert.match(String(sink.error && Reflect.get(sink.error, "code")), /^(ECONNRESET|EPIPE)$/);
    });
  }

  it("that was reset while it was paused is closed when it goes on", async (t) => {
    const { transport, sink, client } = await link(t);
    transport.pause();
    client.resetAndDestroy();
    await once(client, "close");
    await turns(20);
    assert.equal(sink.closed, 0);
    transport.resume();
    await sink.until(() => sink.closed === 1);
    assert.equal(sink.error && Reflect.get(sink.error, "code"), "ECONNRESET");
  });

  for (const [when, prepare] of Object.entries<(one: Link) => unknown>({
    "while it is paused": ({ transport }) => transport.pause(),
    "while a write is under way": ({ transport }) => fill(transport),
    "after its own end": ({ transport }) => transport.end(),
    "after the other side's end": async ({ sink, client }) => {
      client.end();
      await sink.until(() => sink.ended === 1);
    },
  })) {
    it(`is destroyed ${when}`, async (t) => {
      const one = await link(t);
      await prepare(one);
      const { transport, sink, client } = one;
      client.resume();
      transport.destroy();
      assert.equal(transport.closed, true);
      assert.equal(sink.closed, 0, "never inside of the call");
      await sink.until(() => sink.closed === 1);
      assert.equal(sink.error, undefined);
      if (!client.destroyed) client.end();
      await once(client, "close");
      assert.equal(transport.totals.pendingBytes, 0);
    });
  }

  it("can be destroyed where its end is told", async (t) => {
    const { transport, sink, client } = await link(t);
    sink.onEnd = () => transport.destroy();
    client.end();
    await sink.until(() => sink.closed === 1);
    assert.equal(sink.error, undefined);
  });
});
