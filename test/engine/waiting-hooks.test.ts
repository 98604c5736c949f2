import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { type Exchange, PorticoError } from "../../src/index.ts";
import type { ServerOptions } from "../../src/server/server-options.ts";
import { noise } from "../support/bytes.ts";
import { frame } from "../support/frames.ts";
import { type Harness, harness } from "../support/harness.ts";
import { eventually, type Signal, signal, turns } from "../support/waiting.ts";
import { WebSocketClient } from "../support/web-socket-client.ts";
import { handshake } from "../support/web-socket-handshake.ts";

interface Guarded extends Harness {
  /** The exchange that the first hook has got. */
  readonly asked: Signal<Exchange>;
  /** What the first hook waits for. */
  readonly decision: Signal;
  /** What has run: "hook" when the first one goes on, "next" for the one after it, "route", and the end. */
  readonly log: string[];
}

/** A server whose first hook waits. Deferred events are polled as they come. */
function guarded(t: TestContext, options: ServerOptions): Guarded {
  const place = polled(t, options);
  const { server } = place;
  const asked = signal<Exchange>();
  const decision = signal();
  const log: string[] = [];
  server.onRequest(async (exchange) => {
    exchange.setHeader("X-Hook", "1");
    exchange.onAbort(() => log.push("abort"));
    asked.give(exchange);
    await decision.promise;
    log.push("hook");
  });
  server.onRequest(() => void log.push("next"));
  server.onResponse((_, { outcome, status }) => void log.push(`${outcome} ${status}`));
  return { ...place, asked, decision, log };
}

async function pollAll({ server }: Harness): Promise<void> {
  while (await server.waitForEvent()) server.poll();
}

/** A server whose deferred events are polled as they come. */
function polled(t: TestContext, options: ServerOptions): Harness {
  const place = harness(t, options);
  if (options.delivery === "deferred") void pollAll(place);
  return place;
}

function post(path: string, length: number, lines = ""): string {
  return `POST ${path} HTTP/1.1\r\nHost: h\r\nContent-Length: ${length}\r\n${lines}\r\n`;
}

