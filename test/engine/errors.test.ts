import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import type { Exchange, WebSocket } from "../../src/exchange/exchange.ts";
import { Server } from "../../src/server/server.ts";
import { failing, throwing } from "../support/failing.ts";
import { frame, PONG } from "../support/frames.ts";
import { asked, errorsOf, harness, nextAnswers, pendingRequest, routed } from "../support/harness.ts";
import { memoryClient } from "../support/raw-client.ts";
import { eventually, signal, turns } from "../support/waiting.ts";
import { open } from "../support/web-socket-client.ts";
import { handshake } from "../support/web-socket-handshake.ts";
import { webSocketPair } from "../support/web-socket-pair.ts";

/** Errors that got past everything, which would have ended a program. */
function escaped(t: TestContext): unknown[] {
  const errors: unknown[] = [];
  const note = (error: unknown): void => void errors.push(error);
  // The runner's own listeners would fail the test and stop it where it is.
  const names = ["uncaughtException", "unhandledRejection"] as const;
  const before = names.map((name) => process.listeners(name as "uncaughtException"));
  for (const name of names) process.removeAllListeners(name).on(name, note);
  t.after(() => {
    for (const [index, name] of names.entries()) {
      process.removeAllListeners(name);
      for (const listener of before[index] ?? []) process.on(name as "uncaughtException", listener);
    }
  });
  return errors;
}

const failure = new Error("the program's mistake");

describe("an HTTP handler", () => {
  for (const [name, handler] of [
    ["that throws", throwing(failure)],
    ["that rejects", () => Promise.reject(failure)],
    [
      "that rejects later",
      async () => {
        await turns(2);
        throw failure;
      },
    ],
  ] as [string, () => Promise<void>][]) {
    test(`${name} is answered 500 without what it had set, reported with its exchange, and the connection goes on`, async (t) => {
      let seen: Exchange | undefined;
      const { server, connect, reports } = routed(harness(t), "get", (exchange) => {
        seen = exchange;
        exchange.status(200).setHeader("X-Own", 1).setHeader("Content-Length", 7);
        return handler();
      });
      server.get("/ok", (exchange) => void exchange.end("ok"));
      const client = connect().get("/").get("/ok");
      const answer = await client.answer();
      assert.deepEqual([answer.status, answer.text], [500, "Internal Server Error\n"]);
      assert.deepEqual([answer.header("x-own"), answer.header("content-length")], [undefined, "22"]);
      assert.equal((await client.answer()).text, "ok");
      assert.deepEqual(reports, [{ error: failure, where: seen }]);
    });
  }

  test("that throws after the head was sent destroys the connection", async (t) => {
    const { reports, client } = asked(harness(t), (exchange) => {
      exchange.write("part");
      throw failure;
    });
    await client.until(() => client.closed, "the connection to be destroyed");
    assert.doesNotMatch(client.rest, /0\r\n\r\n/);
    assert.equal(reports.length, 1);
  });

  test("that throws after its response is complete is reported and changes nothing", async (t) => {
    const { connect, reports } = routed(harness(t), "get", (exchange) => {
      exchange.end("done");
      throw failure;
    });
    const client = connect().get("/").get("/");
    assert.deepEqual(await nextAnswers(client, "text", "text"), ["done", "done"]);
    assert.equal(reports.length, 2);
  });

  test("that throws after the peer has gone is reported", async (t) => {
    const { reports, client } = await pendingRequest(t, {}, async (exchange) => {
      await new Promise<void>((resolve) => exchange.onAbort(resolve));
      throw failure;
    });
    client.destroy();
    await eventually(() => reports.length > 0, "a report");
  });

  test("may return what a call returned, as arrow functions without braces do", async (t) => {
    const { server, connect, reports } = harness(t);
    server.get("/true", (exchange) => exchange.end("ok"));
    assert.equal((await connect().get("/true").answer()).text, "ok");
    server.websocket("/ws", {
      message: ((socket: WebSocket, data: Buffer) => socket.send(data)) as unknown as () => void,
    });
    const ws = await open(connect(), "/ws");
    ws.send("echo");
    assert.equal((await ws.next()).type, "message");
    await turns();
    ws.read();
    assert.deepEqual(ws.events, [], "closed because a message was sent");
    assert.deepEqual(reports, []);
  });

  test("may throw anything", async (t) => {
    const { server, connect, reports } = harness(t);
    server.get("/undefined", () => Promise.reject(undefined));
    server.get("/text", throwing("text"));
    const client = connect().get("/undefined").get("/text");
    assert.deepEqual(await nextAnswers(client, "status", "status"), [500, 500]);
    assert.deepEqual(errorsOf(reports), [undefined, "text"]);
  });

  test("that throws while content is still arriving is answered 500 all the same", async (t) => {
    const { connect } = routed(harness(t), "post", throwing(failure));
    const client = connect().send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nabc");
    const answer = await client.answer();
    assert.deepEqual([answer.status, answer.header("connection")], [500, "close"]);
  });
});

