import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import type { Exchange } from "../../src/exchange/exchange.ts";
import type { Limits } from "../../src/limits/limits.ts";
import type { Handler } from "../../src/server/target.ts";
import { codeOf, type Harness, harness, nextAnswers, routed, simpleServer } from "../support/harness.ts";
import type { RawClient } from "../support/raw-client.ts";
import { signal, sleep, turns } from "../support/waiting.ts";

/** Chunked content in pieces of these sizes. */
function chunked(...chunks: string[]): string {
  return `${chunks.map((c) => `${c.length.toString(16)}\r\n${c}\r\n`).join("")}0\r\n\r\n`;
}

const CHUNKED_HEAD = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";

const JSON_TYPE = "Content-Type: application/json\r\n";

function postHead(length: number, lines = ""): string {
  return `POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${length}\r\n${lines}\r\n`;
}

/** A server that answers `POST /` with this, and the next request. */
function serving(t: TestContext, post: Handler, limits: Partial<Limits> = {}): Harness {
  const made = harness(t, { limits });
  made.server.post("/", post).get("/next", (exchange) => void exchange.end("next!"));
  return made;
}

/** Sends content of that length in pieces. */
function sendContent(client: RawClient, length: number): void {
  for (let sent = 0; sent < length; sent += 1_000) client.send("x".repeat(1_000));
}

/** Either the connection is closed, or it serves the next request. */
async function closedOrServes(client: RawClient): Promise<void> {
  client.get("/next");
  await client.until(
    () => client.ended || client.closed || client.rest.includes("next!"),
    "the connection to be closed or to serve the next request",
  );
}