for (const delivery of ["immediate", "deferred"] as const) {
  const options = { delivery };

  describe(`a hook that waits, with ${delivery} delivery`, () => {
    test("is waited for before the next hook and the route", async (t) => {
      const { server, connect, asked, decision, log } = guarded(t, options);
      server.delete("/", (exchange) => {
        log.push("route");
        exchange.end("done");
      });
      const client = connect().send("DELETE / HTTP/1.1\r\nHost: h\r\n\r\n");
      await asked.wait("the hook");
      await turns();
      assert.deepEqual(log, []);
      assert.equal(server.waitingEvents, 0);
      decision.give();
      const answer = await client.answer();
      assert.deepEqual([answer.status, answer.text, answer.header("x-hook")], [200, "done", "1"]);
      assert.deepEqual(log, ["hook", "next", "route", "complete 200"]);
    });

    test("that rejects is reported and answered with 500, and nothing else runs", async (t) => {
      const { server, connect, reports } = polled(t, options);
      const log: string[] = [];
      server.onRequest((exchange) => void exchange.setHeader("X-Hook", "1"));
      server.onRequest(async (exchange) => {
        await turns(2);
        if (exchange.path === "/busy") throw new PorticoError("ERR_OVERLOADED");
        throw new Error("on purpose");
      });
      server.onRequest(() => void log.push("next"));
      server.any("/*", () => void log.push("route"));
      const client = connect().get("/").get("/busy");
      const answer = await client.answer();
      assert.deepEqual([answer.status, answer.header("x-hook")], [500, "1"]);
      assert.equal((await client.answer()).status, 503);
      assert.deepEqual([reports.length, log], [2, []]);
      assert.match(String(reports[0]?.error), /on purpose/);
    });

    test("a thenable is waited for, too", async (t) => {
      const { server, connect } = polled(t, options);
      const refusal = {
        // biome-ignore lint/suspicious/noThenProperty: the object that is tested
        then: (_: unknown, reject: (error: Error) => void) => setImmediate(reject, new Error("on purpose")),
      };
      server.onRequest(() => refusal);
      server.get("/", (exchange) => exchange.end("inside"));
      assert.equal((await connect().get("/").answer()).status, 500);
    });

    test("nothing else runs when the request is answered meanwhile; the next request does not wait", async (t) => {
      const { server, connect, asked, decision, log } = guarded(t, options);
      server.get("/*", () => void log.push("route"));
      const client = connect().get("/first");
      (await asked.wait("the hook")).status(401).end("no");
      assert.deepEqual([(await client.answer()).status, log], [401, ["complete 401"]]);
      server.replaceRoutes(() => server.get("/second", (exchange) => exchange.end("second")));
      client.get("/second");
      await turns();
      log.push("---");
      decision.give();
      assert.equal((await client.answer()).text, "second");
      // Of the first request only its hook has gone on.
      assert.deepEqual(log, ["complete 401", "---", "hook", "hook", "next", "complete 200"]);
    });

    test("a hook that fails after it has answered is reported, and harms nobody", async (t) => {
      const { server, connect, reports } = polled(t, options);
      const failed = signal();
      server.onRequest(async (exchange) => {
        if (exchange.path !== "/first") return;
        exchange.status(403).end();
        await failed.promise;
        throw new Error("on purpose");
      });
      const held = signal<Exchange>();
      server.get("/second", (exchange) => held.give(exchange));
      const client = connect().get("/first").get("/second");
      assert.equal((await client.answer()).status, 403);
      const second = await held.wait("the second request");
      failed.give();
      await turns();
      second.end("second");
      assert.equal((await client.answer()).text, "second");
      assert.equal(reports.length, 1);
    });

    test("the route does not run when the client disconnects; the hook is told at once", async (t) => {
      const { server, connect, asked, decision, log, reports } = guarded(t, options);
      server.post("/", () => void log.push("route"));
      const client = connect().send(post("/", 10)).send("12345");
      const exchange = await asked.wait("the hook");
      client.destroy();
      await eventually(() => log.length > 0, "the abort");
      assert.deepEqual(log.sort(), ["abort", "aborted 0"]);
      assert.deepEqual([exchange.finished, exchange.signal.aborted], [true, true]);
      decision.give();
      await turns();
      assert.deepEqual(log, ["abort", "aborted 0", "hook"]);
      assert.deepEqual([server.waitingEvents, reports], [0, []]);
    });

    test("an AbortError because of the client is no error", async (t) => {
      const { server, connect, reports } = harness(t, options);
      const asked = signal<Exchange>();
      server.onRequest(async (exchange) => {
        asked.give(exchange);
        await new Promise((_, reject) => {
          exchange.signal.addEventListener("abort", () => reject(exchange.signal.reason));
        });
      });
      const client = connect().get("/");
      const exchange = await asked.wait("the hook");
      client.destroy();
      await eventually(() => exchange.finished, "the abort");
      await turns();
      assert.deepEqual(reports, []);
    });

    test("content that comes meanwhile is kept within limits, and onBody gets all of it", async (t) => {
      const { server, connectTcp, asked, decision } = guarded(t, options);
      const content = noise(3_000_000);
      const pieces: Buffer[] = [];
      let lasts = 0;
      server.post("/", (exchange) => {
        exchange.onBody((chunk, last) => {
          pieces.push(Buffer.from(chunk));
          if (!last) return;
          lasts++;
          exchange.end("taken");
        });
      });
      const client = (await connectTcp()).send(post("/", content.length)).send(content);
      await asked.wait("the hook");
      let before = -1;
      while (server.counters.bytesReceived !== before) {
        before = server.counters.bytesReceived;
        await turns(20);
      }
      assert.ok(before < 400_000, `${before} bytes were taken in`);
      decision.give();
      assert.equal((await client.answer()).text, "taken");
      assert.equal(lasts, 1);
      assert.ok(Buffer.concat(pieces).equals(content));
    });

    for (const [name, content] of [
      ["all of it", "complete"],
      ["none of it", ""],
      ["a part of it", "com"],
    ] as const) {
      test(`content of which ${name} has come by then`, async (t) => {
        const { server, connect, asked, decision } = guarded(t, options);
        server.post("/", async (exchange) => exchange.end(`got ${await exchange.text()}`));
        const client = connect().send(post("/", 8)).send(content);
        await asked.wait("the hook");
        await turns();
        decision.give();
        await turns();
        assert.equal((await client.send("complete".slice(content.length)).answer()).text, "got complete");
        assert.equal((await client.send(post("/", 5)).send("again").answer()).text, "got again");
      });
    }

    test("a hook can read the content itself", async (t) => {
      const place = harness(t, options);
      const { server, connect } = place;
      let checked = "";
      server.onRequest(async (exchange) => {
        checked = await exchange.text();
      });
      server.post("/", (exchange) => exchange.end(`checked ${checked}`));
      const client = connect().send(post("/", 6)).send("sig");
      await turns();
      client.send("ned");
      // Nobody polls before.
      await eventually(() => checked === "signed", "the content");
      if (delivery === "deferred") void pollAll(place);
      assert.equal((await client.answer()).text, "checked signed");
    });

    test("the content limit of the route holds meanwhile", async (t) => {
      const { server, connect, asked, log } = guarded(t, options);
      server.post("/", () => void log.push("route"), { maxBodyBytes: 10 });
      const client = connect().send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
      await asked.wait("the hook");
      client.send("b\r\nmore than ten\r\n");
      const answer = await client.answer();
      assert.deepEqual([answer.status, answer.header("x-hook")], [413, "1"]);
      await client.over();
      assert.deepEqual(log, ["aborted 413", "abort"]);
    });

    test("content that is announced as too large is refused afterwards", async (t) => {
      const { server, connect, asked, decision, log } = guarded(t, options);
      server.post("/", () => void log.push("route"), { maxBodyBytes: 10 });
      const client = connect().send(post("/", 11));
      await asked.wait("the hook");
      decision.give();
      const answer = await client.answer();
      assert.deepEqual([answer.status, answer.header("x-hook")], [413, "1"]);
      await client.over();
      assert.deepEqual(log, ["hook", "next", "complete 413"]);
    });

    test("Expect: 100-continue: the content is not asked for before the route wants it", async (t) => {
      const { server, connect, asked, decision } = guarded(t, options);
      server.post("/", async (exchange) => exchange.end(await exchange.text()));
      const client = connect().send(post("/", 4, "Expect: 100-continue\r\n"));
      await asked.wait("the hook");
      await turns();
      assert.equal(client.text, "");
      decision.give();
      assert.match((await client.head()) ?? "", /^HTTP\/1\.1 100 /);
      assert.equal((await client.send("sent").answer()).text, "sent");
    });

    test("Expect: 100-continue: a refusal comes without asking, and closes", async (t) => {
      const { server, connect, asked, decision } = guarded(t, options);
      server.onRequest((exchange) => void exchange.refuse(403));
      server.post("/", (exchange) => exchange.end("inside"));
      const client = connect().send(post("/", 4, "Expect: 100-continue\r\n"));
      await asked.wait("the hook");
      decision.give();
      const answer = await client.answer();
      assert.deepEqual([answer.status, answer.header("connection")], [403, "close"]);
    });

    test("pipelined requests come one after the other, and each is asked about", async (t) => {
      const { server, connect } = polled(t, options);
      const log: string[] = [];
      server.onRequest(async (exchange) => {
        log.push(`hook ${exchange.path}`);
        await turns(3);
        if (exchange.path === "/2") exchange.refuse(403);
      });
      server.get("/:n", (exchange) => {
        log.push(`route ${exchange.path}`);
        exchange.end(exchange.path);
      });
      const client = connect().get("/1").get("/2").get("/3");
      const statuses: number[] = [];
      for (let i = 0; i < 3; i++) statuses.push((await client.answer()).status);
      assert.deepEqual(statuses, [200, 403, 200]);
      assert.deepEqual(log, ["hook /1", "route /1", "hook /2", "hook /3", "route /3"]);
    });

    for (const asks of [false, true]) {
      test(`a WebSocket is opened afterwards, ${asks ? "and upgrade asked then" : "without upgrade"}`, async (t) => {
        const { server, connect, asked, decision, log } = guarded(t, options);
        server.websocket("/ws", {
          ...(asks ? { upgrade: () => void log.push("upgrade") } : {}),
          open: () => void log.push("open"),
          message: (socket, data) => void socket.send(`${data}!`),
        });
        const raw = connect().send(handshake("/ws")).send(frame(1, "early"));
        await asked.wait("the hook");
        await turns();
        assert.deepEqual(log, []);
        decision.give();
        const client = new WebSocketClient(raw, await raw.answer());
        assert.equal(await client.text(), "early!");
        assert.equal(client.response.header("x-hook"), "1");
        const before = asks ? ["hook", "next", "upgrade"] : ["hook", "next"];
        assert.deepEqual(log, [...before, "upgraded 101", "open"]);
      });

      test(`a WebSocket is refused by it, ${asks ? "and upgrade not asked" : "without upgrade"}`, async (t) => {
        const { server, connect, asked, decision, log } = guarded(t, options);
        server.onRequest((exchange) => void exchange.refuse(401));
        server.websocket("/ws", {
          ...(asks ? { upgrade: () => void log.push("upgrade") } : {}),
          open: () => void log.push("open"),
        });
        const raw = connect().send(handshake("/ws"));
        await asked.wait("the hook");
        decision.give();
        assert.equal((await raw.answer()).status, 401);
        assert.deepEqual(log, ["hook", "next", "complete 401"]);
      });
    }

    test("when the time to close is over it is answered with 503, and the hook is told", async (t) => {
      const { server, connect, asked, decision, log } = guarded(t, options);
      server.get("/", () => void log.push("route"));
      const client = connect().get("/");
      await asked.wait("the hook");
      const closed = server.close({ graceMs: 1 });
      const answer = await client.answer();
      assert.deepEqual([answer.status, answer.header("x-hook")], [503, "1"]);
      await closed;
      decision.give();
      await turns();
      assert.deepEqual(log, ["aborted 503", "abort", "hook"]);
    });
  });
}

