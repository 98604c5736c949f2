// What a hostile reading found: peers and programs that do the unusual.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { eventually, sleep, within } from "../support/waiting.ts";
import { handshake } from "../support/web-socket-handshake.ts";
import {
  addPort,
  answer,
  CLOSED,
  isRefused,
  listeningRoom,
  nextClient,
  portOf,
  room,
  TERMINATED,
  webSocketRoom,
  webSockets,
} from "./computer.ts";

describe("http.listen(port, callback)", () => {
  it("a callback that waits for a client gets it, whatever strangers send meanwhile", async (t) => {
    const { http, ask, client, server } = webSocketRoom(t, { maxQueueBytes: 100_000 });
    const { socket } = await client(server.port);
    const handle = await nextClient(server);
    const listening = http.listen(0, async (_request, response) => {
      const message = await handle.receive();
      answer(response, String(message?.[0]));
      return true;
    });
    const port = await portOf(http);
    const first = ask(port, "/first");
    for (let i = 0; i < 4; i++) {
      ask(port, "/", { method: "POST", body: Buffer.alloc(200_000) }).catch(() => {});
    }
    await sleep(100);
    socket.send("at last");
    assert.equal((await within(first, "the answer")).text, "at last");
    await within(listening, "listen to return");
  });

  it("requests that wait for a busy callback do not time out before they are seen", async (t) => {
    const { http, ask } = room(t, { responseTimeout: 0.15 });
    const pulling = (async (): Promise<void> => {
      for (;;) await http.pullEvent();
    })();
    pulling.catch(() => {});
    let served = 0;
    const listening = http.listen(0, async (_request, response) => {
      await sleep(100);
      answer(response, "in time");
      return ++served === 4;
    });
    const port = await portOf(http);
    const replies = await Promise.all(Array.from({ length: 4 }, () => ask(port)));
    const texts = replies.map((reply) => reply.text);
    assert.deepEqual(texts, ["in time", "in time", "in time", "in time"]);
    await within(listening, "listen to return");
  });

  it("ends when its listener is replaced or removed", async (t) => {
    const { http, ask } = room(t);
    const first = http.listen(0, () => assert.fail("the first callback was called"));
    const port = await portOf(http);
    const second = http.listen(port, (_request, response) => answer(response, "second"));
    await within(first, "the first to return");
    assert.equal((await ask(port)).text, "second");
    http.removeListener(port);
    await within(second, "the second to return");
    assert.deepEqual(http.ports, []);
  });
});

describe("http.removeListener(port)", () => {
  it("a request whose head was not complete is refused, and is no event", async (t) => {
    const { http, raw, port } = listeningRoom(t);
    const client = (await raw(port)).send("GET / HTTP/1.1\r\nHo");
    await sleep(20);
    http.removeListener(port);
    client.send("st: h\r\n\r\n");
    const pulled = http.pullEvent("http_request");
    pulled.catch(() => {});
    assert.equal((await client.answer()).status, 503);
    http.queueEvent("terminate");
    await assert.rejects(within(pulled, "the pull"), TERMINATED);
  });
});

describe("the queue", () => {
  it("an iterator that is asked twice at once answers both, and lets nothing go when it has ended", async (t) => {
    const { http } = room(t);
    const events = http.events();
    const both = [events.next(), events.next()];
    http.queueEvent("one");
    http.queueEvent("two");
    const names = (await within(Promise.all(both), "both")).map(({ value }) => value?.[0]);
    assert.deepEqual(names, ["one", "two"]);
    const waiting = events.next();
    await events.return?.();
    assert.equal((await within(waiting, "the end")).done, true);
    http.queueEvent("kept");
    await sleep(10);
    assert.deepEqual(await within(http.pullEvent(), "the event"), ["kept"]);
  });

  it("after close() everything that waits is terminated, and handles are closed", async (t) => {
    const { another } = room(t);
    const http = another();
    const server = webSockets(http);
    const waiting = http.pullEvent();
    waiting.catch(() => {});
    await http.close();
    await assert.rejects(within(waiting, "the pull"), TERMINATED);
    await assert.rejects(within(http.pullEvent(), "another pull"), TERMINATED);
    await assert.rejects(within(server.listen(), "listen"), CLOSED);
    assert.throws(() => http.addListener(0), CLOSED);
    assert.equal(await isRefused(server.port), true);
  });
});

describe("http.websocketServer(port, headers?)", () => {
  it("header fields that the handshake decides about are refused", (t) => {
    const { http } = room(t);
    for (const name of ["Upgrade", "connection", "Sec-WebSocket-Accept", "Transfer-Encoding"]) {
      assert.throws(() => http.websocketServer(0, { [name]: "x" }), { name: "FieldError" });
    }
  });

  it("many that cannot be opened leave nothing behind", async (t) => {
    const { http } = room(t);
    const { port } = webSockets(http);
    for (let i = 0; i < 100; i++) assert.deepEqual(http.websocketServer(port), [null, "Port already in use"]);
    const closed = http.close();
    await within(closed, "close", 1_000);
  });
});

describe("server.close()", () => {
  it("a connection that was accepted before is not opened after it", async (t) => {
    const { http, raw, server } = webSocketRoom(t);
    const early = await raw(server.port);
    await sleep(10);
    server.close();
    const events = http.events();
    early.send(handshake("/"));
    const next = events.next();
    next.catch(() => {});
    await eventually(() => early.ended || early.closed, "the end of the connection");
    http.queueEvent("last");
    const { value } = await within(next, "the event");
    assert.deepEqual(value, ["last"]);
  });
});

describe("request handle", () => {
  it("getURL() is the path with query of an absolute target, too", async (t) => {
    const { http, raw } = room(t);
    const client = (await raw(addPort(http))).send("GET http://h/a/b?c=d HTTP/1.1\r\nHost: h\r\n\r\n");
    const [, , request, response] = await within(http.pullEvent("http_request"), "the request");
    assert.equal(request.getURL(), "/a/b?c=d");
    answer(response, "");
    await client.answer();
  });
});
