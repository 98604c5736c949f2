import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runInNewContext } from "node:vm";
import type { Exchange } from "../../src/exchange/exchange.ts";
import type { Handler } from "../../src/server/target.ts";
import { asked, codeOf, codesOf, harness, nextAnswers, pendingRequest, routed } from "../support/harness.ts";
import { signal, turns } from "../support/waiting.ts";
import { handshake } from "../support/web-socket-handshake.ts";

const TEXT = "text/plain; charset=utf-8";
const JSON_TYPE = "application/json";

async function* generated(): AsyncGenerator<string> {
  yield "a";
  yield "b";
}

class Money {
  readonly amount = 5;
}

describe("what a handler returns is the answer", () => {
  const results: [what: string, handler: Handler, text: string, type: string | undefined][] = [
    ["text", () => "Grüße", "Grüße", TEXT],
    ["no text", () => "", "", undefined],
    ["bytes", () => Buffer.from("ab"), "ab", "application/octet-stream"],
    ["an object", () => ({ a: [1] }), '{"a":[1]}', JSON_TYPE],
    ["an object without a prototype", () => ({ __proto__: null, a: 1 }), '{"a":1}', JSON_TYPE],
    ["an object of another realm", () => runInNewContext("({ a: 1 })"), '{"a":1}', JSON_TYPE],
    ["an array", () => ["a", 1], '["a",1]', JSON_TYPE],
    ["a Response", () => new Response("a", { status: 201 }), "a", "text/plain;charset=UTF-8"],
    ["a ReadableStream", () => new Blob(["ab"]).stream(), "ab", "application/octet-stream"],
    ["an async iterable", generated, "ab", TEXT],
    ["an iterable", () => new Set(["a", "b"]), "ab", TEXT],
    ["a promise of text", async () => "later", "later", TEXT],
    ["a promise of an object", async () => ({ a: 1 }), '{"a":1}', JSON_TYPE],
    ["what end returns", (exchange) => exchange.end("a"), "a", TEXT],
    ["what write and end return", (exchange) => exchange.write("a") && exchange.end("b"), "ab", TEXT],
    ["what stream returns", (exchange) => exchange.stream(generated()), "ab", TEXT],
  ];
  for (const [what, handler, text, type] of results) {
    test(what, async (t) => {
      const { connect, reports } = routed(harness(t), "get", handler);
      // The connection goes on with the next request.
      const client = connect().get("/").get("/");
      for (const _ of [1, 2]) {
        const answer = await client.answer();
        assert.deepEqual([answer.text, answer.header("content-type")?.replace(";c", ";c")], [text, type]);
      }
      assert.deepEqual(reports, []);
    });
  }

  test("with the status and the fields that were set before", async (t) => {
    const { connect } = routed(harness(t), "get", (exchange) => {
      exchange.status(202).setHeader("Content-Type", "application/problem+json");
      return { a: 1 };
    });
    const answer = await connect().get("/").answer();
    assert.deepEqual([answer.status, answer.text], [202, '{"a":1}']);
    assert.equal(answer.header("content-type"), "application/problem+json");
  });

  test("to HEAD, too, without its content", async (t) => {
    const { connect } = routed(harness(t), "get", () => ({ a: 1 }));
    const answer = await connect().send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n").answer("HEAD");
    assert.deepEqual([answer.header("content-type"), answer.header("content-length")], [JSON_TYPE, "7"]);
  });

  test("with deferred delivery", async (t) => {
    const { server, client } = asked(harness(t, { delivery: "deferred" }), () => "polled");
    assert.equal(await server.waitForEvent(), true);
    server.poll();
    assert.equal((await client.answer()).text, "polled");
  });
});