describe("server.close() while a hook waits", () => {
  test("lets the request go on", async (t) => {
    const { server, connect, asked, decision } = guarded(t, {});
    server.get("/", (exchange) => exchange.end("done"));
    const client = connect().get("/");
    await asked.wait("the hook");
    const closed = server.close({ graceMs: 10_000 });
    decision.give();
    const answer = await client.answer();
    assert.deepEqual([answer.text, answer.header("connection")], ["done", "close"]);
    client.end();
    await closed;
  });

  test("with deferred delivery it is answered with 503: nobody polls any more", async (t) => {
    const { server, connect, asked, decision, log } = guarded(t, { delivery: "deferred" });
    server.get("/", () => void log.push("route"));
    const client = connect().get("/");
    await asked.wait("the hook");
    const closed = server.close({ graceMs: 10_000 });
    decision.give();
    assert.equal((await client.answer()).status, 503);
    client.end();
    await closed;
    assert.ok(!log.includes("route"));
  });
});

for (const delivery of ["immediate", "deferred"] as const) {
  test(`a hook that waits for too long is told at once, with ${delivery} delivery and without a poll`, async (t) => {
    const { server, connect } = harness(t, { delivery, limits: { handlerTimeoutMs: 20 } });
    const told: string[] = [];
    server.onRequest((exchange) => {
      exchange.onAbort(() => told.push(`abort, signal ${exchange.signal.aborted}`));
      return new Promise(() => {});
    });
    server.get("/", () => {});
    assert.equal((await connect().get("/").answer()).status, 503);
    await turns();
    assert.deepEqual(told, ["abort, signal true"]);
    // Events begin with the request, which the program has never been told of.
    assert.equal(server.waitingEvents, 0);
  });
}

