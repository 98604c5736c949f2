import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { signal, sleep, within } from "../support/waiting.ts";
import {
  addPort,
  answer,
  joined,
  listeningRoom,
  nextMessage,
  pullRequest,
  Recorder,
  requestOf,
  room,
  webSocketRoom,
} from "./computer.ts";
import { COUNT, flood, heldBack, numberOf } from "./flood.ts";

describe("the queue", () => {
  it("is bounded: a client at full speed is slowed down while nobody pulls, and nothing is lost", async (t) => {
    const { http, client, server } = webSocketRoom(t, { maxQueueBytes: 300_000 });
    const sender = await client(server.port);
    flood(sender);
    await heldBack(sender);
    assert.equal((await within(http.pullEvent(), "the client"))[0], "websocket_server_connect");
    for (let i = 0; i < COUNT; i++) {
      const event = await within(http.pullEvent(), `the message ${i}`);
      assert.equal(event[0], "websocket_server_message");
      assert.equal(numberOf(event[2]), i);
    }
    sender.socket.send("and on");
    assert.equal((await within(http.pullEvent(), "one more"))[2], "and on");
  });

  it("is bounded for a slow iterator, too, with a fast loop beside it", async (t) => {
    const { http, client, server } = webSocketRoom(t, { maxQueueBytes: 300_000 });
    const events = http.events();
    const recorder = new Recorder(http);
    const sender = await client(server.port);
    flood(sender);
    await heldBack(sender);
    assert.equal((await within(events.next(), "the client")).value?.[0], "websocket_server_connect");
    for (let i = 0; i < COUNT; i++) {
      const { value } = await within(events.next(), `the message ${i}`);
      assert.equal(numberOf(value?.[2]), i);
    }
    await recorder.until(COUNT + 1);
    for (const [i, event] of recorder.seen.slice(1).entries()) assert.equal(numberOf(event[2]), i);
  });

  it("is bounded for several clients that send small messages", async (t) => {
    const { http, client, server } = webSocketRoom(t, { maxQueueBytes: 50_000 });
    const clients = [await client(server.port), await client(server.port), await client(server.port)];
    for (let i = 0; i < 5_000; i++) for (const { socket } of clients) socket.send(String(i));
    for (const { socket } of clients) socket.close(1000);
    await sleep(100);
    const counts = new Map<unknown, number>();
    for (let closed = 0; closed < 3; ) {
      const [name, id, message] = await within(http.pullEvent(), "an event");
      if (name === "websocket_server_closed") {
        assert.equal(counts.get(id), 5_000, "closed after all messages");
        closed++;
      } else if (name === "websocket_server_message") {
        const count = counts.get(id) ?? 0;
        assert.equal(message, String(count));
        counts.set(id, count + 1);
      }
    }
  });

  it("is bounded for the content of requests, too, which a slow iterator has not seen", async (t) => {
    const { http, ask, port } = listeningRoom(t, { maxQueueBytes: 1_000_000 });
    const events = http.events();
    const recorder = new Recorder(http);
    const body = Buffer.alloc(4_000_000, "x");
    for (let i = 0; i < 20; i++) {
      void ask(port, `/${i}`, { method: "POST", body });
      await sleep(30);
    }
    await sleep(200);
    const before = recorder.seen.length;
    assert.ok(before >= 1 && before <= 5, `${before} of 20 requests of 4 MB are in a queue of 1 MB`);
    for (let i = 0; i < 20; i++) {
      const { value } = await within(events.next(), `the request ${i}`);
      assert.equal(requestOf(value).request.readAllBytes().length, body.length);
    }
    await recorder.until(20);
  });

  it("a reached limit loses no request", async (t) => {
    const { http, ask, port } = listeningRoom(t, { maxQueueBytes: 1_000 });
    const replies = Array.from({ length: 40 }, (_, i) =>
      ask(port, `/${i}`, { method: "POST", body: Buffer.alloc(20_000, i) }),
    );
    await sleep(100);
    const urls = new Set<string>();
    for (let i = 0; i < 40; i++) {
      const { request, response } = await pullRequest(http);
      const url = request.getURL();
      urls.add(url);
      assert.ok(request.readAllBytes().equals(Buffer.alloc(20_000, Number(url.slice(1)))), url);
      answer(response, url);
    }
    assert.equal(urls.size, 40);
    for (const [i, reply] of replies.entries()) assert.equal((await reply).text, `/${i}`);
  });

  it("a reached limit loses no request of http.listen whose callback is busy", async (t) => {
    const { http, ask } = room(t, { maxQueueBytes: 1_000 });
    let served = 0;
    const listening = http.listen(0, async (request, response) => {
      await sleep(2);
      answer(response, request.readAll().slice(0, 5));
      return ++served === 40;
    });
    const port = http.ports[0]!;
    const body = "y".repeat(20_000);
    const replies = Array.from({ length: 40 }, () => ask(port, "/", { method: "POST", body }));
    for (const reply of replies) assert.equal((await reply).text, "yyyyy");
    await within(listening, "listen to return");
  });

  it("a busy callback of http.listen does not hold back a loop beside it", async (t) => {
    const { http, client, ask, server } = webSocketRoom(t, { maxQueueBytes: 300_000 });
    const [busy, go] = [signal(), signal()];
    const listening = http.listen(0, async (_, response) => {
      busy.give();
      await go.promise;
      answer(response, "in the end");
      return true;
    });
    const reply = ask(http.ports.find((port) => port !== server.port)!);
    await busy.wait("the callback");
    const recorder = new Recorder(http, "websocket_server_message");
    flood(await client(server.port), 0, 128);
    await recorder.until(128);
    for (const [i, event] of recorder.seen.entries()) assert.equal(numberOf(event[2]), i);
    go.give();
    await within(listening, "listen to return");
    assert.equal((await reply).text, "in the end");
  });

  it("a message that is larger than the queue comes all the same", async (t) => {
    const { socket, handle } = await joined(t, { maxQueueBytes: 1_000 });
    for (let i = 0; i < 3; i++) socket.send(Buffer.alloc(100_000, i));
    for (let i = 0; i < 3; i++) {
      assert.deepEqual(await nextMessage(handle), [Buffer.alloc(100_000, i), true]);
    }
  });

  it("queueEvent is never refused: what it queues comes in order, also beyond the limit", async (t) => {
    const { http } = room(t, { maxQueueBytes: 1_000 });
    for (let i = 0; i < 2_000; i++) http.queueEvent("mine", i, "x".repeat(1_000));
    for (let i = 0; i < 2_000; i++) {
      assert.equal((await within(http.pullEvent(), `the event ${i}`))[1], i);
    }
  });

  it("more than the original's 256 events wait", async (t) => {
    const { http, client, server } = webSocketRoom(t);
    const { socket } = await client(server.port);
    for (let i = 0; i < 1_000; i++) socket.send(String(i));
    await sleep(100);
    await within(http.pullEvent("websocket_server_connect"), "the client");
    for (let i = 0; i < 1_000; i++) {
      assert.equal((await within(http.pullEvent(), `the message ${i}`))[2], String(i));
    }
  });

  it("a request is served while WebSocket messages keep the queue full", async (t) => {
    const { http, client, ask, server } = webSocketRoom(t, { maxQueueBytes: 100_000 });
    const port = addPort(http);
    flood(await client(server.port), 0, 64);
    const reply = ask(port, "/between");
    await sleep(50);
    const seen: unknown[] = [];
    let served = false;
    while (seen.length < 64 || !served) {
      const event = await within(http.pullEvent(), "an event");
      if (event[0] === "websocket_server_message") seen.push(numberOf(event[2]));
      if (event[0] === "http_request") {
        answer(requestOf(event).response, "served");
        served = true;
      }
    }
    assert.equal((await reply).text, "served");
    const expected = Array.from({ length: 64 }, (_, i) => i);
    assert.deepEqual(seen, expected);
  });
});