describe("what is not an answer is reported and answered with 500", () => {
  const wrong: [what: string, value: unknown, message: RegExp][] = [
    ["a number", 5, /not: a number$/],
    ["true", true, /not: a boolean$/],
    ["false", false, /not: a boolean$/],
    ["null", null, /not: null$/],
    ["a symbol", Symbol("a"), /not: a symbol$/],
    ["a function", () => "a", /not: a function$/],
    ["a bigint", 5n, /not: a bigint$/],
    ["an instance of a class", new Money(), /not: an instance of Money$/],
    ["a date", new Date(), /not: an instance of Date$/],
    ["what JSON cannot hold", { a: 5n }, /BigInt/],
    ["numbers of two bytes", Uint16Array.of(1), /neither text nor bytes/],
  ];
  for (const [what, value, message] of wrong) {
    for (const isAsync of [false, true]) {
      test(`${what}${isAsync ? ", by a promise" : ""}`, async (t) => {
        const handler = isAsync ? async () => value : () => value;
        const { server, connect, reports } = routed(harness(t), "get", handler as Handler);
        server.get("/after", () => "after");
        const client = connect().get("/").get("/after");
        assert.deepEqual(await nextAnswers(client, "status", "text"), [500, "after"]);
        assert.equal(reports.length, 1);
        assert.match(String(reports[0]?.error), message);
      });
    }
  }

  test("the compiler refuses them", (t) => {
    const { server } = harness(t);
    // @ts-expect-error a number
    server.get("/1", () => 5);
    // @ts-expect-error a boolean that is not what a call of the exchange returned
    server.get("/2", () => true);
    // @ts-expect-error null
    server.get("/3", () => null);
    // @ts-expect-error a symbol
    server.get("/4", () => Symbol("a"));
    // @ts-expect-error a function
    server.get("/5", () => () => "a");
    // @ts-expect-error an instance of a class
    server.get("/6", () => new Money());
    // @ts-expect-error a date
    server.get("/7", async () => new Date());
    // @ts-expect-error an exchange whose end was forgotten
    server.get("/8", (exchange) => exchange.status(204));
    // @ts-expect-error numbers of two bytes
    server.get("/9", () => Uint16Array.of(1));
    // @ts-expect-error a map
    server.get("/10", () => new Map([["a", 1]]));
  });
});

describe("a promise inside of what a handler returns is an error, because JSON shows it as {}", () => {
  const results: [what: string, result: () => object, where: string][] = [
    ["of an asynchronous map", () => [1, 2].map(async (id) => ({ id })), "0"],
    ["deep inside", () => ({ a: [{}, { b: Promise.resolve(1) }] }), "b"],
    ["that fails", () => ({ a: Promise.reject(new Error("a")), b: Promise.reject(new Error("b")) }), "a"],
  ];
  for (const [what, result, where] of results) {
    test(what, async (t) => {
      const { server, connect, reports } = harness(t);
      server.get("/", (() => result()) as Handler);
      assert.equal((await connect().get("/").answer()).status, 500);
      assert.equal(codeOf(reports[0]?.error), "ERR_RESULT");
      assert.match(String(reports[0]?.error), new RegExp(`a promise inside of it, at "${where}": await it`));
    });
  }

  test("but other empty objects are sent", async (t) => {
    const { connect } = routed(harness(t), "get", () => ({ a: {}, b: [{}] }));
    assert.equal((await connect().get("/").answer()).text, '{"a":{},"b":[{}]}');
  });
});

describe("a handler that has answered and returns something else", () => {
  for (const [what, value] of [
    ["text", "again"],
    ["an object", { a: 1 }],
    ["a number", 5],
    ["a stream", new Blob(["ab"]).stream()],
  ] as const) {
    test(`is told so once for its route: ${what}`, async (t) => {
      const { server, connect, reports } = harness(t);
      server.get("/:id", ((exchange: Exchange) => {
        exchange.end("first");
        return value;
      }) as Handler);
      const client = connect().get("/1").get("/2");
      assert.deepEqual(await nextAnswers(client, "text", "text"), ["first", "first"]);
      assert.deepEqual(codesOf(reports), ["ERR_ANSWERED"]);
    });
  }

  test("is told so, too, when its answer is a stream that has given nothing yet", async (t) => {
    const { connect, reports } = routed(harness(t), "get", (exchange) => {
      void exchange.stream(new Blob(["first"]).stream());
      return "again";
    });
    assert.equal((await connect().get("/").answer()).text, "first");
    assert.equal(codeOf(reports[0]?.error), "ERR_ANSWERED");
  });

  test("has its stream cancelled", async (t) => {
    const cancelled = signal();
    const { connect } = routed(harness(t), "get", (exchange) => {
      exchange.write("mine");
      return new ReadableStream({ cancel: () => cancelled.give() });
    });
    connect().get("/");
    await cancelled.wait("the cancellation");
  });
});