describe("as a whole", () => {
  test("as bytes, text and JSON, whatever pieces it comes in", async (t) => {
    const { server, connect } = harness(t);
    server.post("/bytes", async (exchange) => void exchange.end(await exchange.bytes()));
    server.post("/text", async (exchange) => void exchange.end((await exchange.text()).toUpperCase()));
    server.post("/json", async (exchange) => JSON.stringify(await exchange.json({ anyType: true })));
    for (const [path, sent, expected] of [
      ["/bytes", "\x00\xff\r\n", "\x00\xff\r\n"],
      ["/text", "abc", "ABC"],
      ["/json", '{ "a": [1, null] }', '{"a":[1,null]}'],
    ] as const) {
      const whole = connect().post(path, sent);
      assert.equal((await whole.answer()).body.toString("latin1"), expected);
      const slow = connect();
      const text = `POST ${path} HTTP/1.1\r\nHost: h\r\nContent-Length: ${sent.length}\r\n\r\n${sent}`;
      for (const character of text) slow.send(character);
      assert.equal((await slow.answer()).body.toString("latin1"), expected);
    }
  });

  test("chunked content arrives without its framing", async (t) => {
    const { connect } = simpleServer(t);
    const client = connect();
    for (const character of CHUNKED_HEAD + chunked("ab", "c", "def")) client.send(character);
    assert.equal((await client.answer()).text, "abcdef");
    assert.equal((await client.send(CHUNKED_HEAD + chunked()).answer()).text, "");
  });

  test("a request without content has empty content", async (t) => {
    const { server, connect } = harness(t);
    server.get("/bytes", async (exchange) => void exchange.end(String((await exchange.bytes()).length)));
    server.get("/text", async (exchange) => void exchange.end(`<${await exchange.text()}>`));
    server.get("/body", async (exchange) => {
      let pieces = 0;
      for await (const _ of exchange.body) pieces++;
      exchange.end(String(pieces));
    });
    server.get("/call", (exchange) => {
      exchange.onBody((chunk, last) => void exchange.end(`${chunk.length} ${last}`));
    });
    const client = connect().get("/bytes").get("/text").get("/body").get("/call");
    for (const expected of ["0", "<>", "0", "0 true"]) assert.equal((await client.answer()).text, expected);
  });

  test("what is not UTF-8 and what is not JSON is answered 400 when the error leaves the handler", async (t) => {
    const { server, connect, reports } = harness(t);
    server.post("/text", async (exchange) => void exchange.end(await exchange.text()));
    server.post("/json", async (exchange) => void exchange.end(String(await exchange.json())));
    server.post("/caught", async (exchange) => {
      await assert.rejects(exchange.json(), { code: "ERR_BODY_NOT_JSON" });
      exchange.end("caught");
    });
    const client = connect().post("/text", "\xff");
    for (const content of ["{", "\xc3", ""]) client.post("/json", content, JSON_TYPE);
    client.post("/caught", "{", JSON_TYPE);
    for (const expected of [400, 400, 400, 400, 200]) {
      assert.equal((await client.answer()).status, expected);
    }
    assert.deepEqual(reports, [], "a peer's fault is not reported");
  });

  describe("json takes JSON types only, which a form of another site cannot send", () => {
    const types: [type: string | undefined, status: number][] = [
      ["application/json", 200],
      ["Application/JSON; charset=utf-8", 200],
      ["application/json ;charset=utf-8", 200],
      ["text/json", 200],
      ["application/problem+json", 200],
      ["application/vnd.a.b+JSON;v=1", 200],
      [undefined, 415],
      ["", 415],
      ["text/plain", 415],
      ["text/plain; application/json", 415],
      ["text/plain;+json", 415],
      ["application/x-www-form-urlencoded", 415],
      ["multipart/form-data; boundary=a+json", 415],
      ["application/jsonp", 415],
      ["application/json, text/plain", 415],
      ["x/application/json", 415],
    ];
    for (const [type, status] of types) {
      test(String(type), async (t) => {
        const { server, connect, reports } = harness(t);
        server.post("/", async (exchange) => void exchange.end(String(await exchange.json(100))));
        server.post("/any", async (exchange) => {
          exchange.end(String(await exchange.json({ anyType: true, limit: 100 })));
        });
        const line = type === undefined ? "" : `Content-Type: ${type}\r\n`;
        const client = connect().post("/", "[1]", line).post("/any", "[1]", line);
        assert.deepEqual(await nextAnswers(client, "status", "text"), [status, "1"]);
        assert.deepEqual(reports, []);
      });
    }

    test("the limit in an object is one, and other names are mistakes", async (t) => {
      const { server, connect, reports } = harness(t);
      server.post("/limit", async (exchange) => void (await exchange.json({ limit: 2 })));
      server.post("/name", async (exchange) => void (await exchange.json({ limits: 2 } as object)));
      assert.equal((await connect().post("/limit", "[1]", JSON_TYPE).answer()).status, 413);
      assert.equal((await connect().post("/name", "[1]", JSON_TYPE).answer()).status, 500);
      assert.match(String(reports[0]?.error), /"limit"/);
    });
  });

  test("the bytes are the program's own", async (t) => {
    const kept: Buffer[] = [];
    const { connectTcp } = routed(harness(t), "post", async (exchange) => {
      kept.push(await exchange.bytes());
      exchange.end();
    });
    const client = await connectTcp();
    for (const letter of ["a", "b", "c"]) {
      client.post("/", letter.repeat(1000));
      await client.answer();
    }
    assert.equal(kept.join(), ["a".repeat(1000), "b".repeat(1000), "c".repeat(1000)].join());
  });
});

