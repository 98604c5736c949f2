// Idle connections of a server share what reads: nothing of one may reach another, and nothing that the program can ask for may
// be lost.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Exchange, WebSocket } from "../../src/exchange/exchange.ts";
import { CONTINUATION, frame, TEXT } from "../support/frames.ts";
import { harness, transports } from "../support/harness.ts";
import { eventually, turns } from "../support/waiting.ts";
import { open } from "../support/web-socket-client.ts";

function cut(bytes: Buffer, at: number): [Buffer, Buffer] {
  return [bytes.subarray(0, at), bytes.subarray(at)];
}

for (const [where, connect] of transports) {
  describe(`connections that share what reads them, ${where}`, () => {
    // A masked frame of 180 bytes: 2 bytes, 2 of the length, 4 of the mask, the payload.
    for (const at of [1, 3, 6, 8, 60]) {
      test(`read frames that are cut after ${at} bytes, each its own`, async (t) => {
        const h = harness(t);
        h.server.websocket("/", { message: (socket, data) => void socket.send(data.toString()) });
        const clients = await Promise.all(["a", "b", "c"].map(async () => open(await connect(h), "/")));
        const messages = clients.map((_, index) => cut(frame(TEXT, `message ${index}`.repeat(18)), at));
        for (const part of [0, 1] as const) {
          for (const [index, client] of clients.entries()) {
            client.raw.send(messages[index]?.[part] ?? "");
            await turns(2);
          }
        }
        for (const [index, client] of clients.entries())
          assert.equal(await client.text(), `message ${index}`.repeat(18));
      });
    }

    for (const first of ["", "one "]) {
      test(`read fragments, "${first}" first, between whole messages of others`, async (t) => {
        const h = harness(t);
        h.server.websocket("/", { message: (socket, data) => void socket.send(data.toString()) });
        const [slow, quick] = [await open(await connect(h), "/"), await open(await connect(h), "/")];
        slow.raw.send(frame(TEXT, first, { fin: false }));
        await turns(2);
        assert.equal(await quick.send("whole").text(), "whole");
        slow.raw.send(frame(CONTINUATION, "two"));
        assert.equal(await slow.text(), `${first}two`);
        assert.equal(await quick.send("again").text(), "again");
      });
    }

    test("are read from inside of the handler of another one", async (t) => {
      const h = harness(t);
      const sockets = new Map<string, WebSocket>();
      h.server.websocket("/:name", {
        open: (socket) => void sockets.set(socket.request?.params["name"] ?? "", socket),
        message(socket, data) {
          if (data.toString() === "go on") sockets.get("paused")?.resume();
          void socket.send(data.toString());
        },
      });
      const paused = await open(await connect(h), "/paused");
      const other = await open(await connect(h), "/other");
      sockets.get("paused")?.pause();
      for (const text of ["1", "2", "3"]) paused.send(text);
      await turns(4);
      other.send("go on").send("after");
      for (const text of ["1", "2", "3"]) assert.equal(await paused.text(), text);
      for (const text of ["go on", "after"]) assert.equal(await other.text(), text);
    });

    test("read heads that come in pieces, each its own, and keep their connections", async (t) => {
      const h = harness(t);
      h.server.get("/:name", (exchange) => void exchange.end(exchange.params.name));
      const clients = await Promise.all(
        ["a", "b", "c"].map(async (name) => [name, await connect(h)] as const),
      );
      for (let round = 0; round < 3; round++) {
        const heads = clients.map(([name]) =>
          cut(Buffer.from(`GET /${name}${round} HTTP/1.1\r\nHost: a\r\n\r\n`), 2 + 10 * round),
        );
        for (const part of [0, 1] as const) {
          for (const [index, [, client]] of clients.entries()) {
            client.send(heads[index]?.[part] ?? "");
            await turns(2);
          }
        }
        for (const [name, client] of clients) assert.equal((await client.answer()).text, `${name}${round}`);
      }
    });

    test("answer later, in any order", async (t) => {
      const h = harness(t);
      const answers = new Map<string, () => void>();
      h.server.get("/:name", (exchange) => {
        exchange.answerWithin(0);
        answers.set(exchange.params.name, () => exchange.end(`for ${exchange.params.name}`));
      });
      const names = ["a", "b", "c"];
      const clients = await Promise.all(names.map(() => connect(h)));
      for (const [index, client] of clients.entries()) client.get(`/${names[index]}`);
      await eventually(() => answers.size === 3, "the requests");
      for (const name of ["c", "a", "b"]) answers.get(name)?.();
      for (const [index, client] of clients.entries())
        assert.equal((await client.answer()).text, `for ${names[index]}`);
    });

    test("begin anew after connections that ended anywhere in a request", async (t) => {
      const h = harness(t, { limits: { maxBodyBytes: 10 } });
      const kept: Exchange[] = [];
      const answer = async (exchange: Exchange): Promise<void> => {
        kept.push(exchange);
        if (exchange.path === "/later") await turns(3);
        exchange.setHeader("X-Path", exchange.path).end("ok");
      };
      h.server.get("/:name", answer).post("/:name", answer);
      const post = "POST /p HTTP/1.1\r\nHost: a\r\n";
      for (const [sent, status] of [
        ["GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 200],
        ["GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /2 HT", 200],
        ["GET /later HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\nHost", 200],
        ["GET /1 HTTP/1.0\r\n\r\n", 200],
        [`${post}Connection: close\r\nContent-Length: 5\r\n\r\nab`, 200],
        [`${post}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX: `, 200],
        [`${post}Content-Length: 11\r\n\r\nab`, 413],
        [`${post}Expect: tea\r\n\r\n`, 417],
        ["GET /1 HTTP/1.1\r\nHost: a\r\nBad field\r\n\r\n", 400],
        ["\r\nGE(", 400],
      ] as const) {
        const former = (await connect(h)).send(sent);
        assert.equal((await former.answer()).status, status, sent);
        const next = (await connect(h)).get("/next");
        const { length } = kept;
        const response = await next.answer();
        assert.deepEqual([response.status, response.header("x-path"), response.text], [200, "/next", "ok"]);
        assert.equal(kept.length, length + 1, sent);
        for (const exchange of kept) assert.equal(exchange.end("again"), false);
        next.post("/p", "content");
        assert.equal((await next.answer("POST")).header("x-path"), "/p");
      }
    });
  });
}

describe("callbacks of the program that let other connections go on", () => {
  test("a hook for responses that resumes the server does not lose the next request", async (t) => {
    const { server, connect } = harness(t);
    const waiting: Exchange[] = [];
    server.onResponse(() => server.resume());
    server.get("/:name", (exchange) => {
      exchange.answerWithin(0);
      if (waiting.push(exchange as unknown as Exchange) === 1) server.pause();
    });
    const client = connect().get("/1").get("/2").get("/3");
    for (const name of ["1", "2", "3"]) {
      await eventually(() => waiting.length === Number(name), "the request");
      waiting[Number(name) - 1]?.end(name);
      assert.equal((await client.answer()).text, name);
    }
  });

  test("a hook for responses that reads the rest of the content does not lose the next request", async (t) => {
    const { server, connect } = harness(t);
    const waiting: Exchange[] = [];
    server.onResponse((exchange) => exchange.resumeBody());
    server.any("/:name", (exchange) => {
      exchange.answerWithin(0);
      if (exchange.hasBody) exchange.pauseBody();
      waiting.push(exchange as unknown as Exchange);
    });
    const client = connect().post("/1", "content").get("/2");
    for (const name of ["1", "2"]) {
      await eventually(() => waiting.length === Number(name), "the request");
      waiting[Number(name) - 1]?.end(name);
      assert.equal((await client.answer()).text, name);
    }
  });

  test("the event of a timeout counts for its own connection", async (t) => {
    const limits = { handlerTimeoutMs: 20, maxQueueBytesPerSocket: 1 };
    const onError = (_error: unknown, where: unknown): void => {
      (where as Exchange).end("late");
      server.pause();
      server.resume();
    };
    const { server, connect } = harness(t, { delivery: "deferred", limits, onError });
    server.get("/", () => {});
    const late = connect().get("/");
    await eventually(() => server.poll() === 1, "the request");
    const other = connect();
    assert.equal((await late.answer()).text, "late");
    assert.equal(server.waitingEvents, 1);
    other.get("/");
    await eventually(() => server.waitingEvents === 2, "the request of another connection");
  });
});

describe("the request of a WebSocket, long after its handshake", () => {
  test("answers what it answered before", async (t) => {
    const { server, connectTcp } = harness(t);
    const sockets: WebSocket[] = [];
    server.websocket("/rooms/:room", { open: (socket) => void sockets.push(socket) });
    const client = await open(await connectTcp(), "/rooms/%C3%A9?a=1&b=%20", "X-A: b\r\nCookie: c=d\r\n");
    const { request } = sockets[0] ?? {};
    assert.ok(request !== undefined);
    const ask = (): unknown => ({
      ...{ method: request.method, path: request.path, query: request.query, target: request.target },
      ...{ params: { ...request.params }, route: request.route, authority: request.authority },
      ...{ headers: { ...request.headers }, raw: request.rawHeaders, cookie: request.header("Cookie") },
      ...{
        version: request.httpVersion,
        search: [...request.searchParams],
        trailers: { ...request.trailers },
      },
      ...{ hasBody: request.hasBody, length: request.contentLength, upgrade: request.wantsUpgrade },
      ...{ address: request.remoteAddress, port: request.remotePort, encrypted: request.encrypted },
      ...{ finished: request.finished, sent: request.headSent, status: request.statusCode },
      ...{ begun: request.begun, offset: request.offset, pending: request.pendingBytes },
    });
    await turns(3);
    const first = ask();
    assert.deepEqual(ask(), first);
    assert.equal(request.params["room"], "é");
    assert.equal(request.header("x-a"), "b");
    assert.equal(request.path, "/rooms/%C3%A9");
    assert.equal(request.remoteAddress, "127.0.0.1");
    await client.close(1000).closeFrame();
    await turns(3);
    assert.deepEqual(ask(), first);
  });

  test("keeps what the program has asked for, and ignores answers", async (t) => {
    const { server, connect, reports } = harness(t);
    const sockets: WebSocket[] = [];
    const seen: { id?: string; signal?: AbortSignal } = {};
    server.websocket("/", {
      upgrade(exchange) {
        seen.id = exchange.id;
        seen.signal = exchange.signal;
      },
      open: (socket) => void sockets.push(socket),
    });
    await open(connect(), "/");
    await turns(3);
    const { request } = sockets[0] ?? {};
    assert.equal(request?.id, seen.id);
    assert.equal(request?.signal, seen.signal);
    assert.equal(server.find(seen.id ?? ""), undefined);
    assert.equal(request?.setHeader("X-A", "b").end("no"), false);
    assert.equal(await request?.drained(), false);
    assert.equal((await request?.bytes())?.length, 0);
    assert.deepEqual(reports, []);
  });

  test("gets an id that stays, also when it is first asked for then", async (t) => {
    const { server, connect } = harness(t);
    const sockets: WebSocket[] = [];
    server.websocket("/", { open: (socket) => void sockets.push(socket) });
    await open(connect(), "/");
    await turns(3);
    const id = sockets[0]?.request?.id;
    await turns(3);
    assert.equal(sockets[0]?.request?.id, id);
  });
});