describe("a handler that ends without an answer", () => {
  test("is reported with its route and answered with 500, when it is asynchronous", async (t) => {
    const { server, connect, reports } = harness(t);
    server.get("/users/:id", async () => {});
    assert.equal((await connect().get("/users/7").answer()).status, 500);
    assert.equal(codeOf(reports[0]?.error), "ERR_NO_ANSWER");
    assert.match(String(reports[0]?.error), /GET \/users\/:id$/);
    assert.equal(reports.length, 1);
  });

  const promises: [what: string, promise: (exchange: Exchange, answer: () => void) => void][] = [
    ["onBody", (exchange, answer) => exchange.onBody((_, last) => void (last && answer()))],
    [
      "answerWithin",
      (exchange, answer) => {
        exchange.answerWithin(5_000);
        setImmediate(() => exchange.onBody((_, last) => void (last && answer())));
      },
    ],
  ];
  for (const [what, promise] of promises) {
    test(`can answer later after ${what}`, async (t) => {
      const { server, connect, reports } = harness(t);
      server.post("/", async (exchange) => promise(exchange, () => void exchange.end("later")));
      const client = connect().send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\na");
      await turns();
      assert.equal((await client.send("b").answer()).text, "later");
      assert.deepEqual(reports, []);
    });
  }

  test("can have begun to stream", async (t) => {
    const go = signal();
    async function* later(): AsyncGenerator<string> {
      await go.promise;
      yield "later";
    }
    const { reports, client } = asked(harness(t), async (exchange) => void exchange.stream(later()));
    await turns();
    go.give();
    assert.equal((await client.answer()).text, "later");
    assert.deepEqual(reports, []);
  });

  test("can answer later when it is not asynchronous", async (t) => {
    const { server, connect, reports } = harness(t);
    server.get("/", (exchange) => void setImmediate(() => exchange.end("later")));
    assert.equal((await connect().get("/").answer()).text, "later");
    assert.deepEqual(reports, []);
  });

  test("is left alone when its client has disconnected, whatever it returns", async (t) => {
    const { server, connect, reports } = harness(t);
    const handled = signal();
    for (const [path, value] of [
      ["/a", undefined],
      ["/b", "text"],
      ["/c", false],
      ["/d", { a: 1 }],
    ] as const) {
      server.get(path, (async (exchange: Exchange) => {
        await new Promise<void>((resolve) => exchange.onAbort(resolve));
        setImmediate(() => handled.give());
        return value;
      }) as Handler);
      const client = connect().get(path);
      await turns();
      client.destroy();
    }
    await handled.wait("the handlers to end");
    await turns();
    assert.deepEqual(reports, []);
  });
});

