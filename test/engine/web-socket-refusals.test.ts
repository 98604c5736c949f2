import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { Hono } from "hono";
import type { Exchange, FetchInfo, Server, WebSocketHandlers } from "../../src/index.ts";
import { throwing } from "../support/failing.ts";
import { type Harness, harness, routed } from "../support/harness.ts";
import { turns } from "../support/waiting.ts";
import { open } from "../support/web-socket-client.ts";
import { handshake } from "../support/web-socket-handshake.ts";

type Upgrade = (exchange: Exchange) => unknown;

async function* oneLater(chunk: string): AsyncGenerator<string> {
  await turns();
  yield chunk;
}

/** What programs do in `upgrade` when they mean no. */
const refusals: [name: string, upgrade: Upgrade, status: number, text?: string][] = [
  ["a status without end", (exchange) => void exchange.status(403), 403],
  ["a status that is returned", (exchange) => exchange.status(401), 401],
  ["a redirect", (exchange) => void exchange.status(303).setHeader("Location", "/login"), 303],
  ["false", () => false, 403],
  ["false after a status", (exchange) => exchange.status(404) && false, 404],
  ["false after a status that lets pass", (exchange) => exchange.status(200) && false, 403],
  ["refuse", (exchange) => exchange.refuse(401, "who are you?"), 401, "who are you?"],
  ["refuse, and data all the same", (exchange) => exchange.refuse(401) && { name: "Ada" }, 401],
  ["end", (exchange) => void exchange.status(401).end("no"), 401, "no"],
  ["a stream that is not waited for", (exchange) => void exchange.stream(oneLater("no")), 200, "no"],
  ["the same with a status", (exchange) => void exchange.status(401).stream(oneLater("no")), 401, "no"],
  ["an error", throwing(), 500, "Internal Server Error\n"],
];

/** The ways on which a request comes to `upgrade`. */
const ways: Record<string, (server: Server, handlers: WebSocketHandlers<unknown>) => unknown> = {
  "a WebSocket route": (server, handlers) => server.websocket("/", handlers),
  "exchange.upgrade": (server, handlers) => server.get("/", (exchange) => exchange.upgrade(handlers)),
  "exchange.upgrade that nobody waits for": (server, handlers) =>
    server.get("/", (exchange) => void exchange.upgrade(handlers)),
  "info.upgrade of a fetch handler": (server, handlers) => server.fetch((_, info) => info.upgrade(handlers)),
  "c.env.upgrade of Hono": (server, handlers) =>
    server.fetch(new Hono<{ Bindings: FetchInfo }>().get("/", (c) => c.env.upgrade(handlers)).fetch),
};

/** A server whose `upgrade` does something, at once or later. */
function serving(
  t: TestContext,
  serve: (typeof ways)[string],
  upgrade: Upgrade,
  later: boolean,
): Harness & { opened: string[] } {
  const place = harness(t);
  const opened: string[] = [];
  serve(place.server, {
    upgrade: later ? async (exchange) => turns(2).then(() => upgrade(exchange)) : upgrade,
    open: (socket) => void opened.push(JSON.stringify(socket.data)),
  });
  return { ...place, opened };
}

for (const [name, way] of Object.entries(ways)) {
  for (const later of [false, true]) {
    describe(`upgrade, by ${name}, ${later ? "later" : "at once"}`, () => {
      for (const [how, upgrade, status, text = ""] of refusals) {
        test(`refuses by ${how}`, async (t) => {
          const { connect, opened, reports } = serving(t, way, upgrade, later);
          const client = connect().send(handshake("/"));
          const answer = await client.answer();
          assert.deepEqual([answer.status, answer.text], [status, text]);
          assert.equal(answer.header("location"), status === 303 ? "/login" : undefined);
          await turns();
          assert.deepEqual(opened, []);
          assert.equal(reports.length, status === 500 ? 1 : 0);
          // The connection goes on.
          assert.equal((await client.send(handshake("/")).answer()).status, status);
        });
      }

      test("lets in with data", async (t) => {
        const { connect, opened } = serving(t, way, (exchange) => ({ path: exchange.path }), later);
        const client = await open(connect(), "/");
        assert.deepEqual(opened, ['{"path":"/"}']);
        client.close();
      });
    });
  }
}

test("false refuses with deferred delivery, too", async (t) => {
  const { server, connect } = harness(t, { delivery: "deferred" });
  server.websocket("/", { upgrade: () => false, open: () => assert.fail("it was opened") });
  const client = connect().send(handshake("/"));
  await server.waitForEvent();
  server.poll();
  assert.equal((await client.answer()).status, 403);
});

test("a status that was set before upgrade() refuses, where there is nothing to ask", async (t) => {
  const results: unknown[] = [];
  const { server, connect } = routed(harness(t), "get", (exchange) => {
    exchange.status(403);
    results.push(exchange.upgrade({ open: () => assert.fail("it was opened") }));
  });
  server.fetch((_, info) => {
    info.exchange.status(451);
    return info.upgrade({ open: () => assert.fail("it was opened") });
  }, "/fetch");
  const client = connect().send(handshake("/")).send(handshake("/fetch"));
  assert.deepEqual([(await client.answer()).status, (await client.answer()).status], [403, 451]);
  assert.deepEqual(results, [false]);
});

test("exchange.upgrade tells whether it has become a WebSocket: at once, or with upgrade by a promise", async (t) => {
  const { server, connect } = harness(t);
  const results: unknown[] = [];
  server.get("/plain", (exchange) => {
    const isOpen: boolean = exchange.upgrade({});
    results.push(isOpen);
  });
  server.get("/asks", async (exchange) => {
    results.push(await exchange.upgrade({ upgrade: async () => undefined }));
  });
  server.get("/refuses", async (exchange) => {
    results.push(await exchange.upgrade({ upgrade: () => false }));
  });
  await open(connect(), "/plain");
  await open(connect(), "/asks");
  await connect().send(handshake("/refuses")).answer();
  await connect().get("/asks").answer();
  assert.deepEqual(results, [true, true, false, false]);
});

test("the type of the data follows from what upgrade returns besides refusals", async (t) => {
  const { server, connect } = harness(t);
  server.websocket("/", {
    upgrade: (exchange) =>
      exchange.query === ""
        ? exchange.refuse(401)
        : exchange.query === "no"
          ? false
          : { user: exchange.query },
    open(socket) {
      const user: string = socket.data.user;
      socket.send(user);
    },
  });
  server.websocket<{ user: string }>("/later", {
    async upgrade(exchange) {
      await turns(1);
      if (exchange.query === "") return exchange.refuse(401);
      return { user: exchange.query };
    },
    open: (socket) => void socket.send(socket.data.user),
  });
  // @ts-expect-error: this is not the data
  server.websocket<{ user: string }>("/wrong", { upgrade: () => ({ name: "Ada" }) });
  assert.equal(await (await open(connect(), "/?Ada")).text(), "Ada");
  assert.equal(await (await open(connect(), "/later?Eve")).text(), "Eve");
  assert.equal((await connect().send(handshake("/later")).answer()).status, 401);
});
