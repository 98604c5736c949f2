import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import type { Exchange, UpgradeOptions, WebSocket, WebSocketHandlers } from "../../src/exchange/exchange.ts";
import { Server } from "../../src/server/server.ts";
import type { ServerOptions } from "../../src/server/server-options.ts";
import {
  type TestClient,
  TestClientError,
  type TestClientOptions,
  type TestMessage,
  testClient,
} from "../../src/testing/index.ts";
import { scripted } from "./scripted.ts";

/** A server with one route for WebSockets, by default an echo that keeps text and bytes apart, and a client of it. */
function serve(
  t: TestContext,
  handlers: WebSocketHandlers = {},
  options: { upgrade?: UpgradeOptions<undefined>; server?: ServerOptions; client?: TestClientOptions } = {},
): { server: Server; client: TestClient } {
  const server = new Server({ onError() {}, ...options.server });
  server.websocket(
    "/",
    { message: (socket, data, binary) => socket.send(data, { binary }), ...handlers },
    options.upgrade,
  );
  const client = testClient(server, options.client);
  t.after(() => client.close());
  return { server, client };
}

describe("a WebSocket", () => {
  test("sends and gets text and bytes, in order", async (t) => {
    const { client } = serve(t);
    const socket = await client.webSocket("/");
    assert.equal(socket.readyState, "open");
    for (const message of ["grüße", "", Buffer.from([0, 255]), Buffer.alloc(100_000, 7)]) {
      assert.match(socket.send(message), /sent|queued/);
      assert.deepEqual(await socket.next(), message);
    }
    socket.send(Buffer.from("as text"), { binary: false });
    assert.equal(await socket.next(), "as text");
  });

  for (const compression of [false, true]) {
    test(`agrees on a subprotocol ${compression ? "and on compression" : "alone"}`, async (t) => {
      let compresses = false;
      const open = (socket: WebSocket<undefined>): void => {
        compresses = socket.compresses;
      };
      const upgrade = { protocols: ["b", "a"], compression: true, headers: { "X-One": "1" } };
      const { client } = serve(t, { open }, { upgrade });
      const socket = await client.webSocket("/", { protocols: ["a"], compression });
      assert.equal(socket.protocol, "a");
      assert.equal(socket.headers.get("x-one"), "1");
      assert.equal(compresses, compression);
      socket.send("x".repeat(10_000));
      assert.equal(await socket.next(), "x".repeat(10_000));
    });
  }

  test("shows the server who it is: address, fields, query and cookies", async (t) => {
    const seen: unknown[] = [];
    const upgrade = (exchange: Exchange): undefined => {
      exchange.setHeader("Set-Cookie", "b=2");
      const { remoteAddress, query, encrypted } = exchange;
      const fields = ["origin", "cookie", "x-many"].map((name) => exchange.header(name));
      seen.push([remoteAddress, query, encrypted, ...fields]);
    };
    const { server, client } = serve(
      t,
      { upgrade },
      {
        client: {
          from: "203.0.113.7",
          encrypted: true,
          cookies: true,
          headers: { Origin: "https://a.test" },
        },
      },
    );
    server.get("/login", (exchange) => exchange.setHeader("Set-Cookie", "a=1").end());
    await client.fetch("/login");
    await client.webSocket("/?x=y");
    const own = { origin: "https://b.test", "X-Many": ["1", "2"] };
    await client.webSocket("ws://portico.test/", { headers: own });
    assert.deepEqual(seen, [
      ["203.0.113.7", "x=y", true, "https://a.test", "a=1", undefined],
      ["203.0.113.7", "", true, "https://b.test", "a=1; b=2", "1, 2"],
    ]);
  });

  test("has messages that come with the handshake", async (t) => {
    const { client } = serve(t, {
      open(socket) {
        socket.send("one");
        socket.send("two");
        socket.close(4000, "bye");
      },
    });
    const socket = await client.webSocket("/");
    await socket.closed;
    assert.equal(socket.waitingMessages, 2);
    const messages: TestMessage[] = [];
    for await (const message of socket) messages.push(message);
    assert.deepEqual(messages, ["one", "two"]);
    assert.deepEqual(await socket.closed, { code: 4000, reason: "bye" });
    assert.equal(socket.readyState, "closed");
    assert.equal(socket.send("x"), "closed");
  });

  test("closes with the code and reason of whoever closes", async (t) => {
    const ends: unknown[] = [];
    const { client } = serve(t, { close: (_socket, code, reason) => ends.push([code, reason]) });
    const socket = await client.webSocket("/");
    assert.deepEqual(await socket.close(4001, "enough"), { code: 4001, reason: "" });
    const dropped = await client.webSocket("/");
    dropped.terminate();
    assert.deepEqual(await dropped.closed, { code: 1006, reason: "" });
    {
      await using disposed = await client.webSocket("/");
      assert.equal(disposed.readyState, "open");
    }
    await client.delivered();
    assert.deepEqual(ends, [
      [4001, "enough"],
      [1006, ""],
      [1000, ""],
    ]);
  });

  test("tells who waits for a message that it has closed, and how", async (t) => {
    const { client } = serve(t, { message: (socket) => socket.close(1008, "no") });
    const socket = await client.webSocket("/");
    const waits = [socket.next(), socket.next()];
    socket.send("x");
    const expected = { name: "TestClientError", code: "ERR_SOCKET_CLOSED", message: /1008 no$/ };
    for (const wait of waits) await assert.rejects(wait, expected);
    await assert.rejects(socket.next(), expected);
  });

  test("that gets no message: ERR_TIMEOUT, and the next message is for the next who asks", async (t) => {
    const { client } = serve(t, {}, { client: { timeoutMs: 300 } });
    const socket = await client.webSocket("/");
    await assert.rejects(socket.next(), { code: "ERR_TIMEOUT" });
    socket.send("x");
    await client.delivered();
    await client.delivered();
    assert.equal(await socket.next(), "x");
  });

  test("that does not read is a slow client", async (t) => {
    let server: WebSocket<undefined> | undefined;
    let drained = 0;
    const open = (socket: WebSocket<undefined>): void => {
      server = socket;
    };
    const { client } = serve(
      t,
      { open, drain: () => drained++ },
      { server: { limits: { maxBackpressureBytes: 10_000 } } },
    );
    const socket = await client.webSocket("/");
    socket.pause();
    const results: unknown[] = [];
    for (let i = 0; i < 4; i++) {
      results.push(server?.send(Buffer.alloc(4_000, i)));
      await client.delivered();
    }
    assert.deepEqual(results.slice(1), ["queued", "dropped", "dropped"]);
    assert.equal(drained, 0);
    socket.resume();
    for (let i = 0; i < 2; i++) assert.equal(((await socket.next()) as Buffer)[0], i);
    await client.delivered();
    assert.equal(drained, 1);
    assert.equal(socket.waitingMessages, 0);
  });

  test("ends with the client, and with the server", async (t) => {
    const codes: number[] = [];
    const { server, client } = serve(t, { close: (_socket, code) => codes.push(code) });
    const [first, second] = [await client.webSocket("/"), await client.webSocket("/")];
    await first.close();
    await client.close();
    assert.equal((await second.closed).code, 1006);
    assert.deepEqual(codes, [1000, 1006]);
    await assert.rejects(client.webSocket("/"), { code: "ERR_CLIENT_CLOSED" });
    await using other = testClient(server);
    const third = await other.webSocket("/");
    await server.close();
    assert.equal((await third.closed).code, 1001);
  });
});