describe("handlerTimeoutMs", () => {
  const SHORT = { limits: { handlerTimeoutMs: 20 } };

  test("ends what never comes with 503, and the connection goes on", async (t) => {
    const { server, connect, reports } = harness(t, SHORT);
    const aborted = signal<boolean>();
    const ends: unknown[] = [];
    server.onResponse((exchange, { outcome, status }) => ends.push(exchange.route, outcome, status));
    server.get("/users/:id", (exchange) => exchange.onAbort(() => aborted.give(exchange.signal.aborted)));
    server.get("/after", () => "after");
    const client = connect().get("/users/7");
    const answer = await client.answer();
    assert.deepEqual([answer.status, answer.header("connection")], [503, undefined]);
    assert.equal(await aborted.wait("the program to be told"), true);
    assert.equal(codeOf(reports[0]?.error), "ERR_HANDLER_TIMEOUT");
    assert.match(String(reports[0]?.error), /GET \/users\/:id, 20 ms$/);
    assert.equal((await client.get("/after").answer()).text, "after");
    assert.deepEqual(ends.slice(0, 3), ["/users/:id", "complete", 503]);
    assert.equal(reports.length, 1);
    assert.equal(server.counters.errors["ERR_HANDLER_TIMEOUT"], 1);
  });

  test("over TCP, and what the handler answers later reaches nobody", async (t) => {
    const { server, reports, client, exchange } = await pendingRequest(t, SHORT, undefined, "TCP");
    server.get("/after", () => "after");
    assert.equal((await client.answer()).status, 503);
    assert.equal(exchange.end("late"), false);
    assert.equal((await client.get("/after").answer()).text, "after");
    assert.equal(reports.length, 1);
  });

  test("an asynchronous handler that returns its answer too late is told nothing more", async (t) => {
    const done = signal();
    const { connect, reports } = routed(harness(t, SHORT), "get", async (exchange) => {
      await new Promise<void>((resolve) => exchange.onAbort(resolve));
      setImmediate(() => done.give());
      return { late: true };
    });
    assert.equal((await connect().get("/").answer()).status, 503);
    await done.wait("the handler to end");
    assert.equal(reports.length, 1);
  });

  test("of a route holds in place of that of the server, 0 for ever", async (t) => {
    const { server, connect } = harness(t, { limits: { handlerTimeoutMs: 30_000 } });
    server.get("/short", () => {}, { handlerTimeoutMs: 20 });
    assert.equal((await connect().get("/short").answer()).status, 503);
    server.limits.handlerTimeoutMs = 20;
    const waiting = signal<Exchange>();
    server.get("/long", (exchange) => waiting.give(exchange), { handlerTimeoutMs: 0 });
    const client = connect().get("/long");
    assert.equal((await connect().get("/short").answer()).status, 503);
    (await waiting.wait("the exchange")).end("after all");
    assert.equal((await client.answer()).text, "after all");
    assert.throws(() => server.get("/x", () => "x", { handlerTimeoutMs: -1 }), RangeError);
    assert.throws(() => server.get("/x", () => "x", { handlerTimeoutMs: Number.NaN }), RangeError);
  });

  test("answerWithin sets that of one exchange, also when the time runs", async (t) => {
    const { server, connect } = harness(t, { limits: { handlerTimeoutMs: 30_000 } });
    server.get("/now", async (exchange) => void exchange.answerWithin(20));
    server.get("/later", (exchange) => void setImmediate(() => exchange.answerWithin(20)));
    server.get("/wrong", (exchange) => {
      assert.throws(() => exchange.answerWithin(-1), RangeError);
      return "refused";
    });
    assert.equal((await connect().get("/now").answer()).status, 503);
    assert.equal((await connect().get("/later").answer()).status, 503);
    assert.equal((await connect().get("/wrong").answer()).text, "refused");
  });

  test("does not end a response that has begun", async (t) => {
    const { server, connect, reports, client, exchange } = await pendingRequest(t, SHORT);
    exchange.write("a");
    server.get("/short", () => {});
    assert.equal((await connect().get("/short").answer()).status, 503);
    assert.equal((await connect().get("/short").answer()).status, 503);
    exchange.end("b");
    assert.equal((await client.answer()).text, "ab");
    assert.equal(reports.length, 2);
  });

  test("does not run while the client sends its content", async (t) => {
    const { server, connect } = harness(t, SHORT);
    server.post("/", async (exchange) => `${(await exchange.bytes()).length}`);
    server.get("/short", () => {});
    const client = connect().send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\na");
    for (const _ of [1, 2, 3]) assert.equal((await connect().get("/short").answer()).status, 503);
    assert.equal((await client.send("b").answer()).text, "2");
  });

  for (const [what, head, content] of [
    ["content that nobody takes", "Content-Length: 200000", "x".repeat(100_000)],
    ["content that was not asked for", "Content-Length: 5\r\nExpect: 100-continue", ""],
  ] as const) {
    test(`runs with ${what}, and closes`, async (t) => {
      const { connect } = routed(harness(t, SHORT), "post", () => {});
      const answer = await connect().send(`POST / HTTP/1.1\r\nHost: h\r\n${head}\r\n\r\n${content}`).answer();
      assert.deepEqual([answer.status, answer.header("connection")], [503, "close"]);
    });
  }

  test("runs for an upgrade that does not decide", async (t) => {
    const { server, connect } = harness(t, SHORT);
    server.websocket("/", { upgrade: () => new Promise(() => {}) });
    assert.equal((await connect().send(handshake("/")).answer()).status, 503);
  });

  test("ends events that nobody answers, with deferred delivery", async (t) => {
    const { server, client } = asked(harness(t, { ...SHORT, delivery: "deferred" }), () => {});
    await server.waitForEvent();
    server.poll();
    assert.equal((await client.answer()).status, 503);
    await server.waitForEvent();
    server.poll();
  });
});
