import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import { pattern } from "../support/bytes.ts";
import { signal, sleep } from "../support/waiting.ts";
import { finished, newHttpClient, requested, serve } from "./http-recorder.ts";
import { openServer, settle, tickOn, tickUntil } from "./recorder.ts";

// The HTTP client on the same tick model.
describe("class Client", () => {
  it("request: a GET with the callbacks onResponse, onData and onComplete", async (t) => {
    const url = await serve(t, (request, response) => {
      response.writeHead(203, { "X-Method": request.method ?? "", "Set-Cookie": ["a=1", "b=2"] });
      response.end(`you asked for ${request.url}`);
    });
    const { client, id } = requested(t, "GET", `${url}/some/path?q=1`);
    assert.equal(typeof id, "number");
    const { order, status, headers } = await client.finish(id);
    assert.deepEqual(order, ["response", "data", "complete"]);
    assert.equal(status, 203);
    assert.equal(headers["x-method"], "GET");
    assert.deepEqual(headers["set-cookie"], ["a=1", "b=2"]);
    assert.equal(client.body(id).toString(), "you asked for /some/path?q=1");
  });

  it("nothing happens between two ticks", async (t) => {
    const answered = signal();
    const url = await serve(t, (_, response) => response.end("done", () => answered.give()));
    const { client, id } = requested(t, "GET", url);
    assert.equal(client.pending, 1);
    await answered.wait("the answer to be sent");
    await settle();
    assert.equal(client.outcomes.size, 0);
    assert.equal(client.pending, 1);
    await client.finish(id);
    assert.equal(client.body(id).toString(), "done");
    assert.equal(client.pending, 0);
    await tickOn(client);
    assert.deepEqual(client.outside, []);
  });

  for (const [kind, body] of Object.entries({ text: "größer than ASCII", bytes: pattern(100_000) })) {
    it(`request: a POST with headers and a body of ${kind}`, async (t) => {
      const url = await serve(t, (request, response) => {
        const pieces: Buffer[] = [];
        request.on("data", (piece: Buffer) => pieces.push(piece));
        request.on("end", () => {
          const { method = "", headers } = request;
          response.setHeader("X-Seen", `${method} ${headers["x-own"]} ${headers["content-length"]}`);
          response.end(Buffer.concat(pieces));
        });
      });
      const client = newHttpClient(t);
      const id = client.request("POST", url, { "X-Own": "yes" }, body);
      const { status, headers } = await client.finish(id);
      assert.equal(status, 200);
      assert.equal(headers["x-seen"], `POST yes ${Buffer.from(body).length}`);
      assert.ok(client.body(id).equals(Buffer.from(body)));
    });
  }

  it("request: the program may use its body again at once", async (t) => {
    const url = await serve(t, (request, response) => request.pipe(response));
    const client = newHttpClient(t);
    const body = Buffer.alloc(50_000, "a");
    const id = client.request("PUT", url, {}, body);
    body.fill("b");
    await client.finish(id);
    assert.equal(client.body(id).toString(), "a".repeat(50_000));
  });

  it("request: a response without content has onResponse and onComplete", async (t) => {
    const url = await serve(t, (request, response) => {
      response.writeHead(request.method === "HEAD" ? 200 : 204).end();
    });
    const client = newHttpClient(t);
    for (const [method, status] of Object.entries({ HEAD: 200, DELETE: 204 })) {
      const outcome = await client.finish(client.request(method, url));
      assert.deepEqual([outcome.order, outcome.status], [["response", "complete"], status]);
    }
  });

  it("an answer with an error status is an answer", async (t) => {
    const url = await serve(t, (_, response) => response.writeHead(500).end("oh"));
    const outcome = await finished(t, "GET", url);
    assert.deepEqual([outcome.status, outcome.end], [500, "complete"]);
  });

  it("a large response comes in order, over many ticks", async (t) => {
    const all = pattern(16 * 1_048_576);
    const url = await serve(t, (_, response) => response.end(all));
    const { client, id } = requested(t, "GET", url);
    let ticks = 0;
    client.reaction = (_, what) => {
      if (what === "data") ticks++;
    };
    const { order } = await client.finish(id);
    assert.deepEqual(order, ["response", "data", "complete"]);
    assert.ok(client.body(id).equals(all));
    assert.ok(ticks > 1);
  });

  it("a response that comes while nobody ticks is not kept whole in memory, and loses nothing", async (t) => {
    const total = 64 * 1_048_576;
    const url = await serve(t, async (_, response) => {
      for (let at = 0; at < total && !response.destroyed; at += 65_536) {
        if (!response.write(pattern(65_536, at))) await once(response, "drain");
      }
      response.end();
    });
    const { client, id } = requested(t, "GET", url);
    await sleep(1_000);
    let at = 0;
    let wrong = -1;
    client.onData = (_, buf) => {
      if (wrong < 0 && !buf.equals(pattern(buf.length, at))) wrong = at;
      at += buf.length;
    };
    client.tick();
    assert.ok(at < total / 4, `${at} B were kept`);
    await client.finish(id);
    assert.equal(at, total);
    assert.equal(wrong, -1, "the place of the first wrong piece");
  });

  it("maxTickBytes is for all requests together, maxDataBytes for one onData", async (t) => {
    const url = await serve(t, (_, response) => response.end(pattern(5_000)));
    const client = newHttpClient(t, { maxTickBytes: 1_000, maxDataBytes: 300 });
    const ids = [client.request("GET", url), client.request("GET", url)];
    const total = (): number => ids.reduce((sum, id) => sum + client.body(id).length, 0);
    let most = 0;
    const counted = {
      tick(): void {
        const before = total();
        client.tick();
        most = Math.max(most, total() - before);
      },
    };
    await tickUntil(counted, () => total() >= 10_000, "both answers");
    assert.equal(most, 1_000);
    for (const id of ids) {
      assert.ok(client.body(id).equals(pattern(5_000)));
      assert.ok(client.outcome(id).pieces.every((piece) => piece.length <= 300));
    }
  });

  it("buf is the program's own to keep", async (t) => {
    const url = await serve(t, async (_, response) => {
      for (let i = 0; i < 20; i++) {
        response.write(`${i % 10}`.repeat(1_000));
        await sleep(2);
      }
      response.end();
    });
    const { client, id } = requested(t, "GET", url);
    await client.finish(id);
    const expected = Array.from({ length: 20 }, (_, i) => `${i % 10}`.repeat(1_000)).join("");
    assert.equal(client.body(id).toString(), expected);
  });

  it("several at once: each has its own id and gets its own answer", async (t) => {
    const url = await serve(t, async (request, response) => {
      const number = Number(request.url?.slice(1));
      response.writeHead(200, { "X-Number": number });
      for (let i = 0; i < 10; i++) {
        response.write(`${number};`);
        await sleep(1 + (number % 3));
      }
      response.end();
    });
    const client = newHttpClient(t);
    const ids = Array.from({ length: 20 }, (_, i) => client.request("GET", `${url}/${i}`));
    assert.equal(new Set(ids).size, 20);
    assert.equal(client.pending, 20);
    for (const [i, id] of ids.entries()) {
      const { order, headers } = await client.finish(id);
      assert.deepEqual(order, ["response", "data", "complete"]);
      assert.equal(headers["x-number"], `${i}`);
      assert.equal(client.body(id).toString(), `${i};`.repeat(10));
    }
    assert.equal(client.pending, 0);
  });

  it("a request from within a callback", async (t) => {
    const url = await serve(t, (request, response) => response.end(request.url));
    const client = newHttpClient(t);
    let second: number | undefined;
    client.reaction = (_, what) => {
      if (what === "complete") second ??= client.request("GET", `${url}/second`);
    };
    await client.finish(client.request("GET", `${url}/first`));
    assert.ok(second !== undefined);
    await client.finish(second);
    assert.equal(client.body(second).toString(), "/second");
  });

  it("a callback that throws: the error comes out of tick, and the rest comes in the next tick", async (t) => {
    const url = await serve(t, (_, response) => response.end("content"));
    const { client, id } = requested(t, "GET", url);
    let thrown = 0;
    client.reaction = (_, what) => {
      if (what === "response") throw new Error(`mistake ${++thrown}`);
    };
    await assert.rejects(client.finish(id), /mistake 1/);
    const { order } = await client.finish(id);
    assert.deepEqual(order, ["response", "data", "complete"]);
    assert.equal(client.body(id).toString(), "content");
  });

  it("a game loop can both serve and call", async (t) => {
    const server = openServer(t);
    server.journal.reactions.data = () => {
      server.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
    };
    const { client, id } = requested(t, "GET", `http://127.0.0.1:${server.port}/from/the/loop`);
    await tickUntil([server, client], () => client.outcome(id).end !== undefined, "the answer");
    assert.equal(client.outcome(id).end, "complete");
    assert.equal(client.body(id).toString(), "hello");
    assert.match(server.journal.text, /^GET \/from\/the\/loop HTTP\/1\.1\r\n/);
  });
});
