import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { Client, Server } from "../../src/daslang/index.ts";
import { eventually } from "../support/waiting.ts";
import { tickUntil } from "./recorder.ts";

/** Bounds are the program's: 2 s for a peer that takes nothing. */
const PATIENCE_MS = 8_000;

/** A server and the client that it serves, which does not read yet. */
async function pausedClient(t: TestContext): Promise<{ server: Server; peer: Socket }> {
  const server = new Server({ host: "127.0.0.1" });
  server.make_server_adapter();
  assert.equal(server.init(0), true);
  const peer = connect(server.port, "127.0.0.1").pause();
  t.after(() => peer.destroy());
  await once(peer, "connect");
  await tickUntil(server, () => server.is_connected(), "the client");
  return { server, peer };
}

/** How many sockets this process has. */
const sockets = (): number =>
  process.getActiveResourcesInfo().filter((kind) => kind === "TCPSocketWrap").length;

describe("class Server", () => {
  it("close() cuts a client off that takes nothing of what it was sent", async (t) => {
    const { server, peer } = await pausedClient(t);
    assert.equal(server.send(Buffer.alloc(12 << 20)), true);
    server.close();
    const closed = once(peer, "error");
    // What the system has taken comes, and then, because the rest never can, a reset or the end.
    const gone = Promise.race([closed, new Promise((resolve) => peer.once("close", resolve))]);
    const before = sockets();
    assert.ok(before >= 2, `${before} sockets`);
    await eventually(() => sockets() < before, "the server's socket to go", PATIENCE_MS);
    peer.resume();
    await gone;
  });
});

describe("class Client", () => {
  it("disconnect() gives up a connection that is being made", async () => {
    const client = new Client();
    client.onConnect = () => assert.fail("it connected");
    client.onError = () => assert.fail("it failed");
    // An address that never answers: documentation only (RFC 5737).
    assert.equal(client.connect("192.0.2.1", 9), true);
    client.disconnect();
    await eventually(() => sockets() === 0, "the attempt to end");
    client.tick();
  });
});

describe("send(data, size)", () => {
  it("what was accepted arrives at a client that goes on talking after the server has closed", async (t) => {
    const { server, peer } = await pausedClient(t);
    assert.equal(server.send(Buffer.alloc(3_000_000)), true);
    server.close();
    let length = 0;
    peer.on("data", (piece: Buffer) => {
      length += piece.length;
      if (!peer.writableEnded) peer.write("still here");
    });
    peer.resume();
    await once(peer, "end");
    peer.end();
    assert.equal(length, 3_000_000);
  });
});
