import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Client } from "undici";
import type { Exchange } from "../../src/exchange/exchange.ts";
import type { Handler } from "../../src/server/target.ts";
import { finalsOf, harness, responsesOf, transports } from "../support/harness.ts";
import { HIDDEN, head } from "../support/http-case.ts";
import { valuesOf } from "../support/http-response.ts";
import { Random } from "../support/random.ts";
import { signal, turns } from "../support/waiting.ts";

describe("RFC 9112 §9.3.2: answers come in the order of the requests", () => {
  for (const [where, connect] of transports) {
    test(`of handlers that take no time, some time, and write in pieces, ${where}`, async (t) => {
      const h = harness(t);
      const random = new Random(7);
      let running = 0;
      h.server.any("/:id/:way", async (exchange) => {
        assert.equal(++running, 1, "one handler at a time on a connection");
        const { id, way } = exchange.params as { id: string; way: string };
        if (way !== "sync") await turns(1 + random.below(5));
        running--;
        if (way === "pieces") {
          exchange.write(id.slice(0, 1));
          await turns(random.below(3));
          exchange.end(id.slice(1));
        } else exchange.end(id);
      });
      const client = await connect(h);
      const ways = ["sync", "async", "pieces"];
      const requests = Array.from({ length: 60 }, (_, index) => ({
        id: `id-${index}`,
        method: ["GET", "HEAD", "POST"][random.below(3)]!,
        way: ways[random.below(3)]!,
      }));
      client.send(
        requests
          .map(({ id, method, way }) => {
            const content = method === "POST" ? HIDDEN : "";
            const length = method === "POST" ? [`Content-Length: ${content.length}`] : [];
            return head(`${method} /${id}/${way} HTTP/1.1`, "Host: h", ...length) + content;
          })
          .join(""),
      );
      const methods = requests.map(({ method }) => method);
      const { finals: answers, rest } = await finalsOf(client, methods);
      assert.deepEqual(
        answers.map((answer) => answer.body.toString()),
        requests.map(({ id, method }) => (method === "HEAD" ? "" : id)),
      );
      assert.equal(rest.length, 0);
      assert.deepEqual(h.reports, []);
    });
  }

  test("of two connections that wait for each other", async (t) => {
    const h = harness(t);
    const second = signal();
    h.server.get("/waits", async (exchange) => {
      await second.promise;
      exchange.end("first");
    });
    h.server.get("/frees", (exchange) => {
      second.give();
      exchange.end("second");
    });
    const slow = h.connect().get("/waits").get("/frees");
    await turns();
    assert.equal(slow.received.length, 0);
    await finalsOf(h.connect().get("/frees"), ["GET"]);
    const { finals: answers } = await finalsOf(slow, ["GET", "GET"]);
    assert.deepEqual(
      answers.map((answer) => answer.body.toString()),
      ["first", "second"],
    );
  });
});

const framings: readonly (readonly [string, string[], string])[] = [
  ["a length", [`Content-Length: ${HIDDEN.length}`], HIDDEN],
  ["chunks", ["Transfer-Encoding: chunked"], `${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n0\r\n\r\n`],
];

/** Handlers that answer without having read, in every order of their own. */
const early: Readonly<Record<string, Handler>> = {
  "at once": (exchange) => exchange.end("early"),
  "in pieces": (exchange) => exchange.write("ear") && exchange.end("ly"),
  async later(exchange) {
    await turns(2);
    exchange.end("early");
  },
  async "and reads afterwards"(exchange) {
    exchange.end("early");
    await exchange.bytes().catch(() => {});
  },
  "while it reads"(exchange) {
    exchange.onBody(() => {});
    exchange.end("early");
  },
};

