import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HttpServer, WebSocketServer } from "../../src/evo/index.ts";
import { eventually, signal, sleep } from "../support/waiting.ts";
import {
  connectedServer,
  httpClient,
  httpServer,
  LISTENING,
  POLLING,
  REQUEST,
  type Recording,
  recorded,
  requested,
  STOPPED,
  socketServer,
  webSocketServer,
} from "./harness.ts";

const TIMED = { host: "127.0.0.1" };

/** Counts the updates of a timer for a while, and how many its interval has room for. */
async function updatesIn(web: Recording<HttpServer | WebSocketServer>, ms: number, intervalMs: number) {
  await eventually(() => web.updates > 0, "the first update");
  const before = web.updates;
  const begin = performance.now();
  await sleep(ms);
  return { updates: web.updates - before, expected: (performance.now() - begin) / intervalMs };
}

describe("ProcessDeferredEvents()", () => {
  it("with pollIntervalMs 0 nothing runs before the program calls it", async (t) => {
    const { web, client } = await httpClient(t);
    client.get("/");
    await web.received();
    await sleep(60);
    assert.deepEqual(web.events, []);
    assert.equal(web.updates, 0);
  });

  it("drains the queue now, synchronously, on the caller's stack", async (t) => {
    const { web, socket } = await socketServer(t);
    for (let i = 0; i < 50; i++) socket.send(`${i}`);
    await web.received();
    let polling = false;
    const { OnEvent } = web.server;
    web.server.OnEvent = (name, payload) => {
      assert.equal(polling, true);
      OnEvent.call(web.server, name, payload);
    };
    polling = true;
    web.poll();
    polling = false;
    assert.equal(web.events.length, 52);
    await sleep(5);
    polling = true;
    web.poll();
    assert.equal(web.events.length, 52);
  });

  it("may be called before StartListening and after StopListening", (t) => {
    const web = recorded(t, new HttpServer({ ...TIMED, pollIntervalMs: 0 }));
    web.poll();
    web.server.StartListening(0);
    web.server.StopListening();
    web.poll();
    assert.deepEqual(web.names, [LISTENING, STOPPED]);
  });

  it("by default a timer processes the queue, every 16 ms", async (t) => {
    const web = recorded(t, new HttpServer(TIMED));
    web.server.AddRoute("/*");
    web.server.HTTP_REQUEST_FINISHED = (_, { clientID }) => void web.server.SendResponse(clientID, "timed");
    web.server.StartListening(0);
    const { updates, expected } = await updatesIn(web, 480, 16);
    assert.ok(updates <= expected + 2, `${updates} of at most ${expected}`);
    assert.ok(updates >= expected / 4, `${updates} of ${expected}`);
    const client = await web.client();
    assert.equal((await client.get("/").answer()).text, "timed");
    assert.deepEqual(web.names, [LISTENING, ...REQUEST]);
  });

  it("the timer's interval can be set", async (t) => {
    const web = recorded(t, new WebSocketServer({ ...TIMED, pollIntervalMs: 100 }));
    web.server.StartListening(0);
    const { updates, expected } = await updatesIn(web, 450, 100);
    assert.ok(updates <= expected + 1 && updates >= 2);
  });

  it("may be called while the timer runs, and no event comes twice", async (t) => {
    const web = recorded(t, new WebSocketServer({ ...TIMED, pollIntervalMs: 1 }));
    web.server.StartListening(0);
    const socket = await web.socket();
    for (let i = 0; i < 300; i++) {
      socket.send(`${i}`);
      if (i % 10 === 0) await sleep(1);
      web.poll();
    }
    await web.event("WEBSOCKET_MESSAGE_RECEIVED", 300);
    const expected = Array.from({ length: 300 }, (_, i) => `${i}`);
    assert.deepEqual(web.texts.slice(2), expected);
  });

  it("after a restart the timer runs again", async (t) => {
    const web = recorded(t, new HttpServer(TIMED));
    web.server.StartListening(0);
    web.server.StopListening();
    web.server.StartListening(0);
    const { updates } = web;
    await eventually(() => web.updates >= updates + 2, "two updates");
    assert.deepEqual(web.names, [LISTENING, STOPPED, LISTENING]);
  });

  it("handlers may call StopListening; no event comes twice and none is lost", async (t) => {
    const web = httpServer(t);
    const clients = [await web.client(), await web.client(), await web.client()];
    for (const [i, client] of clients.entries()) {
      client.get(`/${i}`);
      await web.received();
    }
    const depths: number[] = [];
    let depth = 0;
    web.server.HTTP_REQUEST_STARTED = () => {
      depths.push(++depth);
      web.server.StopListening();
      depth--;
    };
    web.poll();
    const three = [...REQUEST, ...REQUEST, ...REQUEST];
    assert.deepEqual(web.names, [LISTENING, ...three, STOPPED]);
    assert.equal(new Set(web.events.slice(1, 7).map((event) => event.id)).size, 3);
    for (const client of clients) assert.equal((await client.answer()).status, 503);
    const count = web.events.length;
    web.poll();
    assert.equal(web.events.length, count);
  });

  it("a handler may call StopListening while the timer polls", async (t) => {
    const web = recorded(t, new WebSocketServer(TIMED));
    const stopped = signal();
    web.server.WEBSOCKET_MESSAGE_RECEIVED = () => web.server.StopListening();
    web.server.SERVER_STOPPED_LISTENING = () => stopped.give();
    web.server.StartListening(0);
    const socket = await web.socket();
    socket.send("stop").send("after");
    await stopped.wait("the last event");
    const { names, updates } = web;
    assert.equal(names.at(-1), "SERVER_STOPPED_LISTENING");
    await sleep(60);
    assert.deepEqual(web.names, names);
    assert.ok(web.updates <= updates + 2);
    assert.ok(names.filter((name) => name === "WEBSOCKET_MESSAGE_RECEIVED").length <= 2);
    assert.equal(names.filter((name) => name === "SERVER_STOPPED_LISTENING").length, 1);
  });

  it("handlers may call ProcessDeferredEvents: the events come in order and once", async (t) => {
    const { web, socket } = await socketServer(t);
    for (let i = 0; i < 20; i++) socket.send(`${i}`);
    await web.received();
    const begun: string[] = [];
    const ended: string[] = [];
    web.server.WEBSOCKET_MESSAGE_RECEIVED = (_, { text }) => {
      begun.push(text);
      web.poll();
      ended.push(text);
    };
    web.poll();
    const expected = Array.from({ length: 20 }, (_, i) => `${i}`);
    assert.deepEqual(begun, expected);
    assert.deepEqual(new Set(ended), new Set(expected));
    assert.equal(ended.length, 20);
    web.poll();
    assert.equal(begun.length, 20);
  });

  it("every handler may call ProcessDeferredEvents and StopListening, ASYNC_POLLING_UPDATE, too", async (t) => {
    const web = httpServer(t);
    const clients = [await web.client(), await web.client()];
    for (const client of clients) client.get("/");
    await web.received();
    for (const name of [LISTENING, ...REQUEST, STOPPED, POLLING] as const) {
      web.server[name] = () => {
        web.poll();
        web.server.StopListening();
        web.poll();
      };
    }
    web.poll();
    assert.equal(web.server.isListening, false);
    const { names } = web;
    assert.equal(names.length, 6);
    assert.equal(names.filter((name) => name === "HTTP_REQUEST_STARTED").length, 2);
    assert.equal(names.filter((name) => name === "HTTP_REQUEST_FINISHED").length, 2);
    assert.equal(names.at(-1), "SERVER_STOPPED_LISTENING");
  });

  it("ASYNC_POLLING_UPDATE may poll without end", (t) => {
    const web = httpServer(t);
    web.server.ASYNC_POLLING_UPDATE = () => web.poll();
    for (let i = 0; i < 100; i++) web.poll();
    assert.deepEqual(web.names, [LISTENING]);
  });

  it("handlers may answer at once, and the next request of the connection comes in a later poll", async (t) => {
    const web = httpServer(t);
    web.server.HTTP_REQUEST_STARTED = (_, { clientID }) => void web.server.SendResponse(clientID, "at once");
    const client = await web.client();
    client.get("/1").get("/2");
    await web.event("HTTP_REQUEST_STARTED", 2);
    assert.equal((await client.answer()).text, "at once");
    assert.equal((await client.answer()).text, "at once");
  });

  it("what a handler throws reaches the caller; that event is used up, the rest stays for the next call", async (t) => {
    const { web, socket } = await connectedServer(t);
    for (const text of ["good", "bad", "after"]) socket.send(text);
    await web.received();
    const ran: string[] = [];
    web.server.WEBSOCKET_MESSAGE_RECEIVED = (_, { text }) => {
      ran.push(text);
      if (text === "bad") throw new Error("a bad message");
    };
    assert.throws(() => web.poll(), /a bad message/);
    assert.deepEqual(ran, ["good", "bad"]);
    web.poll();
    assert.deepEqual(ran, ["good", "bad", "after"]);
  });

  it("what a handler throws while the timer polls goes to onError, and the rest still comes", async (t) => {
    const errors: unknown[] = [];
    const web = recorded(t, new WebSocketServer({ ...TIMED, onError: (error) => errors.push(error) }));
    const wrong = new Error("a bad message");
    web.server.WEBSOCKET_MESSAGE_RECEIVED = (_, { text }) => {
      if (text === "bad") throw wrong;
    };
    web.server.StartListening(0);
    const socket = await web.socket();
    for (const text of ["good", "bad", "after", "bad", "end"]) socket.send(text);
    await eventually(() => web.events.at(-1)?.text === "end", "the last message");
    assert.deepEqual(errors, [wrong, wrong]);
    const texts = web.texts.slice(2);
    assert.deepEqual(texts, ["good", "bad", "after", "bad", "end"]);
  });

  it("without onError it is console.error", async (t) => {
    const log = t.mock.method(console, "error", (..._: unknown[]): void => {});
    const web = recorded(t, new HttpServer(TIMED));
    const wrong = new Error("at the start");
    web.server.SERVER_STARTED_LISTENING = () => {
      throw wrong;
    };
    web.server.StartListening(0);
    await eventually(() => log.mock.callCount() > 0, "the error");
    assert.ok(log.mock.calls[0]!.arguments.includes(wrong));
    await eventually(() => web.updates > 0, "an update after the error");
    assert.equal(web.server.isListening, true);
  });
});

