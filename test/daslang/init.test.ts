import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { describe, it, type TestContext } from "node:test";
import { getSystemErrorName } from "node:util";
import { Server } from "../../src/daslang/index.ts";
import { takenPort } from "../support/places.ts";
import { connectPeer } from "./peer.ts";
import { accepted, newInstance, newServer, openServer, settle, tickOn, tickUntil } from "./recorder.ts";

const hasIPv6 = Object.values(networkInterfaces()).some((all) => all?.some((one) => one.address === "::1"));

describe("init(port)", () => {
  it("binds and listens before it returns, and returns true on success", async (t) => {
    const server = newServer(t);
    assert.equal(server.init(0), true);
    assert.ok(server.port > 0, "the port is known in the same turn");
    assert.deepEqual(server.journal.story, []);
    await connectPeer(t, server.port);
  });

  it("listens on the port that it was given", async (t) => {
    const first = openServer(t);
    const { port } = first;
    first.close();
    await settle();
    const server = newServer(t);
    assert.equal(server.init(port), true);
    assert.equal(server.port, port);
  });

  it('needs the NetworkServer that make_server_adapter creates: "null server" without it', (t) => {
    const server = newInstance(t);
    assert.throws(() => server.init(0), { message: "null server" });
    assert.equal(server.is_open(), false);
  });

  it("listens on all addresses by default", async (t) => {
    const everywhere = new Server();
    t.after(() => everywhere.close());
    everywhere.make_server_adapter();
    assert.equal(everywhere.init(0), true);
    const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
    const hosts = all.filter((one) => !one.address.startsWith("fe80")).map((one) => one.address);
    assert.ok(hosts.includes("127.0.0.1"));
    for (const host of hosts) await connectPeer(t, everywhere.port, { host });
  });

  it("has an option for the host: other addresses are not bound", {
    skip: process.platform !== "linux",
  }, async (t) => {
    const server = openServer(t, { host: "127.0.0.2" });
    await connectPeer(t, server.port, { host: "127.0.0.2" });
    await assert.rejects(connectPeer(t, server.port, { host: "127.0.0.1" }), { code: "ECONNREFUSED" });
  });

  it("the host is an address, not a name: told at once", () => {
    assert.throws(() => new Server({ host: "localhost" }), TypeError);
  });

  it("the host may be an IPv6 address", { skip: hasIPv6 ? false : "no IPv6 here" }, async (t) => {
    const server = openServer(t, { host: "::1" });
    await connectPeer(t, server.port, { host: "::1" });
    await tickUntil(server, () => server.is_connected(), "the client to be accepted");
  });

  it("a second init while it listens fails and changes nothing", async (t) => {
    const server = openServer(t);
    const { port } = server;
    assert.equal(server.init(0), false);
    assert.match(server.journal.story.join(), /^error can't bind /);
    assert.deepEqual([server.is_open(), server.port], [true, port]);
    await connectPeer(t, port);
    await tickUntil(server, () => server.is_connected(), "the client to be accepted");
  });

  const failures: [what: string, code: string, host: string, port: (t: TestContext) => Promise<number>][] = [
    ["a port in use by another server", "EADDRINUSE", "127.0.0.1", async (t) => (await takenPort(t)).port],
    [
      "a port in use on all addresses",
      "EADDRINUSE",
      "127.0.0.1",
      async (t) => (await takenPort(t, "0.0.0.0")).port,
    ],
    ["a port in use by a Server", "EADDRINUSE", "127.0.0.1", async (t) => openServer(t).port],
    ["an address of another machine", "EADDRNOTAVAIL", "192.0.2.1", async () => 0],
  ];
  for (const [what, code, host, port] of failures) {
    it(`on failure calls onError("can't bind", errno) and returns false: ${what}`, async (t) => {
      const number = await port(t);
      const server = newServer(t, { host });
      const codes: number[] = [];
      server.journal.reactions.error = (_, given) => void codes.push(given);
      assert.equal(server.init(number), false);
      assert.deepEqual(server.journal.story, [`error can't bind ${code}`]);
      const names = codes.map((given) => getSystemErrorName(given));
      assert.deepEqual(names, [code]);
      await settle();
      await tickOn(server);
      assert.equal(server.journal.length, 1, "once, and nothing later");
    });
  }

  const privileged = process.platform === "linux" && process.getuid?.() !== 0;
  it('on failure calls onError("can\'t bind", errno) and returns false: a privileged port', {
    skip: privileged ? false : "this user may bind every port",
  }, (t) => {
    const server = newServer(t);
    assert.equal(server.init(1), false);
    assert.deepEqual(server.journal.story, ["error can't bind EACCES"]);
  });

  for (const port of [65_536, -1, 1.5]) {
    it(`on failure calls onError("can't bind", -1) where the system gives no number: port ${port}`, (t) => {
      const server = newServer(t);
      assert.equal(server.init(port), false);
      assert.deepEqual(server.journal.story, ["error can't bind -1"]);
      assert.equal(server.is_open(), false);
    });
  }

  it("can be tried again after a failure", async (t) => {
    const first = openServer(t);
    const server = newServer(t);
    assert.equal(server.init(first.port), false);
    assert.equal(server.init(0), true);
    assert.equal(server.is_open(), true);
    await accepted(t, server);
  });

  it("lets the program leave as if nothing had happened after a failure", async (t) => {
    const first = openServer(t);
    const server = newServer(t);
    assert.equal(server.init(first.port), false);
    assert.equal(server.send("x"), false);
    assert.deepEqual(server.journal.story, [
      "error can't bind EADDRINUSE",
      "error can't send, not connected -1",
    ]);
  });
});