describe("a callback of an exchange", () => {
  test("onBody that throws: 500, a report, no crash and no hanging request", async (t) => {
    const uncaught = escaped(t);
    const { connect, reports } = routed(harness(t), "post", (exchange) => {
      exchange.onBody(throwing(failure));
    });
    const client = connect().post("/", "abc");
    const answer = await client.answer().catch((error: unknown) => error as Error);
    assert.deepEqual(uncaught, []);
    assert.equal(reports.length, 1);
    assert.equal(reports[0]?.error, failure);
    assert.equal("status" in answer ? answer.status : answer.message, 500);
  });

  test("onBody that rejects: 500, a report, no crash and no hanging request", async (t) => {
    const uncaught = escaped(t);
    const { connect, reports } = routed(harness(t), "post", (exchange) => {
      exchange.onBody(async () => {
        await turns(1);
        throw failure;
      });
    });
    const client = connect().post("/", "abc");
    const answer = await client.answer().catch((error: unknown) => error as Error);
    assert.deepEqual(uncaught, [], "this ends the program");
    assert.equal(reports.length, 1);
    assert.equal("status" in answer ? answer.status : answer.message, 500);
  });

  for (const rejects of [false, true]) {
    test(`onAbort that ${rejects ? "rejects" : "throws"}: a report, the other listeners run, no crash`, async (t) => {
      const uncaught = escaped(t);
      const other = signal();
      const { reports, client } = await pendingRequest(t, {}, (exchange) => {
        exchange.onAbort(failing(rejects, failure));
        exchange.onAbort(() => other.give());
      });
      client.destroy();
      await other.wait("the other listener");
      await turns();
      assert.deepEqual(uncaught, []);
      assert.deepEqual(errorsOf(reports), [failure]);
    });

    test(`onWritable that ${rejects ? "rejects" : "throws"}: a report, the connection ends, no crash`, async (t) => {
      const uncaught = escaped(t);
      const { reports, client } = asked(harness(t), (exchange) => {
        exchange.onWritable(failing(rejects, failure));
        exchange.write("x".repeat(200_000));
      });
      await eventually(() => reports.length > 0 || uncaught.length > 0, "a report");
      assert.deepEqual(uncaught, []);
      await client.over("the response that can get no further to be broken off");
    });
  }
});

describe("onError", () => {
  test("may answer in place of the 500", async (t) => {
    const { server, connect } = harness(t, {
      onError: (_error, where) => {
        if (where !== undefined && "headSent" in where && !where.headSent) where.status(503).end("sorry");
      },
    });
    server.get("/", throwing(failure));
    server.get("/begun", async (exchange) => {
      exchange.write("begun");
      await Promise.reject(failure);
    });
    const client = connect().get("/").get("/begun");
    const { status, text } = await client.answer();
    assert.deepEqual([status, text], [503, "sorry"]);
    await client.over("the response that had begun to be broken off");
  });

  test("that throws itself does no harm", async (t) => {
    const uncaught = escaped(t);
    const printed = t.mock.method(console, "error", () => {});
    const { server, connect } = harness(t, {
      onError: throwing(new Error("onError's own")),
    });
    server.get("/", throwing(failure));
    server.get("/ok", (exchange) => void exchange.end("ok"));
    const client = connect().get("/").get("/ok");
    assert.deepEqual(await nextAnswers(client, "status", "text"), [500, "ok"]);
    assert.deepEqual(uncaught, []);
    assert.ok(printed.mock.callCount() > 0, "nobody was told");
  });

  test("that rejects does no harm", async (t) => {
    const uncaught = escaped(t);
    t.mock.method(console, "error", () => {});
    const { server, connect } = harness(t, {
      onError: async () => {
        await Promise.reject(new Error("onError's own"));
      },
    });
    server.get("/", throwing(failure));
    assert.equal((await connect().get("/").answer()).status, 500);
    await turns();
    assert.deepEqual(uncaught, [], "this ends the program");
  });

  test("is the console where none is given, after what was asked for", async (t) => {
    const printed = t.mock.method(console, "error", () => {});
    const server = new Server();
    t.after(() => server.close({ graceMs: 0 }));
    const fail = throwing(failure);
    server.get("/a/:id", fail);
    server.onClose(fail);
    assert.equal((await memoryClient(server).get("/a/7?b").answer()).status, 500);
    await server.close();
    const lines = printed.mock.calls.map((call) => call.arguments);
    assert.deepEqual(lines, [["GET /a/7:", failure], [failure]]);
  });
});