describe("RFC 9112 §9.3: content that was not read is never taken for a request", () => {
  for (const [framing, lines, content] of framings) {
    for (const [when, answer] of Object.entries(early)) {
      for (const expects of [false, true]) {
        for (const [where, connect] of transports) {
          const name = `${framing}, answered ${when}${expects ? ", with Expect" : ""}, ${where}`;
          test(name, async (t) => {
            const h = harness(t);
            const hidden: string[] = [];
            h.server.post("/", answer);
            h.server.get("/after", (exchange) => void exchange.end("after"));
            h.server.get("/hidden", (exchange) => void hidden.push(exchange.target));
            const fields = [...lines, ...(expects ? ["Expect: 100-continue"] : [])];
            for (const apart of [false, true]) {
              const client = await connect(h);
              client.send(head("POST / HTTP/1.1", "Host: h", ...fields) + (apart ? "" : content));
              if (apart) {
                await turns(3);
                client.send(content);
              }
              client.get("/after");
              const { finals: answers, rest } = await finalsOf(client, ["POST", "GET"]);
              assert.equal(answers[0]?.body.toString(), "early");
              const closes = valuesOf(answers[0]!, "connection").includes("close");
              assert.equal(client.ended || client.closed, closes);
              assert.equal(answers[1]?.body.toString(), closes ? undefined : "after");
              // RFC 9110 §10.1.1: without 100 the client may leave the content out, so only closing is safe.
              if (expects && when !== "while it reads" && apart) assert.equal(closes, true);
              // README (maxDiscardBytes): little of a known length is thrown away; of chunks nobody knows how many come.
              if (!expects && framing === "a length") assert.equal(closes, false);
              assert.equal(rest.length, 0);
              client.destroy();
            }
            assert.deepEqual(hidden, []);
            assert.deepEqual(h.reports, []);
          });
        }
      }
    }
  }

  for (const [name, target, status] of [
    ["a path that nobody serves", "/nowhere", 404],
    ["a method that is not served", "/hidden", 405],
    ["a path that cannot be decoded", "/%zz", 400],
  ] as const) {
    test(`of ${name}`, async (t) => {
      const h = harness(t);
      let hidden = 0;
      h.server.get("/hidden", () => void hidden++);
      h.server.get("/after", (exchange) => void exchange.end("after"));
      for (const [, lines, content] of framings) {
        const client = h.connect();
        client.send(head(`POST ${target} HTTP/1.1`, "Host: h", ...lines) + content).get("/after");
        const { finals: answers } = await finalsOf(client, ["POST", "GET"]);
        const closes = valuesOf(answers[0]!, "connection").includes("close");
        assert.deepEqual(
          answers.map((answer) => answer.status),
          closes ? [status] : [status, 200],
        );
        assert.equal(client.ended || client.closed, closes);
      }
      assert.equal(hidden, 0);
    });
  }

  test("a broken chunk behind an early answer ends the connection without a second one", async (t) => {
    const h = harness(t);
    let hidden = 0;
    h.server.post("/", (exchange) => void exchange.end("early"));
    h.server.get("/hidden", () => void hidden++);
    for (const pieces of [
      ["5\r\nhelloX", HIDDEN],
      [`0\r\nA : b\r\n\r\n${HIDDEN}`],
      [`5\nhello\n0\n\n${HIDDEN}`],
    ]) {
      const client = h.connect().send(head("POST / HTTP/1.1", "Host: h", "Transfer-Encoding: chunked"));
      for (const piece of pieces) {
        client.send(piece);
        await turns(1);
      }
      await client.over();
      const { finals: answers, rest } = responsesOf(client, ["POST", "GET"]);
      assert.equal(answers.length, 1);
      assert.equal(rest.length, 0);
    }
    assert.equal(hidden, 0);
  });
});

describe("RFC 9110 §10.1.1: 100 (Continue)", () => {
  const asking = head("POST / HTTP/1.1", "Host: h", "Content-Length: 5", "Expect: 100-continue");
  const readers: Readonly<Record<string, (exchange: Exchange) => Promise<string>>> = {
    "bytes()": async (exchange) => (await exchange.bytes()).toString(),
    "text()": (exchange) => exchange.text(),
    async body(exchange) {
      let text = "";
      for await (const chunk of exchange.body) text += chunk.toString();
      return text;
    },
    onBody: (exchange) =>
      new Promise((resolve) => {
        let text = "";
        exchange.onBody((chunk, last) => {
          text += chunk.toString();
          if (last) resolve(text);
        });
      }),
    async "wantBody, twice, and then bytes()"(exchange) {
      exchange.wantBody();
      exchange.wantBody();
      return (await exchange.bytes()).toString();
    },
    async "bytes() after a while"(exchange) {
      await turns(3);
      return (await exchange.bytes()).toString();
    },
  };
  for (const [name, read] of Object.entries(readers)) {
    for (const [where, connect] of transports) {
      test(`is sent once, before the content, for ${name}, ${where}`, async (t) => {
        const h = harness(t);
        h.server.post("/", async (exchange) => void exchange.end(await read(exchange)));
        const client = await connect(h);
        client.send(asking);
        await client.until(() => responsesOf(client, ["POST", "GET"]).interims.length > 0, "100");
        assert.equal(responsesOf(client, ["POST", "GET"]).finals.length, 0);
        client
          .send("hello")
          .send(head("POST / HTTP/1.1", "Host: h", "Content-Length: 5"))
          .send("world");
        const { finals: answers, interims } = await finalsOf(client, ["POST", "POST"]);
        assert.deepEqual(
          answers.map((answer) => answer.body.toString()),
          ["hello", "world"],
        );
        assert.deepEqual(
          interims.map(([before, { status, fields }]) => [before, status, fields]),
          [[0, 100, []]],
        );
      });
    }
  }

  test("a client that does not wait is answered once", async (t) => {
    const h = harness(t);
    h.server.post("/", async (exchange) => {
      await turns(3);
      exchange.end(await exchange.text());
    });
    const client = h.connect().send(`${asking}hello`).send(`${asking}world`);
    const { finals: answers, interims } = await finalsOf(client, ["POST", "POST"]);
    assert.deepEqual(
      answers.map((answer) => answer.body.toString()),
      ["hello", "world"],
    );
    for (const before of [0, 1]) assert.ok(interims.filter(([own]) => own === before).length <= 1);
  });

  test("comes after the answers before it", async (t) => {
    const h = harness(t);
    h.server.get("/slow", async (exchange) => {
      exchange.write("a");
      await turns(4);
      exchange.end("b");
    });
    h.server.post("/", async (exchange) => void exchange.end(await exchange.text()));
    const client = h.connect().get("/slow").send(asking);
    await client.until(() => responsesOf(client, ["GET", "POST"]).interims.length > 0, "100");
    assert.equal(responsesOf(client, ["GET", "POST"]).interims[0]?.[0], 1);
    const { finals: answers } = await finalsOf(client.send("hello"), ["GET", "POST"]);
    assert.equal(answers[1]?.body.toString(), "hello");
  });

  test("a peer that goes instead of sending the content leaves no answer", async (t) => {
    const h = harness(t);
    const gone = signal<unknown>();
    h.server.post("/", (exchange) => exchange.bytes().catch((error: unknown) => gone.give(error)));
    const client = h.connect().send(asking);
    await client.until(() => client.received.length > 0, "100");
    client.end();
    assert.ok((await gone.wait("the handler to be told")) instanceof Error);
    await client.over();
    assert.equal(responsesOf(client, ["POST"]).finals.length, 0);
  });
});