describe("limits", () => {
  test("a limit of the call answers 413 when the error leaves the handler", async (t) => {
    const { server, connect, reports } = harness(t);
    server.post("/", async (exchange) => void exchange.end(await exchange.text(3)));
    const client = connect().post("/", "123");
    assert.equal((await client.answer()).text, "123");
    assert.equal((await client.post("/", "1234").answer()).status, 413);
    const chunks = connect().send(CHUNKED_HEAD + chunked("12", "34"));
    assert.equal((await chunks.answer()).status, 413);
    assert.deepEqual(reports, []);
  });

  test("the server's limit refuses before the handler runs, or when the content gets longer", async (t) => {
    let calls = 0;
    const { connect } = routed(harness(t, { limits: { maxBodyBytes: 5 } }), "post", async (exchange) => {
      calls++;
      exchange.end(await exchange.text(1_000));
    });
    const client = connect().post("/", "12345");
    assert.equal((await client.answer()).text, "12345");
    client.post("/", "123456");
    const refused = await client.answer();
    assert.deepEqual([refused.status, refused.header("connection")], [413, "close"]);
    await client.over();
    assert.equal(calls, 1);
    const other = connect().send(CHUNKED_HEAD + chunked("123", "456"));
    assert.equal((await other.answer()).status, 413);
    await other.over();
  });

  test("a route's own limit may be smaller than the server's", async (t) => {
    const { server, connect } = harness(t, { limits: { maxBodyBytes: 100 } });
    server.post("/", async (exchange) => void exchange.end(await exchange.text()), { maxBodyBytes: 3 });
    server.post("/other", async (exchange) => void exchange.end(await exchange.text()));
    const client = connect().post("/", "123");
    assert.equal((await client.answer()).text, "123");
    assert.equal((await client.post("/other", "1234").answer()).text, "1234");
    assert.equal((await client.post("/", "1234").answer()).status, 413);
    const chunks = connect().send(CHUNKED_HEAD + chunked("12", "34"));
    assert.equal((await chunks.answer()).status, 413);
  });

  test("a route's own limit may be larger than the server's, and the others keep theirs", async (t) => {
    const { server, connect } = harness(t, { limits: { maxBodyBytes: 3 } });
    server.post("/", async (exchange) => void exchange.end(await exchange.text()), { maxBodyBytes: 6 });
    server.post("/other", async (exchange) => void exchange.end(await exchange.text()));
    const client = connect().post("/", "123456");
    assert.equal((await client.answer()).text, "123456");
    assert.equal((await client.send(CHUNKED_HEAD + chunked("123", "456")).answer()).text, "123456");
    assert.equal((await client.post("/other", "1234").answer()).status, 413);
    const chunks = connect().send(CHUNKED_HEAD + chunked("123", "4567"));
    assert.equal((await chunks.answer()).status, 413);
    const third = connect().send(CHUNKED_HEAD.replace(" / ", " /other ") + chunked("12", "34"));
    assert.equal((await third.answer()).status, 413);
    const unmatched = connect().post("/none", "1234");
    assert.ok([404, 413].includes((await unmatched.answer()).status));
  });

  test("a changed limit counts from the next request on", async (t) => {
    const { server, connect } = simpleServer(t);
    const client = connect().post("/", "1234");
    assert.equal((await client.answer()).text, "1234");
    server.limits.maxBodyBytes = 3;
    assert.equal((await client.post("/", "1234").answer()).status, 413);
  });

  test("after a 413 of a call no more than maxDiscardBytes are read and thrown away", async (t) => {
    const post: Handler = async (exchange) => void exchange.end(await exchange.text(10));
    const { connect } = serving(t, post, { maxDiscardBytes: 1_000 });
    const client = connect().send(`${CHUNKED_HEAD}64\r\n${"x".repeat(100)}\r\n`);
    assert.equal((await client.answer()).status, 413);
    for (let i = 0; i < 50; i++) client.send(`64\r\n${"x".repeat(100)}\r\n`);
    await turns();
    await client.over("the server to give up after 1000 of 5000 bytes");
  });
});