describe("a WebSocket handler", () => {
  type Trigger = (client: Awaited<ReturnType<typeof open>>) => void;
  const cases: [string, Trigger][] = [
    ["open", () => {}],
    ["message", (client) => client.send("x")],
    ["pong", (client) => client.raw.send(frame(PONG))],
  ];
  for (const [name, trigger] of cases) {
    for (const rejects of [false, true]) {
      test(`${name} that ${rejects ? "rejects" : "throws"} closes with 1011 and is reported with its socket`, async (t) => {
        const uncaught = escaped(t);
        let seen: WebSocket | undefined;
        const fail = (socket: WebSocket<undefined>): void | Promise<void> => {
          seen = socket as WebSocket;
          if (rejects) return Promise.reject(failure);
          throw failure;
        };
        const { reports, client, closed } = await webSocketPair(t, { [name]: fail });
        trigger(client);
        assert.equal((await client.closeFrame()).code, 1011);
        await closed();
        assert.deepEqual(reports, [{ error: failure, where: seen }]);
        assert.deepEqual(uncaught, []);
      });
    }
  }

  for (const rejects of [false, true]) {
    test(`close that ${rejects ? "rejects" : "throws"} is reported`, async (t) => {
      const uncaught = escaped(t);
      const { reports, client } = await webSocketPair(t, { close: failing(rejects, failure) });
      client.close(1000);
      await eventually(() => reports.length > 0, "a report");
      await turns();
      assert.equal(reports.length, 1);
      assert.deepEqual(uncaught, []);
    });

    test(`drain that ${rejects ? "rejects" : "throws"} closes with 1011`, async (t) => {
      const { reports, client, socket } = await webSocketPair(t, { drain: failing(rejects, failure) });
      client.raw.pause();
      while (socket.send("x".repeat(1_000)) === "sent") await turns(1);
      client.raw.resume();
      assert.equal((await client.closeFrame()).code, 1011);
      assert.equal(reports[0]?.error, failure);
    });

    test(`upgrade that ${rejects ? "rejects" : "throws"} is answered 500`, async (t) => {
      const { server, connect, reports } = harness(t);
      server.websocket("/", {
        upgrade(exchange) {
          exchange.setHeader("X-Own", 1);
          if (rejects) return Promise.reject(failure);
          throw failure;
        },
      });
      const answer = await connect().send(handshake("/")).answer();
      assert.deepEqual([answer.status, answer.header("x-own")], [500, undefined]);
      assert.equal(reports[0]?.error, failure);
      assert.equal(server.counters.webSockets, 0);
    });
  }

  test("a protocols function that throws is answered 500 and reported, with and without an upgrade handler", async (t) => {
    const uncaught = escaped(t);
    const { server, connect, reports } = harness(t);
    const options = {
      protocols: (): string => {
        throw failure;
      },
    };
    server.websocket("/with", { upgrade: () => undefined }, options);
    server.websocket("/without", {}, options);
    for (const path of ["/with", "/without"]) {
      const client = connect().send(handshake(path, "Sec-WebSocket-Protocol: a\r\n"));
      const answer = await client.answer().catch((error: unknown) => error as Error);
      assert.deepEqual(uncaught, [], `${path}: this ends the program`);
      assert.equal("status" in answer ? answer.status : answer.message, 500);
    }
    assert.equal(reports.length, 2);
  });

  test("settings of the compression that are out of range are refused when the route is added", async (t) => {
    const { server } = harness(t);
    assert.throws(() => server.websocket("/", {}, { compression: { level: 99 } }), RangeError);
  });

  test("an error in one WebSocket leaves the others alone", async (t) => {
    const { connect, client: bad } = await webSocketPair(t, {
      message(socket, data) {
        if (data.toString() === "fail") throw failure;
        socket.send(data);
      },
    });
    const good = await open(connect(), "/");
    bad.send("fail").send("after");
    good.send("hello");
    assert.equal((await bad.next()).type, "close");
    assert.equal((await good.next()).type, "message");
  });
});

describe("deferred delivery", () => {
  test("a handler that throws in poll is answered 500, and poll goes on", async (t) => {
    const { server, connect, reports } = harness(t, { delivery: "deferred" });
    server.get("/", throwing(failure));
    server.get("/ok", (exchange) => void exchange.end("ok"));
    const bad = connect().get("/");
    const good = connect().get("/ok");
    await eventually(() => server.waitingEvents === 2, "both events");
    assert.equal(server.poll(), 2);
    assert.equal((await bad.answer()).status, 500);
    assert.equal((await good.answer()).text, "ok");
    assert.equal(reports.length, 1);
  });
});

describe("configuration", () => {
  test("limits that are unknown or no numbers from 0 on throw RangeError at once", async (t) => {
    const make = (limits: object): void => void harness(t, { limits });
    for (const limits of [
      { maxNonsense: 1 },
      { toString: 1 },
      { maxHeadBytes: -1 },
      { maxHeadBytes: Number.NaN },
      { maxHeadBytes: "10" },
      { maxHeadBytes: null },
      { maxHeadBytes: true },
      { requireContentLength: 1 },
    ]) {
      assert.throws(() => make(limits), RangeError, JSON.stringify(limits));
    }
    make({ maxHeadBytes: 0, maxConnections: Number.POSITIVE_INFINITY, requireContentLength: true });
  });
});