describe("a handshake that is refused", () => {
  const upgrade = (exchange: Exchange): undefined => {
    exchange.status(401).setHeader("WWW-Authenticate", "Basic").end("who are you?");
  };
  test("is an error with the response in it", async (t) => {
    const { client } = serve(t, { upgrade });
    const error: unknown = await client.webSocket("/").catch((reason: unknown) => reason);
    assert.ok(error instanceof TestClientError && error.response !== undefined);
    assert.equal(error.code, "ERR_REFUSED");
    assert.match(error.message, /401 Unauthorized$/);
    assert.equal(error.response.headers.get("www-authenticate"), "Basic");
    assert.equal(await error.response.text(), "who are you?");
  });

  test("by a path that serves none, or a server that is closed", async (t) => {
    const { server, client } = serve(t);
    await assert.rejects(client.webSocket("/nowhere"), { code: "ERR_REFUSED", message: /404/ });
    await server.close();
    await assert.rejects(client.webSocket("/"), { code: "ERR_NO_RESPONSE" });
  });

  test("is not sent with fields that belong to it, or with a protocol twice", async (t) => {
    const { client } = serve(t);
    await assert.rejects(client.webSocket("/", { headers: { Upgrade: "x" } }), TypeError);
    await assert.rejects(client.webSocket("/", { protocols: ["a", "a"] }), TypeError);
  });

  test("by an answer that breaks RFC 6455", async () => {
    const head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
    await using broken = scripted(head);
    await assert.rejects(broken.webSocket("/"), { code: "WS_HANDSHAKE_ACCEPT" });
  });
});

describe("deferred delivery", () => {
  test("a tick of the test's own answers all messages that came before it", async (t) => {
    const { server, client } = serve(t, {}, { server: { delivery: "deferred" } });
    const sockets = await Promise.all([client.webSocket("/"), client.webSocket("/")]);
    for (const [i, socket] of sockets.entries()) socket.send(`from ${i}`);
    await client.delivered();
    assert.equal(server.poll(), 4);
    assert.deepEqual(await Promise.all(sockets.map((socket) => socket.next())), ["from 0", "from 1"]);
  });

  test("an upgrade handler runs when it is polled, or by itself with poll: true", async (t) => {
    const upgrade = (): undefined => {};
    for (const poll of [false, true]) {
      const { server, client } = serve(
        t,
        { upgrade },
        { server: { delivery: "deferred" }, client: { poll } },
      );
      const opening = client.webSocket("/");
      await client.delivered();
      if (!poll) assert.ok(server.poll() > 0);
      const socket = await opening;
      socket.send("x");
      if (!poll) {
        await client.delivered();
        server.poll();
      }
      assert.equal(await socket.next(), "x");
    }
  });
});