describe("piece by piece", () => {
  test("the iterator gives everything in order and the peer is slowed down to its speed", async (t) => {
    const total = 1_000_000;
    const piece = "0123456789".repeat(1_000);
    const seen: Buffer[] = [];
    const proceed = signal();
    const first = signal();
    const { connect } = routed(harness(t), "post", async (exchange) => {
      for await (const chunk of exchange.body) {
        seen.push(chunk);
        if (seen.length === 1) {
          first.give();
          await proceed.promise;
        }
      }
      exchange.end("read");
    });
    const client = connect().send(postHead(total));
    for (let i = 0; i < total / piece.length; i++) client.send(piece);
    await first.wait("the first piece");
    await turns(50);
    const waiting = client.wire.waitingBytes;
    assert.ok(waiting > total - 300_000, `${total - waiting} bytes were read by a program that is busy`);
    proceed.give();
    assert.equal((await client.answer()).text, "read");
    assert.equal(Buffer.concat(seen).toString(), piece.repeat(total / piece.length));
  });

  test("the callback gets everything in order, `last` once and at the end", async (t) => {
    const lasts: boolean[] = [];
    let text = "";
    const { connect } = routed(harness(t), "post", (exchange) => {
      exchange.onBody((chunk, last) => {
        text += chunk.toString();
        lasts.push(last);
        if (last) exchange.end(text);
      });
    });
    const client = connect();
    for (const part of [postHead(6), "1", "23", "456"]) {
      client.send(part);
      await turns(2);
    }
    assert.equal((await client.answer()).text, "123456");
    assert.deepEqual(lasts, [false, false, true]);
    lasts.length = 0;
    text = "";
    assert.equal((await client.send(CHUNKED_HEAD + chunked("ab", "c")).answer()).text, "abc");
    assert.equal(lasts.filter((last) => last).length, 1);
    assert.equal(lasts.at(-1), true);
  });

  test("pauseBody stops the reading and resumeBody goes on", async (t) => {
    const paused = signal<Exchange>();
    let length = 0;
    const { connect } = serving(t, (exchange) => {
      exchange.onBody((chunk, last) => {
        if (length === 0) {
          exchange.pauseBody();
          paused.give(exchange);
        }
        length += chunk.length;
        if (last) exchange.end(String(length));
      });
    });
    const client = connect().send(postHead(100_000));
    sendContent(client, 100_000);
    const exchange = await paused.wait("the first piece");
    await turns(20);
    assert.ok(length <= 66_000, `${length} bytes came while paused`);
    exchange.resumeBody();
    assert.equal((await client.answer()).text, "100000");
  });

  test("pauseBody holds, too, while what had been kept is given", async (t) => {
    const paused = signal<Exchange>();
    let length = 0;
    const { connect } = serving(t, async (exchange) => {
      await turns(20);
      exchange.onBody((chunk, last) => {
        if (length === 0) exchange.pauseBody();
        length += chunk.length;
        if (last) exchange.end(String(length));
      });
      paused.give(exchange);
    });
    const client = connect().send(postHead(300_000));
    sendContent(client, 300_000);
    const exchange = await paused.wait("what had been kept");
    const kept = length;
    assert.ok(kept > 0 && kept < 200_000, `${kept} bytes had been kept`);
    await turns(20);
    assert.equal(length, kept);
    exchange.resumeBody();
    assert.equal((await client.answer()).text, "300000");
  });

  test("pauseBody on a request without content does not stop the connection", async (t) => {
    const { server, connect } = routed(harness(t), "get", async (exchange) => {
      await turns(2);
      exchange.pauseBody();
      exchange.end("first");
    });
    server.get("/next", (exchange) => void exchange.end("next!"));
    const client = connect().get("/");
    assert.equal((await client.answer()).text, "first");
    await closedOrServes(client);
  });

  test("pauseBody after the last piece does not stop the connection", async (t) => {
    const { connect } = serving(t, async (exchange) => {
      await exchange.bytes();
      await turns(2);
      exchange.pauseBody();
      exchange.end("first");
    });
    const client = connect().post("/", "abc");
    assert.equal((await client.answer()).text, "first");
    await closedOrServes(client);
  });

  test("a loop that is left early leaves a connection that goes on or is closed", async (t) => {
    const leave: Handler = async (exchange) => {
      for await (const _ of exchange.body) break;
      exchange.end("left");
    };
    const { connect } = serving(t, leave, { maxDiscardBytes: 1_000_000 });
    const client = connect().send(postHead(300_000));
    sendContent(client, 300_000);
    assert.equal((await client.answer()).text, "left");
    await closedOrServes(client);
  });

  test("a loop that is left early does not collect what comes afterwards", async (t) => {
    const left = signal<Exchange>();
    const leave: Handler = async (exchange) => {
      for await (const _ of exchange.body) break;
      left.give(exchange.answerWithin(5_000));
    };
    const { connect } = serving(t, leave, { maxDiscardBytes: 1_000 });
    const client = connect().send(`${postHead(3_000)}x`);
    const exchange = await left.wait("the loop to be left");
    exchange.end("left");
    assert.equal((await client.send("x".repeat(2_999)).answer()).text, "left");
    await closedOrServes(client);
  });
});