for (const waits of [false, true]) {
  test(`with deferred delivery, a request that a hook answers ${waits ? "later" : "at once"} makes no events`, async (t) => {
    const { server, connect } = harness(t, { delivery: "deferred" });
    const told: string[] = [];
    const answer = (exchange: Exchange): void => {
      exchange.onAbort(() => told.push("abort"));
      exchange.write("the first of many pieces");
    };
    server.onRequest(waits ? (exchange) => turns().then(() => answer(exchange)) : answer);
    server.post("/", () => {});
    const client = connect().send(post("/", 10));
    await client.untilText("pieces");
    client.send("12345");
    await turns();
    client.destroy();
    await turns();
    assert.deepEqual([told, server.waitingEvents], [["abort"], 0]);
  });
}

test("events() tells of the request first, and then of its content, as if nobody had waited", async (t) => {
  const { server, connect } = harness(t, { delivery: "deferred" });
  const decision = signal();
  server.onRequest(() => decision.promise);
  server.post("/", () => {});
  const client = connect().send(post("/", 10)).send("12345");
  await turns();
  assert.equal(server.waitingEvents, 0);
  decision.give();
  const log: string[] = [];
  for await (const event of server.events()) {
    log.push(event.type === "body" ? `${event.data} ${event.last}` : event.type);
    if (event.type === "request") client.send("67890");
    if (event.type !== "body" || !event.last) continue;
    event.exchange.end();
    break;
  }
  assert.deepEqual(log, ["request", "12345 false", "67890 true"]);
});

