import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Http } from "../../src/craftos/index.ts";
import { eventually, signal, sleep, within } from "../support/waiting.ts";
import {
  answer,
  type Event,
  joined,
  listeningRoom,
  nextClient,
  nextMessage,
  portOf,
  pulled,
  pullRequest,
  Recorder,
  rawRoom,
  requestOf,
  room,
  serves,
  TERMINATED,
  webSocketRoom,
} from "./computer.ts";

/** Pulls one event as an array of its own. */
async function pull(http: Http, filter?: string): Promise<unknown[]> {
  return [...(await within(http.pullEvent(filter), `an event ${filter ?? ""}`))];
}

function count(http: Http, events: number): void {
  for (let i = 0; i < events; i++) http.queueEvent("count", i);
}

function counted(events: readonly Event[]): unknown[] {
  return events.map((event) => event[1]);
}

const numbers = (length: number): number[] => Array.from({ length }, (_, i) => i);

describe("the queue", () => {
  it("queueEvent(name, ...params) is pulled as it was queued", async (t) => {
    const { http } = room(t);
    const object = { a: 1 };
    const call = (): void => {};
    assert.equal(http.queueEvent("many", 1, "two", null, undefined, object, call), undefined);
    http.queueEvent("none");
    const event = await pull(http);
    assert.deepEqual(event, ["many", 1, "two", null, undefined, object, call]);
    assert.equal(event[5], object);
    assert.deepEqual(await pull(http), ["none"]);
  });

  it("events wait in order while nobody pulls", async (t) => {
    const { http } = room(t);
    count(http, 1_000);
    await sleep(5);
    for (let i = 0; i < 1_000; i++) assert.deepEqual(await pull(http), ["count", i]);
  });

  it("a single loop that is slow loses nothing", async (t) => {
    const { http } = room(t);
    const seen: unknown[] = [];
    const loop = async (): Promise<void> => {
      while (seen.length < 30) {
        seen.push((await http.pullEvent())[1]);
        await sleep(1);
      }
    };
    const looping = loop();
    count(http, 10);
    await sleep(5);
    for (let i = 10; i < 30; i++) http.queueEvent("count", i);
    await within(looping, "the loop");
    assert.deepEqual(seen, numbers(30));
  });

  it("pullEvent waits for an event", async (t) => {
    const { http } = room(t);
    let got: Event | undefined;
    void http.pullEvent().then((event) => {
      got = event;
    });
    await sleep(20);
    assert.equal(got, undefined);
    http.queueEvent("late");
    await eventually(() => got !== undefined, "the event");
    assert.equal(got?.[0], "late");
  });

  it("pullEvent(filter) passes over events of other names", async (t) => {
    const { http } = room(t);
    for (const name of ["a", "b", "c", "d"]) http.queueEvent(name);
    assert.deepEqual(await pull(http, "c"), ["c"]);
    assert.deepEqual(await pull(http), ["d"], "what no filter wanted is gone");
  });

  it("each waiter gets the event that its filter wants", async (t) => {
    const { http } = room(t);
    const [any, b, c] = [pull(http), pull(http, "b"), pull(http, "c")];
    http.queueEvent("a");
    http.queueEvent("b", 1);
    http.queueEvent("b", 2);
    http.queueEvent("c", 3);
    assert.deepEqual(await any, ["a"]);
    assert.deepEqual(await b, ["b", 1]);
    assert.deepEqual(await c, ["c", 3]);
  });

  it("several waiters each see the event", async (t) => {
    const { http } = room(t);
    const waiters = [pull(http), pull(http, "e"), pull(http)];
    http.queueEvent("e", 1);
    for (const waiter of waiters) assert.deepEqual(await waiter, ["e", 1]);
    http.queueEvent("next");
    assert.deepEqual(await pull(http), ["next"], "once each");
  });

  it("several loops see all events each, in order", async (t) => {
    const { http } = room(t);
    const loops = [new Recorder(http), new Recorder(http), new Recorder(http, "count")];
    count(http, 500);
    for (const loop of loops) await loop.until(500);
    for (const loop of loops) assert.deepEqual(counted(loop.seen), numbers(500));
  });

  it("loops through functions of the program's own see all events, too", async (t) => {
    const { http } = room(t);
    const recorder = new Recorder(http);
    const inner = async (): Promise<Event> => await http.pullEvent();
    const outer = async (): Promise<Event> => {
      try {
        return await inner();
      } finally {
        await Promise.resolve();
      }
    };
    const seen: Event[] = [];
    const loop = async (): Promise<void> => {
      while (seen.length < 200) seen.push(await outer());
    };
    const looping = loop();
    count(http, 200);
    await within(looping, "the loop");
    await recorder.until(200);
    assert.deepEqual(counted(seen), numbers(200));
    assert.deepEqual(counted(recorder.seen), numbers(200));
  });

  it("events that a waiter queues come after those that wait", async (t) => {
    const { http } = room(t);
    const recorder = new Recorder(http);
    const waiting = pull(http).then(() => http.queueEvent("c"));
    http.queueEvent("a");
    http.queueEvent("b");
    await waiting;
    await recorder.until(3);
    assert.deepEqual(recorder.names, ["a", "b", "c"]);
  });

  it("a loop of pullEvent beside http.listen sees every event, and so does listen", async (t) => {
    const { http, ask } = room(t);
    const recorder = new Recorder(http);
    let served = 0;
    const listening = http.listen(0, async (_, response) => {
      await sleep(1);
      answer(response, String(served++));
      return served === 20;
    });
    const port = await portOf(http);
    const replies = Array.from({ length: 20 }, () => ask(port));
    count(http, 20);
    await within(listening, "listen to return");
    await Promise.all(replies);
    await recorder.until(40);
    assert.equal(recorder.of("http_request").length, 20);
    assert.deepEqual(counted(recorder.of("count")), numbers(20));
  });

  it("a loop of pullEvent beside receive sees every event, and so does receive", async (t) => {
    const { http, client, server } = webSocketRoom(t);
    const recorder = new Recorder(http);
    const arriving = nextClient(server);
    const socket = await client(server.port);
    const handle = await arriving;
    for (let i = 0; i < 50; i++) socket.socket.send(String(i));
    for (let i = 0; i < 50; i++) assert.deepEqual(await nextMessage(handle), [String(i), false]);
    await recorder.until(50, "websocket_server_message");
    const messages = recorder.of("websocket_server_message").map((event) => Number(event[2]));
    assert.deepEqual(messages, numbers(50));
  });

  it("requests that came while nobody pulled wait", async (t) => {
    const { http, client } = await rawRoom(t);
    client.get("/1").get("/2");
    await sleep(20);
    for (const url of ["/1", "/2"]) {
      const { request, response } = await pullRequest(http);
      assert.equal(request.getURL(), url);
      answer(response, url);
      assert.equal((await client.answer()).text, url);
    }
  });

  it("for await (const event of http.events()) gives all events", async (t) => {
    const { http, ask, port } = listeningRoom(t);
    const events = http.events();
    const reply = ask(port);
    const names: string[] = [];
    const loop = async (): Promise<void> => {
      for await (const event of events) {
        names.push(String(event[0]));
        if (event[0] === "http_request") {
          answer(requestOf(event).response, "by the loop");
          http.queueEvent("last");
        } else break;
      }
    };
    await within(loop(), "the loop");
    assert.equal((await reply).text, "by the loop");
    assert.deepEqual(names, ["http_request", "last"]);
  });

  it("an iterator that is slow sees every event, and so do those beside it", async (t) => {
    const { http } = room(t);
    const fast = new Recorder(http);
    const walk = async (ms: number, events: AsyncIterableIterator<Event>): Promise<unknown[]> => {
      const seen: unknown[] = [];
      for await (const event of events) {
        seen.push(event[1]);
        if (seen.length === 60) break;
        if (ms > 0) await sleep(ms);
      }
      return seen;
    };
    const walks = [walk(2, http.events()), walk(0, http.events()), walk(1, http.events())];
    count(http, 30);
    await sleep(10);
    for (let i = 30; i < 60; i++) http.queueEvent("count", i);
    for (const walking of walks) assert.deepEqual(await within(walking, "an iterator"), numbers(60));
    await fast.until(60);
    assert.deepEqual(counted(fast.seen), numbers(60));
  });

  it("an iterator sees events from its creation on, before the first is asked for", async (t) => {
    const { http } = room(t);
    const events = http.events();
    const beside = pull(http, "c");
    for (const name of ["a", "b", "c"]) http.queueEvent(name);
    await beside;
    for (const name of ["a", "b", "c"]) {
      const { value } = await within(events.next(), `the event ${name}`);
      assert.equal(value?.[0], name);
    }
    const later = http.events();
    http.queueEvent("d");
    assert.equal((await within(later.next(), "the event d")).value?.[0], "d");
    assert.equal((await within(events.next(), "the event d")).value?.[0], "d");
  });

  it("an iterator that was left holds nothing back", async (t) => {
    const { http } = room(t);
    const loop = async (): Promise<void> => {
      for await (const event of http.events()) if (event[0] === "leave") break;
    };
    const looping = loop();
    http.queueEvent("leave");
    await within(looping, "the loop");
    http.queueEvent("after", 1);
    http.queueEvent("after", 2);
    assert.deepEqual(await pull(http), ["after", 1]);
    assert.deepEqual(await pull(http), ["after", 2]);
  });

  it("terminate rejects pullEvent with Terminated, whatever its filter", async (t) => {
    const { http } = room(t);
    const filters = [undefined, "other", "terminate"];
    const rejected = filters.map((filter) => assert.rejects(pull(http, filter), TERMINATED));
    http.queueEvent("terminate");
    await Promise.all(rejected);
  });

  it("terminate waits in its place when nobody pulls", async (t) => {
    const { http } = room(t);
    for (const name of ["before", "terminate", "after"]) http.queueEvent(name);
    assert.deepEqual(await pull(http), ["before"]);
    await assert.rejects(pull(http), TERMINATED);
    assert.deepEqual(await pull(http), ["after"]);
  });

  it("terminate rejects receive, server.listen and http.listen", async (t) => {
    const { http, client, server, handle } = await joined(t);
    const calls = {
      receive: handle.receive(),
      "server.listen": server.listen(),
      "server.listen of a minute": server.listen(60),
      "http.listen": http.listen(0, () => false),
    };
    const rejected = Object.entries(calls).map(([name, call]) =>
      assert.rejects(within<unknown>(call, `${name} to reject`), TERMINATED),
    );
    http.queueEvent("terminate");
    await Promise.all(rejected);
    const next = await client(server.port);
    const again = await nextClient(server);
    next.socket.send("the handles stay usable");
    assert.deepEqual(await nextMessage(again), ["the handles stay usable", false]);
  });

  it("terminate ends events() with Terminated", async (t) => {
    const { http } = room(t);
    const seen: unknown[] = [];
    const loop = async (): Promise<void> => {
      for await (const event of http.events()) {
        seen.push(event[0]);
        await sleep(1);
      }
    };
    const rejected = assert.rejects(within(loop(), "the loop"), TERMINATED);
    for (const name of ["a", "b", "terminate"]) http.queueEvent(name);
    await rejected;
    assert.deepEqual(seen, ["a", "b"]);
  });

  it("pullEventRaw gets terminate as an event", async (t) => {
    const { http } = room(t);
    const raw = [http.pullEventRaw(), http.pullEventRaw("terminate"), http.pullEventRaw("other")];
    const rejected = assert.rejects(pull(http), TERMINATED);
    http.queueEvent("terminate", 1);
    for (const event of raw) {
      assert.deepEqual([...(await within(event, "the raw event"))], ["terminate", 1]);
    }
    await rejected;
  });

  it("pullEventRaw(filter) pulls as pullEvent does", async (t) => {
    const { http } = room(t);
    for (const name of ["a", "b", "c"]) http.queueEvent(name, name);
    assert.deepEqual([...(await within(http.pullEventRaw("b"), "the event b"))], ["b", "b"]);
    assert.deepEqual([...(await within(http.pullEventRaw(), "the event c"))], ["c", "c"]);
  });

  it("the computer can be used after a terminate", async (t) => {
    const { http, ask, port } = listeningRoom(t);
    http.queueEvent("terminate");
    await assert.rejects(pulled(http, "any"), TERMINATED);
    await serves(http, "going on", ask(port));
  });

  it("queueEvent from within a busy listen callback reaches waiters at once", async (t) => {
    const { http, ask } = room(t);
    const go = signal();
    const listening = http.listen(0, async (_, response) => {
      const waiting = pull(http, "inner");
      http.queueEvent("inner", 1);
      answer(response, JSON.stringify(await waiting));
      go.give();
      return true;
    });
    assert.equal((await ask(await portOf(http))).text, '["inner",1]');
    await go.wait("the callback");
    await within(listening, "listen to return");
  });
});