describe("ASYNC_POLLING_UPDATE", () => {
  it("called after each poll, even with no events", (t) => {
    const web = recorded(t, new HttpServer({ ...TIMED, pollIntervalMs: 0 }));
    for (let i = 1; i <= 5; i++) {
      web.poll();
      assert.equal(web.updates, i);
    }
    assert.deepEqual(web.events, []);
  });

  it("never passes OnEvent, where programs use payload.clientID", async (t) => {
    const web = recorded(t, new HttpServer({ ...TIMED, pollIntervalMs: 1 }));
    const ids: (string | undefined)[] = [];
    const stopped: string[] = [];
    web.server.OnEvent = (_, payload) => void ids.push(payload?.clientID);
    web.server.StartListening(0);
    await eventually(() => web.updates >= 3, "three updates");
    web.server.ASYNC_POLLING_UPDATE = (name) => void stopped.push(name);
    web.server.StopListening();
    assert.deepEqual(ids, ["SERVER", "SERVER"]);
    assert.deepEqual(stopped, [POLLING]);
  });

  it("not called by an explicit ProcessDeferredEvents where a timer polls", (t) => {
    const web = recorded(t, new HttpServer(TIMED));
    web.poll();
    web.server.StartListening(0);
    web.poll();
    assert.deepEqual(web.names, [LISTENING]);
    assert.equal(web.updates, 0);
    web.server.StopListening();
    assert.equal(web.updates, 1);
  });

  it("comes after the timer's poll, also where an event's handler throws", async (t) => {
    const log: string[] = [];
    const onError = (): unknown => log.push("error");
    const web = recorded(t, new HttpServer({ ...TIMED, pollIntervalMs: 5, onError }));
    web.server.SERVER_STARTED_LISTENING = () => {
      throw new Error("a bad handler");
    };
    web.server.ASYNC_POLLING_UPDATE = () => void log.push("update");
    web.server.StartListening(0);
    await eventually(() => log.length >= 3, "two updates");
    assert.deepEqual(log.slice(0, 3), ["error", "update", "update"]);
  });

  it("called after the events of the poll", async (t) => {
    const web = httpServer(t);
    const log: string[] = [];
    const { OnEvent } = web.server;
    web.server.OnEvent = (name, payload) => {
      log.push(name);
      OnEvent.call(web.server, name, payload);
    };
    web.server.ASYNC_POLLING_UPDATE = (name) => void log.push(name);
    const client = await web.client();
    client.get("/");
    await web.quiet();
    web.poll();
    assert.deepEqual(log, [LISTENING, ...REQUEST, POLLING, POLLING]);
  });

  it("with no payload", async (t) => {
    for (const web of [httpServer(t), webSocketServer(t)]) {
      const calls: unknown[][] = [];
      web.server.ASYNC_POLLING_UPDATE = (...args: unknown[]) => void calls.push(args);
      web.poll();
      assert.equal(calls.length, 1);
      assert.equal(calls[0]![0], POLLING);
      assert.equal(calls[0]![1], undefined);
    }
  });

  it("called after each poll of the timer", async (t) => {
    const web = recorded(t, new HttpServer({ ...TIMED, pollIntervalMs: 5 }));
    web.server.StartListening(0);
    await eventually(() => web.updates >= 5, "five updates");
    await web.client().then((client) => client.destroy());
    assert.deepEqual(web.names, [LISTENING]);
  });

  it("a request that it starts to answer is answered", async (t) => {
    const { web, client, id } = await requested(t);
    web.server.ASYNC_POLLING_UPDATE = () => void web.server.SendResponse(id, "from the loop");
    web.poll();
    assert.equal((await client.answer()).text, "from the loop");
  });
});