test("a synchronous hook costs no turn: the route runs before any promise goes on", async (t) => {
  const { server, connect } = harness(t);
  const log: string[] = [];
  server.onRequest(() => {
    queueMicrotask(() => log.push("microtask"));
  });
  server.get("/", (exchange) => {
    log.push("route");
    exchange.end();
  });
  await connect().get("/").answer();
  assert.deepEqual(log, ["route", "microtask"]);
});

describe("a hook that sets a status from 300 on refuses, also without end", () => {
  for (const waits of [false, true]) {
    test(waits ? "later" : "at once", async (t) => {
      const { server, connect, reports } = harness(t);
      const log: string[] = [];
      const decide = (exchange: Exchange): void => {
        if (exchange.path.startsWith("/in")) exchange.status(299);
        else exchange.status(307).setHeader("Location", "/login");
      };
      server.onRequest(waits ? async (exchange) => turns(2).then(() => decide(exchange)) : decide);
      server.get("/*", (exchange) => {
        log.push(exchange.path);
        exchange.end("inside");
      });
      server.websocket("/ws", { open: () => void log.push("open") });
      const client = connect().get("/out").send(handshake("/ws")).get("/in");
      for (let i = 0; i < 2; i++) {
        const answer = await client.answer();
        assert.deepEqual([answer.status, answer.header("location"), answer.text], [307, "/login", ""]);
      }
      assert.deepEqual([(await client.answer()).status, log, reports], [299, ["/in"], []]);
    });
  }
});

describe("a hook that begins to stream its answer, and does not wait for it, answers", () => {
  const page = "down for maintenance";
  async function* pieces(): AsyncGenerator<string> {
    await turns();
    yield page;
  }
  for (const waits of [false, true]) {
    for (const status of [200, 503]) {
      test(`${waits ? "later" : "at once"}, with ${status}`, async (t) => {
        const { server, connect } = harness(t);
        const log: string[] = [];
        const answer = (exchange: Exchange): void => void exchange.status(status).stream(pieces());
        server.onRequest(waits ? (exchange) => turns().then(() => answer(exchange)) : answer);
        server.onRequest(() => void log.push("next"));
        server.delete("/", () => void log.push("route"));
        const sent = await connect().send("DELETE / HTTP/1.1\r\nHost: h\r\n\r\n").answer();
        assert.deepEqual([sent.status, sent.text, log], [status, page, []]);
      });
    }
  }
});

test("refuse answers with a status, what was set and a body; statuses that let pass are mistakes", async (t) => {
  const { server, connect, reports } = harness(t);
  server.onRequest((exchange) => {
    if (exchange.path === "/mistake") return void exchange.refuse(204);
    return void exchange.setHeader("WWW-Authenticate", "Basic").refuse(401, "who are you?");
  });
  server.get("/*", (exchange) => exchange.end("inside"));
  const client = connect().get("/").get("/mistake");
  const answer = await client.answer();
  assert.deepEqual([answer.status, answer.text], [401, "who are you?"]);
  assert.equal(answer.header("www-authenticate"), "Basic");
  assert.equal((await client.answer()).status, 500);
  assert.match(String(reports[0]?.error), /300 to 599/);
});

test("a part that comes later than mount is refused: requests could pass before its hooks are there", (t) => {
  const { server } = harness(t);
  assert.throws(() => server.mount(async () => Promise.reject(new Error("nobody waits"))), {
    code: "ERR_ROUTE",
  });
});

test("hooks of any kind are typed so that linters accept them", (t) => {
  const { server } = harness(t);
  server.onRequest((exchange) => exchange.header("x") === undefined && exchange.end());
  server.onRequest((exchange) => exchange.setHeader("X-A", 1));
  server.onRequest(async (exchange) => {
    await exchange.drained();
  });
  server.onRequest(async (exchange) => exchange.setHeader("X-A", 1));
  // @ts-expect-error: the hook takes something else
  server.onRequest((exchange: string) => exchange.length);
});