describe("late and never", () => {
  test("content that is asked for late is all there", async (t) => {
    const { connect } = serving(t, async (exchange) => {
      await turns(30);
      exchange.end(String((await exchange.bytes()).length));
    });
    const client = connect().post("/", "late");
    assert.equal((await client.answer()).text, "4");
    assert.equal((await client.post("/", "x".repeat(500_000)).answer()).text, "500000");
    assert.equal((await client.send(CHUNKED_HEAD + chunked("ab", "c")).answer()).text, "3");
  });

  test("content that nobody asks for is kept within bounds", async (t) => {
    const seen = signal<Exchange>();
    const client = serving(t, seen.give).connect().send(postHead(1_000_000));
    sendContent(client, 1_000_000);
    const exchange = await seen.wait("the request");
    await turns(50);
    assert.ok(client.wire.waitingBytes > 800_000, "it was all read");
    const length = exchange.bytes().then((bytes) => bytes.length);
    assert.equal(await length, 1_000_000);
    exchange.end();
    await client.answer();
  });

  for (const [name, length] of [
    ["little content", 1_000],
    ["more content than is thrown away", 300_000],
  ] as const) {
    test(`an answer at once to a request with ${name} arrives, and the connection goes on or is closed`, async (t) => {
      const { connect } = serving(t, (exchange) => void exchange.end("at once"));
      const client = connect().send(postHead(length));
      const answer = await client.answer();
      const connection = length > 65_536 ? "close" : undefined;
      assert.deepEqual([answer.text, answer.header("connection")], ["at once", connection]);
      sendContent(client, length);
      await closedOrServes(client);
      if (length <= 65_536) assert.equal((await client.answer()).text, "next!");
    });
  }

  test("an answer while the content is being read does not disturb the reading", async (t) => {
    const length = signal<number>();
    const { connect } = serving(t, async (exchange) => {
      const bytes = exchange.bytes();
      exchange.end("early");
      length.give((await bytes).length);
    });
    const client = connect().send(postHead(100_000));
    assert.equal((await client.answer()).text, "early");
    sendContent(client, 100_000);
    assert.equal(await length.wait("the content"), 100_000);
    assert.equal((await client.get("/next").answer()).text, "next!");
  });

  test("content asked for after it was thrown away is an answer, not a wait for ever", async (t) => {
    const outcome = signal<unknown>();
    const { connect } = serving(t, async (exchange) => {
      exchange.end("early");
      await turns(20);
      exchange.bytes().then(outcome.give, outcome.give);
    });
    const client = connect().post("/", "abc");
    assert.equal((await client.answer()).text, "early");
    await outcome.wait("bytes() to answer");
  });

  test("content asked for after the peer has gone is refused", async (t) => {
    const gone = signal<Exchange>();
    const { connect } = serving(t, (exchange) => exchange.onAbort(() => gone.give(exchange)));
    const client = connect().send(`${postHead(10)}12345`);
    await turns();
    client.destroy();
    const exchange = await gone.wait("the abort");
    await assert.rejects(exchange.bytes(), { code: "ERR_ABORTED", name: "AbortError" });
  });

  test("a broken chunk is answered 400 and what reads the content is told", async (t) => {
    const outcome = signal<unknown>();
    const { connect } = serving(
      t,
      async (exchange) => void exchange.bytes().then(outcome.give, outcome.give),
    );
    const client = connect().send(`${CHUNKED_HEAD}zz\r\n`);
    const answer = await client.answer();
    assert.deepEqual([answer.status, answer.header("connection")], [400, "close"]);
    await client.over();
    assert.equal(codeOf(await outcome.wait("the read to end")), "ERR_ABORTED");
  });
});

