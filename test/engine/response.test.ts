import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { Exchange } from "../../src/exchange/exchange.ts";
import { FieldError } from "../../src/protocol/http/field-lines.ts";
import { asked, codesOf, harness, routed, simpleServer } from "../support/harness.ts";
import { signal, turns } from "../support/waiting.ts";

const TEXT = "Content-Type: text/plain; charset=utf-8";
const DATE = /^Date: (Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/;

function request(method: string, target: string, version = "1.1", lines = ""): string {
  return `${method} ${target} HTTP/${version}\r\nHost: h\r\n${lines}\r\n`;
}

function withoutDate(lines: readonly string[]): string[] {
  return lines.filter((line) => !line.startsWith("Date:"));
}

describe("the head", () => {
  test("is status line, own fields as given, Date, Content-Length, empty line", async (t) => {
    const { client } = asked(harness(t), (exchange) => {
      exchange.status(201).setHeader("X-oNe", 1).setHeader("a", "b").end("body");
    });
    const { head, lines, text } = await client.answer();
    assert.ok(head.startsWith("HTTP/1.1 201 Created\r\n"));
    assert.deepEqual(lines.slice(0, 2), ["X-oNe: 1", "a: b"]);
    assert.equal(lines[2], TEXT);
    assert.match(lines[3] ?? "", DATE);
    assert.deepEqual(lines.slice(4), ["Content-Length: 4"]);
    assert.equal(text, "body");
  });

  test("has the date of now, whatever the clock has shown before", async (t) => {
    const { server, connect } = harness(t);
    server.get("/", (exchange) => exchange.end());
    const client = connect();
    t.mock.timers.enable({ apis: ["Date"] });
    for (const day of [2, 30, 1]) {
      t.mock.timers.setTime(Date.UTC(2026, 5, day));
      client.get("/").get("/");
      const expected = `Date: ${new Date().toUTCString()}`;
      for (let i = 0; i < 2; i++) assert.ok((await client.answer()).lines.includes(expected), expected);
    }
  });

  for (const name of ["Last-Modified", "Expires"]) {
    test(`has no date before ${name}, however long a handler has computed`, async (t) => {
      const { server, connect } = harness(t);
      server.get("/", (exchange) => exchange.end());
      server.get("/now", (exchange) => {
        const nextSecond = (Math.floor(Date.now() / 1000) + 1) * 1000;
        while (Date.now() < nextSecond);
        exchange.setHeader(name, new Date().toUTCString()).end();
      });
      const client = connect();
      client.send(request("GET", "/") + request("GET", "/now"));
      await client.answer();
      const { lines } = await client.answer();
      const time = (field: string): number =>
        Date.parse(lines.find((line) => line.startsWith(`${field}: `))?.slice(field.length + 2) ?? "");
      assert.ok(time("Date") >= time(name), lines.join("\n"));
    });
  }

  test("has the reason phrase of the program, or the registered one", async (t) => {
    const { server, connect } = harness(t);
    server.get("/own", (exchange) => void exchange.status(200, "Fine by me").end());
    server.get("/known", (exchange) => void exchange.status(418).end());
    server.get("/new", (exchange) => void exchange.status(599).end());
    const client = connect().get("/own").get("/known").get("/new");
    assert.match((await client.answer()).head, /^HTTP\/1\.1 200 Fine by me\r\n/);
    assert.match((await client.answer()).head, /^HTTP\/1\.1 418 \S.*\r\n/);
    assert.match((await client.answer()).head, /^HTTP\/1\.1 599 \S.*\r\n/);
  });

  test("setHeader replaces in any case, appendHeader adds, removeHeader removes", async (t) => {
    const { connect } = routed(harness(t), "get", (exchange) => {
      exchange.setHeader("X-A", 1).setHeader("X-AB", 2).setHeader("x-a", 3);
      exchange.appendHeader("Set-Cookie", "a=1").appendHeader("set-cookie", "b=2");
      exchange.setHeader("Gone", 1).appendHeader("gone", 2).removeHeader("GONE").removeHeader("never");
      exchange.end();
    });
    const client = connect();
    // The second time what was composed before is used again.
    for (const _ of [1, 2]) {
      const lines = withoutDate((await client.get("/").answer()).lines);
      const cookies = ["Set-Cookie: a=1", "set-cookie: b=2"];
      assert.deepEqual(lines, ["X-AB: 2", "x-a: 3", ...cookies, "Content-Length: 0"]);
    }
  });

  test("has one Date: the program's own where it sets one", async (t) => {
    const { server, connect } = harness(t);
    const own = "Sun, 06 Nov 1994 08:49:37 GMT";
    server.get("/own", (exchange) => void exchange.setHeader("date", own).end());
    server.get("/removed", (exchange) => void exchange.setHeader("Date", own).removeHeader("Date").end());
    server.get("/more", (exchange) => void exchange.setHeader("X-A", 1).setHeader("Date", own).end());
    const client = connect().get("/own").get("/more").get("/removed");
    for (const path of ["/own", "/more"]) assert.equal((await client.answer()).header("date"), own, path);
    assert.match((await client.answer()).lines.find((line) => line.startsWith("Date")) ?? "no Date", DATE);
  });

  test("cannot be changed after it was sent", async (t) => {
    const { connect } = routed(harness(t), "get", (exchange) => {
      assert.equal(exchange.headSent, false);
      assert.equal(exchange.status(202).statusCode, 202);
      exchange.write("a");
      assert.equal(exchange.headSent, true);
      exchange.status(500).setHeader("X-Late", 1).appendHeader("X-Late", 2).removeHeader("Date");
      assert.equal(exchange.statusCode, 202);
      exchange.end();
    });
    const answer = await connect().get("/").answer();
    assert.deepEqual([answer.status, answer.header("x-late")], [202, undefined]);
    assert.notEqual(answer.header("date"), undefined);
  });

  test("field values above U+007F are sent as latin1", async (t) => {
    const { server, connect } = harness(t);
    server.get("/", (exchange) => void exchange.setHeader("X-A", "é\tÿ").end("é"));
    const answer = await connect().get("/").answer();
    assert.deepEqual([answer.header("x-a"), answer.text], ["é\tÿ", "é"]);
    assert.equal(answer.header("content-length"), "2");
  });
});

describe("what may not be sent is refused and does no harm", () => {
  async function refused(t: TestContext, call: (exchange: Exchange) => void): Promise<void> {
    const { connect, reports } = routed(harness(t), "get", (exchange) => {
      assert.throws(() => call(exchange), FieldError);
      exchange.end("ok");
    });
    const answer = await connect().get("/").answer();
    assert.deepEqual(reports, []);
    assert.deepEqual(withoutDate(answer.lines), [TEXT, "Content-Length: 2"]);
    assert.equal(answer.status, 200);
  }

  for (const value of ["a\r\nX: y", "a\nX: y", "a\r", "\0", "\x7f", "\x1b", "a\u0100", "日本"]) {
    test(`the value ${JSON.stringify(value)}`, async (t) => {
      await refused(t, (exchange) => void exchange.setHeader("X-A", value));
      await refused(t, (exchange) => void exchange.appendHeader("X-A", value));
      await refused(t, (exchange) => void exchange.status(200, value));
    });
  }
  for (const name of ["", "a b", "a:", "a\r\n", "é", "ā", "(a)", "a\0"]) {
    test(`the name ${JSON.stringify(name)}`, async (t) => {
      await refused(t, (exchange) => void exchange.setHeader(name, "v"));
      await refused(t, (exchange) => void exchange.appendHeader(name, "v"));
    });
  }
  for (const code of [0, 99, 100, 101, 199, 600, 1000, 200.5, Number.NaN, -200]) {
    test(`the status ${code}`, async (t) => {
      await refused(t, (exchange) => void exchange.status(code));
    });
  }
  test("Transfer-Encoding, and a Content-Length that is no whole number", async (t) => {
    await refused(t, (exchange) => void exchange.setHeader("Transfer-Encoding", "chunked"));
    await refused(t, (exchange) => void exchange.appendHeader("transfer-encoding", "gzip"));
    for (const value of ["-1", "1.5", "0x10", "1e3", "", "1, 1", "99999999999999999999"]) {
      await refused(t, (exchange) => void exchange.setHeader("Content-Length", value));
    }
  });
});

describe("the framing", () => {
  test("one piece has a Content-Length", async (t) => {
    const { server, connect } = harness(t);
    server.get("/text", (exchange) => void exchange.end("é"));
    server.get("/bytes", (exchange) => void exchange.end(Uint8Array.of(1, 2, 3)));
    server.get("/none", (exchange) => void exchange.end());
    server.get("/big", (exchange) => void exchange.end(Buffer.alloc(200_000, "b")));
    const client = connect().get("/text").get("/bytes").get("/none").get("/big");
    for (const length of ["2", "3", "0", "200000"]) {
      const answer = await client.answer();
      assert.equal(answer.header("content-length"), length);
      assert.equal(answer.body.length, Number(length));
      assert.equal(answer.header("transfer-encoding"), undefined);
    }
  });

  test("several pieces are chunked on 1.1, and an empty one does not end them", async (t) => {
    const { connect } = routed(harness(t), "get", (exchange) => {
      exchange.write("a");
      exchange.write("");
      exchange.write(new Uint8Array(0));
      exchange.write(Buffer.from("bc"));
      exchange.write("d".repeat(3_000));
      assert.equal(exchange.offset, 3_003);
      exchange.end("é");
    });
    const client = connect().get("/").get("/");
    for (let i = 0; i < 2; i++) {
      const answer = await client.answer();
      assert.equal(answer.header("transfer-encoding"), "chunked");
      assert.equal(answer.header("content-length"), undefined);
      assert.equal(answer.text, `abc${"d".repeat(3_000)}é`);
    }
  });

  test("several pieces end with the connection on 1.0", async (t) => {
    const { connect } = routed(harness(t), "get", (exchange) => {
      exchange.write("ab");
      exchange.end("c");
    });
    const client = connect().send(request("GET", "/", "1.0", "Connection: keep-alive\r\n"));
    await client.over();
    const answer = await client.answer();
    assert.equal(answer.header("transfer-encoding"), undefined);
    assert.equal(answer.header("content-length"), undefined);
    assert.notEqual(answer.header("connection"), "keep-alive");
    assert.equal(answer.text, "abc");
  });

  test("a declared length is used for several pieces", async (t) => {
    const { connect, reports } = routed(harness(t), "get", (exchange) => {
      exchange.setHeader("content-length", "3").write("a");
      exchange.end("bc");
    });
    const client = connect()
      .get("/")
      .send(request("GET", "/", "1.0", "Connection: keep-alive\r\n"));
    for (let i = 0; i < 2; i++) {
      const answer = await client.answer();
      assert.equal(answer.header("content-length"), "3");
      assert.deepEqual([answer.header("transfer-encoding"), answer.text], [undefined, "abc"]);
    }
    assert.deepEqual(reports, []);
  });

  test("a declared length that is taken back does not count", async (t) => {
    const { server, connect, reports } = harness(t);
    server.get(
      "/",
      (exchange) => void exchange.setHeader("Content-Length", 9).removeHeader("Content-Length").end("abc"),
    );
    assert.equal((await connect().get("/").answer()).text, "abc");
    assert.deepEqual(reports, []);
  });

  test("HEAD has the fields and no content, however it was written", async (t) => {
    const { server, connect } = harness(t);
    server.head("/one", (exchange) => void exchange.end("12345"));
    server.head("/declared", (exchange) => void exchange.setHeader("Content-Length", 99).end());
    server.head("/pieces", (exchange) => {
      exchange.write("123");
      exchange.end("45");
    });
    server.head("/tryEnd", (exchange) => {
      assert.deepEqual(exchange.tryEnd("x".repeat(1_000_000), 1_000_000), { accepted: true, done: true });
    });
    server.get("/after", (exchange) => void exchange.end("after"));
    const client = connect();
    for (const path of ["/one", "/declared", "/pieces", "/tryEnd"]) client.send(request("HEAD", path));
    assert.equal((await client.get("/after").answer("HEAD")).header("content-length"), "5");
    assert.equal((await client.answer("HEAD")).header("content-length"), "99");
    assert.equal((await client.answer("HEAD")).status, 200);
    assert.equal((await client.answer("HEAD")).header("content-length"), "1000000");
    assert.equal((await client.answer()).text, "after", "nothing was sent in between");
  });

  test("204 and 304 have no content, 205 has Content-Length: 0", async (t) => {
    const { server, connect } = harness(t);
    server.get("/end/:code", (exchange) => exchange.status(Number(exchange.params.code)).end("none of this"));
    server.get("/write/:code", (exchange) => {
      exchange.status(Number(exchange.params.code)).write("none ");
      exchange.end("of this");
    });
    server.get("/after", (exchange) => void exchange.end("after"));
    const client = connect();
    for (const way of ["end", "write"]) {
      for (const code of [204, 304, 205]) {
        client.get(`/${way}/${code}`).get("/after");
        const answer = await client.answer();
        assert.equal(answer.status, code);
        assert.equal(answer.header("content-length"), code === 205 ? "0" : undefined, `${way} ${code}`);
        assert.equal(answer.header("transfer-encoding"), undefined);
        assert.equal((await client.answer()).text, "after");
      }
    }
  });

  test("304 may tell the length that the content would have, 204 may not", async (t) => {
    const { server, connect } = harness(t);
    server.get("/:code", (exchange) => {
      exchange.status(Number(exchange.params.code)).setHeader("Content-Length", 10).end();
    });
    server.get("/after/it", (exchange) => void exchange.end("after"));
    const client = connect().get("/304").get("/204").get("/after/it");
    assert.equal((await client.answer()).header("content-length"), "10");
    assert.equal((await client.answer()).header("content-length"), undefined);
    assert.equal((await client.answer()).text, "after");
  });

  test("bytes may be changed by the program as soon as they were given", async (t) => {
    const { server, connect } = harness(t);
    server.get("/:size", (exchange) => {
      const bytes = Buffer.alloc(Number(exchange.params.size), "a");
      exchange.write(bytes);
      bytes.fill("b");
      exchange.write(bytes);
      bytes.fill("c");
      exchange.end(bytes);
      bytes.fill("d");
    });
    server.get("/one/:size", (exchange) => {
      const bytes = Buffer.alloc(Number(exchange.params.size), "a");
      exchange.end(bytes);
      bytes.fill("d");
    });
    const client = connect();
    for (const size of [1, 100, 2_048, 2_049, 65_536]) {
      client.get(`/${size}`).get(`/one/${size}`);
      assert.equal((await client.answer()).text, "a".repeat(size) + "b".repeat(size) + "c".repeat(size));
      assert.equal((await client.answer()).text, "a".repeat(size));
    }
  });
});

describe("the connection", () => {
  test("stays on 1.1, closes when either side says so", async (t) => {
    const { server, connect } = simpleServer(t);
    server.get("/closing", (exchange) => void exchange.setHeader("connection", "Close").end("bye"));
    const client = connect().get("/");
    assert.equal((await client.answer()).header("connection"), undefined);
    client.get("/", "Connection: foo, CLOSE\r\n").get("/");
    assert.equal((await client.answer()).header("connection"), "close");
    await client.over();
    assert.equal(client.rest, "", "nothing after it is answered");
    const other = connect().get("/closing").get("/");
    const bye = await other.answer();
    assert.equal(bye.header("connection")?.toLowerCase(), "close");
    assert.equal(bye.lines.filter((line) => /^connection/i.test(line)).length, 1);
    await other.over();
    assert.equal(other.rest, "");
  });

  test("closes on 1.0, stays where the client asks for it", async (t) => {
    const { connect } = simpleServer(t);
    const client = connect().send(request("GET", "/", "1.0", "Connection: Keep-Alive\r\n"));
    assert.equal((await client.answer()).header("connection"), "keep-alive");
    assert.equal((await client.send(request("GET", "/", "1.0")).answer()).header("connection"), "close");
    await client.over();
  });

  test("keep-alive set by the program changes nothing", async (t) => {
    const { server, connect } = harness(t);
    server.get("/", (exchange) => void exchange.setHeader("Connection", "keep-alive").end("ok"));
    const client = connect().get("/", "Connection: close\r\n");
    assert.equal((await client.answer()).header("connection"), "close");
    await client.over();
  });

  test("a response that closes arrives whole although the client is still sending", async (t) => {
    const { connectTcp } = routed(harness(t), "post", (exchange) => void exchange.end("x".repeat(100_000)));
    const client = await connectTcp();
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n");
    for (let i = 0; i < 60; i++) client.send("y".repeat(1_000));
    assert.equal((await client.answer()).body.length, 100_000);
    await client.over();
  });

  test("who ends its half after a request still gets a response that was complete", async (t) => {
    const { connect } = routed(harness(t), "get", (exchange) => void exchange.end("x".repeat(300_000)));
    const client = connect().get("/").end();
    await client.over();
    assert.equal((await client.answer()).body.length, 300_000);
  });
});

describe("a length that does not come true", () => {
  function begun(exchange: Exchange, length: number): Exchange {
    exchange.setHeader("Content-Length", length).write("a");
    return exchange;
  }

  for (const [name, respond] of [
    ["a single piece that is too long", (e: Exchange) => e.setHeader("Content-Length", 2).end("abc")],
    ["a single piece that is too short", (e: Exchange) => e.setHeader("Content-Length", 4).end("abc")],
    ["pieces that become too long", (e: Exchange) => begun(e, 2).write("bc")],
    ["an end that is too long", (e: Exchange) => begun(e, 2).end("bc")],
    ["an end that comes too early", (e: Exchange) => begun(e, 4).end("bc")],
    ["tryEnd with more than its total", (e: Exchange) => e.tryEnd("abc", 2).done],
  ] as const) {
    test(`${name} breaks the connection and is reported`, async (t) => {
      const seen = signal<Exchange>();
      const { server, connect, reports } = routed(harness(t), "get", (exchange) => {
        assert.equal(respond(exchange), false);
        assert.equal(exchange.finished, true);
        seen.give(exchange);
      });
      const client = connect().get("/").get("/");
      const exchange = await seen.wait("the request");
      await client.until(() => client.closed, "the connection to break");
      assert.deepEqual(codesOf(reports), ["ERR_CONTENT_LENGTH"]);
      assert.equal(reports[0]?.where, exchange);
      assert.equal(server.counters.errors["ERR_CONTENT_LENGTH"], 1);
      assert.equal(client.rest.split("HTTP/1.1 ").length <= 2, true, "no second response");
      const complete = /Content-Length: (\d+)\r\n.*?\r\n\r\n(.*)$/s.exec(client.rest);
      if (complete !== null) assert.ok((complete[2]?.length ?? 0) < Number(complete[1]), "looks complete");
    });
  }

  test("is reported once, although onError answers", async (t) => {
    let reports = 0;
    const onError = (_: unknown, where: unknown): void => {
      reports++;
      if (where instanceof Exchange) assert.equal(where.end("sorry"), false);
    };
    const { connect } = routed(
      harness(t, { onError }),
      "get",
      (exchange) => void begun(exchange, 4).end("bc"),
    );
    const client = connect().get("/");
    await client.until(() => client.closed, "the connection to break");
    assert.equal(reports, 1);
  });

  test("waits for drained are over then", async (t) => {
    const outcome = signal<boolean>();
    const { connect } = routed(harness(t, { limits: { writeHighWaterBytes: 1_000 } }), "get", (exchange) => {
      exchange.setHeader("Content-Length", 5_000).write("x".repeat(4_000));
      void exchange.drained().then(outcome.give);
      exchange.write("x".repeat(4_000));
    });
    connect().pause().get("/");
    assert.equal(await outcome.wait("drained() to answer"), false);
  });
});

test("all that is written in one turn leaves together", async (t) => {
  const { client } = asked(harness(t), async (exchange) => {
    await turns(2);
    exchange.write("a");
    exchange.write("b");
    await Promise.resolve();
    exchange.write("c");
    exchange.end("d");
  });
  assert.equal((await client.answer()).text, "abcd");
  assert.equal(client.deliveries.length, 1);
});
