// Connections that a program has accepted itself, and the forms of an address.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, connect as netConnect, Socket } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { createServer as createTlsServer } from "node:tls";
import { request } from "undici";
import { Server } from "../../src/server/server.ts";
import { MemoryTransport } from "../../src/transport/memory-transport.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { certificate } from "../support/certificates.ts";
import { harness, routed, simpleServer } from "../support/harness.ts";
import { listenOn } from "../support/places.ts";
import { signal, within } from "../support/waiting.ts";

/** Listens for a server, which is given each socket. @returns the port */
function accepting(t: TestContext, server: Server): Promise<number> {
  return listenOn(
    t,
    createServer((socket) => server.accept(socket)),
  );
}

/** What a client gets that sends a request and then ends its half. */
async function answerOf(port: number): Promise<string> {
  const client = netConnect({ port, host: "127.0.0.1", allowHalfOpen: true });
  client.setEncoding("latin1");
  client.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  let text = "";
  client.on("data", (part: string) => {
    text += part;
  });
  await within(once(client, "end"), "the answer");
  client.destroy();
  return text;
}

describe("accept", () => {
  for (const directIo of [true, false]) {
    test(`serves a socket of node:net, directIo ${directIo}`, async (t) => {
      const { server } = routed(harness(t, { directIo }), "get", async (exchange) => {
        await new Promise((resolve) => setImmediate(resolve));
        exchange.end(exchange.remoteAddress);
      });
      const port = await accepting(t, server);
      assert.match(await answerOf(port), /^HTTP\/1\.1 200 OK\r\n.*127\.0\.0\.1$/s);
    });
  }

  test("serves a socket of node:tls", async (t) => {
    const { server } = routed(harness(t), "get", (exchange) => exchange.end(String(exchange.encrypted)));
    const tls = createTlsServer(certificate("localhost"), (socket) => server.accept(socket));
    const { Agent } = await import("undici");
    const dispatcher = new Agent({ connect: { rejectUnauthorized: false } });
    t.after(() => dispatcher.destroy());
    const { body } = await request(`https://127.0.0.1:${await listenOn(t, tls)}/`, { dispatcher });
    assert.equal(await body.text(), "true");
  });

  test("counts the connections against the limit", async (t) => {
    const { server } = harness(t, { limits: { maxConnections: 0 } });
    const port = await accepting(t, server);
    const client = netConnect(port, "127.0.0.1").on("error", () => {});
    await within(once(client, "close"), "the connection to be turned away");
    assert.equal(server.counters.refusedConnections, 1);
  });

  test("refuses what it cannot serve", async () => {
    await using server = new Server();
    const refused: [value: unknown, message: RegExp][] = [
      [undefined, /accept needs a transport/],
      [{}, /accept needs a transport/],
      [new Socket().on("data", () => {}), /already reads from the socket/],
    ];
    for (const [value, message] of refused) {
      assert.throws(() => server.accept(value as Transport), { name: "TypeError", message });
    }
    const connecting = netConnect(1, "127.0.0.1").on("error", () => {});
    assert.throws(() => server.accept(connecting), /not connected yet/);
    connecting.destroy();
  });

  test("refuses a connection that is served already, so that closing does not wait for ever", async (t) => {
    const { server } = harness(t);
    const other = harness(t).server;
    const [near] = MemoryTransport.pair();
    server.accept(near);
    for (const second of [server, other]) assert.throws(() => second.accept(near), /already served/);
    const served = signal<Socket>();
    const accepted = createServer((socket) => {
      server.accept(socket);
      served.give(socket);
    });
    const port = await listenOn(t, accepted);
    const client = netConnect(port, "127.0.0.1");
    t.after(() => client.destroy());
    const socket = await served.wait("the connection");
    for (const second of [server, other]) assert.throws(() => second.accept(socket), /already served/);
    await within(server.close({ graceMs: 0 }), "the server to close");
  });

  test("lets a socket go that has been destroyed", async (t) => {
    const { server } = harness(t);
    const socket = new Socket();
    socket.destroy();
    server.accept(socket);
    assert.deepEqual(server.connections, []);
  });
});

describe("the address of listen", () => {
  test("can be a port", async (t) => {
    const { server } = simpleServer(t);
    const { port } = await server.listen(0);
    assert.match(await answerOf(port), /ok$/);
    assert.ok(server.listenNow(0).port > 0);
  });

  const wrong: [given: unknown[], message: RegExp][] = [
    [["3000"], /listen accepts a port or an object such as \{ port: 9001 \}, not "3000"/],
    [[null], /not null/],
    [[3000, "127.0.0.1"], /listen accepts one argument/],
    [[3000, () => {}], /listen accepts one argument/],
    [[-1], /port/],
    [[{ port: 65_536 }], /port/],
  ];
  for (const [given, message] of wrong) {
    test(`cannot be ${given.map(String).join()}`, async (t) => {
      const { server } = harness(t);
      const listen = server.listen.bind(server) as (...values: unknown[]) => Promise<unknown>;
      await assert.rejects(listen(...given), message);
      const listenNow = server.listenNow.bind(server) as (...values: unknown[]) => unknown;
      assert.throws(() => listenNow(...given), message);
    });
  }
});