describe("Expect: 100-continue", () => {
  const EXPECT = "Expect: 100-continue\r\n";

  test("100 is sent when the content is asked for, and only then", async (t) => {
    const proceed = signal();
    const { connect } = serving(t, async (exchange) => {
      await proceed.promise;
      exchange.end(await exchange.text());
    });
    const client = connect().send(postHead(5, EXPECT));
    await turns();
    assert.equal(client.rest, "", "nobody has asked yet");
    proceed.give();
    const interim = await client.answer();
    assert.equal(interim.status, 100);
    assert.deepEqual(interim.lines, []);
    client.send("12345");
    const answer = await client.answer();
    assert.equal(answer.text, "12345");
    assert.notEqual(answer.header("connection"), "close");
    assert.equal((await client.get("/").answer()).status, 405, "the connection goes on");
  });

  test("a final status without 100 closes the connection", async (t) => {
    const { connect } = serving(t, (exchange) => void exchange.status(403).end());
    const client = connect().send(postHead(5, EXPECT));
    const answer = await client.answer();
    assert.deepEqual([answer.status, answer.header("connection")], [403, "close"]);
    await client.over();
  });

  test("too much content is refused without 100", async (t) => {
    const post: Handler = async (exchange) => void exchange.end(await exchange.text(3));
    const { connect } = serving(t, post, { maxBodyBytes: 4 });
    for (const length of [4, 5]) {
      const answer = await connect().send(postHead(length, EXPECT)).answer();
      assert.deepEqual([answer.status, answer.header("connection")], [413, "close"]);
    }
  });

  test("no 100 to who does not wait, to HTTP/1.0, or without content", async (t) => {
    const { connect } = serving(t, async (exchange) => {
      await turns(5);
      exchange.end(await exchange.text());
    });
    const whole = connect().send(`${postHead(3, EXPECT)}abc`);
    assert.equal((await whole.answer()).status, 200);
    assert.equal((await connect().send(postHead(0, EXPECT)).answer()).status, 200);
    const old = connect().send(
      "POST / HTTP/1.0\r\nContent-Length: 3\r\nExpect: 100-continue\r\nConnection: keep-alive\r\n\r\n",
    );
    await turns();
    assert.equal((await old.send("abc").answer()).status, 200);
  });

  test("no 100 once the response has begun", async (t) => {
    const { connect } = serving(t, async (exchange) => {
      exchange.write("begun ");
      exchange.end(await exchange.text());
    });
    const client = connect().send(postHead(3, EXPECT));
    await turns();
    client.send("abc");
    const answer = await client.answer();
    assert.deepEqual([answer.status, answer.text, answer.header("connection")], [200, "begun abc", "close"]);
  });

  test("a program that takes its time to ask does not use up the client's time", async (t) => {
    const { connect } = routed(harness(t, { limits: { bodyTimeoutMs: 40 } }), "post", async (exchange) => {
      await sleep(150);
      exchange.end(await exchange.text());
    });
    const client = connect().send(postHead(3, EXPECT));
    assert.equal((await client.answer()).status, 100);
    assert.equal((await client.send("abc").answer()).text, "abc");
  });
});