describe("an independent client (undici) understands what is sent", () => {
  test("every framing, pipelined, in order", async (t) => {
    const h = harness(t);
    const random = new Random(11);
    h.server.any("/:id/:way", async (exchange) => {
      const { id, way } = exchange.params as { id: string; way: string };
      const content = await exchange.text();
      await turns(random.below(3));
      exchange.setHeader("X-Id", id);
      if (way === "empty") exchange.status(204).end();
      else if (way === "unchanged") exchange.status(304).end();
      else if (way === "whole") exchange.end(`${id}${content}`);
      else {
        for (const letter of `${id}${content}`) exchange.write(letter);
        await turns(random.below(2));
        exchange.end();
      }
    });
    const { url } = await h.server.listen({ port: 0, host: "127.0.0.1" });
    const client = new Client(new URL(url).origin, { pipelining: 8 });
    t.after(() => client.destroy());
    const ways = ["whole", "pieces", "empty", "unchanged"];
    const asked = Array.from({ length: 100 }, (_, index) => {
      const way = ways[random.below(4)]!;
      const method = (["GET", "HEAD", "PUT"] as const)[random.below(3)]!;
      const content = method === "PUT" ? "x".repeat(random.below(5_000)) : "";
      const body = method === "PUT" ? { body: random.below(2) === 0 ? content : [content].values() } : {};
      return { index, way, method, content, body };
    });
    await Promise.all(
      asked.map(async ({ index, way, method, content, body }) => {
        const response = await client.request({ path: `/${index}/${way}`, method, ...(body as object) });
        assert.equal(response.headers["x-id"], String(index));
        const text = await response.body.text();
        const has = method !== "HEAD" && (way === "whole" || way === "pieces");
        assert.equal(text, has ? `${index}${content}` : "");
      }),
    );
  });

  test("a large chunked response with pieces of every size", async (t) => {
    const h = harness(t);
    const sizes = [1, 9, 10, 15, 16, 17, 255, 256, 4_095, 4_096, 65_535, 65_536, 65_537, 200_000];
    h.server.get("/", async (exchange) => {
      for (const size of sizes) {
        if (!exchange.write(Buffer.alloc(size, size % 251))) await exchange.drained();
      }
      exchange.end();
    });
    const { url } = await h.server.listen({ port: 0, host: "127.0.0.1" });
    const client = new Client(new URL(url).origin);
    t.after(() => client.destroy());
    const response = await client.request({ path: "/", method: "GET" });
    const wanted = Buffer.concat(sizes.map((size) => Buffer.alloc(size, size % 251)));
    assert.ok(Buffer.from(await response.body.arrayBuffer()).equals(wanted));
    const raw = await h.connectTcp();
    const { finals: answers } = await finalsOf(raw.get("/"), ["GET"]);
    assert.ok(answers[0]?.body.equals(wanted));
    assert.equal(answers[0]?.framing, "chunked");
  });
});
