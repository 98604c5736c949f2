import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createHttp, Http, type HttpOptions, http as ready } from "../../src/craftos/index.ts";
import { takenPort } from "../support/places.ts";
import { sleep, within } from "../support/waiting.ts";
import {
  addPort,
  answer,
  isFree,
  isRefused,
  listeningRoom,
  portOf,
  pullRequest,
  Recorder,
  rawRoom,
  requestOf,
  room,
  serves,
  webSockets,
} from "./computer.ts";

describe("the object", () => {
  it("createHttp makes one per computer, each with its own queue", async (t) => {
    const { http, another } = room(t);
    const other = another();
    assert.ok(http instanceof Http);
    assert.notEqual(http, other);
    http.queueEvent("mine", 1);
    other.queueEvent("yours", 2);
    assert.deepEqual([...(await within(http.pullEvent(), "my event"))], ["mine", 1]);
    assert.deepEqual([...(await within(other.pullEvent(), "the other's event"))], ["yours", 2]);
  });

  it("two computers do not see each other's requests, clients and messages", async (t) => {
    const { http, another, ask, client } = room(t);
    const other = another();
    const [mine, yours] = [new Recorder(http), new Recorder(other)];
    const [port, otherPort] = [addPort(http), addPort(other)];
    assert.deepEqual(http.ports, [port]);
    assert.deepEqual(other.ports, [otherPort]);
    void ask(port, "/mine");
    void ask(otherPort, "/yours");
    await mine.until(1, "http_request");
    await yours.until(1, "http_request");
    (await client(webSockets(http).port)).socket.send("to me");
    (await client(webSockets(other).port)).socket.send("to you");
    await mine.until(1, "websocket_server_message");
    await yours.until(1, "websocket_server_message");
    const names = ["http_request", "websocket_server_connect", "websocket_server_message"];
    assert.deepEqual(mine.names, names);
    assert.deepEqual(yours.names, names);
    assert.equal(requestOf(mine.seen[0]!).request.getURL(), "/mine");
    assert.equal(requestOf(yours.seen[0]!).request.getURL(), "/yours");
    assert.equal(mine.seen[2]![2], "to me");
    assert.equal(yours.seen[2]![2], "to you");
  });

  it("terminate on one computer does not reach the other", async (t) => {
    const { http, another } = room(t);
    const other = another();
    const waiting = other.pullEvent();
    http.queueEvent("terminate");
    await assert.rejects(within(http.pullEvent(), "the rejection"), { message: "Terminated" });
    other.queueEvent("still here");
    assert.equal((await within(waiting, "the other's event"))[0], "still here");
  });

  it("listeners belong to their computer, not to the process", async (t) => {
    const { http, another, ask } = room(t);
    const other = another();
    const port = addPort(http);
    other.removeListener(port);
    await within(other.close(), "the other computer to close");
    await serves(http, "still served", ask(port));
  });

  it("there is a ready http default", async (t) => {
    const { ask } = room(t);
    t.after(() => within(ready.close(), "the default to close"));
    assert.ok(ready instanceof Http);
    const port = addPort(ready);
    const reply = ask(port, "/default");
    const { request, response } = await pullRequest(ready);
    answer(response, request.getURL());
    assert.equal((await reply).text, "/default");
  });

  it("keeps the names exactly", async (t) => {
    const { http } = room(t);
    const names =
      "addListener removeListener listen websocketServer queueEvent pullEvent pullEventRaw events";
    for (const name of names.split(" ")) {
      assert.equal(typeof Reflect.get(http, name), "function", name);
    }
  });

  it("limits are an option", async (t) => {
    const { http, ask, port } = listeningRoom(t, { limits: { maxBodyBytes: 10 } });
    assert.equal((await ask(port, "/large", { method: "POST", body: "0123456789a" })).status, 413);
    void ask(port, "/small", { method: "POST", body: "0123456789" });
    assert.equal((await pullRequest(http)).request.getURL(), "/small", "what was refused is no event");
  });

  it("close stops everything", async (t) => {
    const { http, client, raw, port } = listeningRoom(t);
    const server = webSockets(http);
    const socket = await client(server.port);
    const idle = await raw(port);
    await within(http.close(), "the computer to close");
    assert.equal((await socket.closed()).code, 1001);
    await idle.over();
    assert.ok(await isRefused(port));
    assert.ok(await isRefused(server.port));
    assert.deepEqual(http.ports, []);
  });

  it("close ends a listen that is under way", async (t) => {
    const { http } = room(t);
    const listening = http.listen(0, () => false);
    const port = await portOf(http);
    const settled = Promise.allSettled([listening]);
    await within(http.close(), "the computer to close");
    await within(settled, "listen to end");
    assert.ok(await isFree(port));
  });

  it("can be disposed of", async () => {
    const http = createHttp({ host: "127.0.0.1" });
    const port = addPort(http);
    await within(http[Symbol.asyncDispose](), "the computer to be disposed of");
    assert.ok(await isFree(port));
  });
});

describe("http.addListener(port)", () => {
  it("each request becomes an event http_request(port, request, response)", async (t) => {
    const { http, ask, port } = listeningRoom(t);
    for (const name of ["one", "two", "three"]) {
      const reply = ask(port, `/${name}`);
      const event = await within(http.pullEvent(), "the request");
      assert.equal(event.length, 4);
      assert.deepEqual([event[0], event[1]], ["http_request", port]);
      const { request, response } = requestOf(event);
      assert.equal(request.getURL(), `/${name}`);
      answer(response, `served ${name}`);
      assert.equal((await reply).text, `served ${name}`);
    }
  });

  it("several requests of one connection are as many events, in order", async (t) => {
    const { http, client } = await rawRoom(t);
    client.get("/1").get("/2").get("/3");
    for (const url of ["/1", "/2", "/3"]) {
      const { request, response } = await pullRequest(http);
      assert.equal(request.getURL(), url);
      answer(response, url);
      assert.equal((await client.answer()).text, url);
    }
  });

  it("a request whose client has gone meanwhile is an event all the same", async (t) => {
    const { http, raw, port } = listeningRoom(t);
    for (const content of ["", "abc"]) {
      const client = (await raw(port)).post("/gone", content);
      await sleep(20);
      client.destroy();
      await client.over();
      await sleep(20);
      const { request, response } = await pullRequest(http);
      assert.equal(request.readAll(), content);
      answer(response, "for nobody");
    }
  });

  it("the event tells which of several ports it came to", async (t) => {
    const { http, ask } = room(t);
    const [a, b] = [addPort(http), addPort(http)];
    assert.notEqual(a, b);
    assert.deepEqual([...http.ports].sort(), [a, b].sort());
    for (const port of [b, a, b]) {
      const reply = ask(port);
      const pulled = await pullRequest(http);
      assert.equal(pulled.port, port);
      answer(pulled.response, String(port));
      assert.equal((await reply).text, String(port));
    }
  });

  it("returns nothing, and has bound the port when it returns", async (t) => {
    const { http, another } = room(t);
    assert.equal(http.addListener(0), undefined);
    const [port] = http.ports;
    assert.ok(port !== undefined && port > 0);
    assert.throws(() => another().addListener(port), Error);
    assert.equal(await isFree(port), false);
  });

  it("a port out of 0..65535 is a RangeError", (t) => {
    const { http } = room(t);
    for (const port of [-1, 65_536, 1e9, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => http.addListener(port), RangeError, String(port));
    }
    assert.deepEqual(http.ports, []);
  });

  it("65535 is in the range", (t) => {
    const { http } = room(t);
    try {
      http.addListener(65_535);
    } catch (error) {
      // Somebody else may have it.
      assert.match(String(error), /^Error: Could not open server: /);
      return;
    }
    assert.deepEqual(http.ports, [65_535]);
  });

  it("adding a port that is already listened on replaces the listener", async (t) => {
    const { http, ask, port } = listeningRoom(t);
    http.addListener(port);
    http.addListener(port);
    assert.deepEqual(http.ports, [port]);
    const recorder = new Recorder(http);
    const reply = ask(port);
    await recorder.until(1);
    answer(requestOf(recorder.seen[0]!).response, "once");
    assert.equal((await reply).text, "once");
    http.queueEvent("mark");
    await recorder.until(1, "mark");
    assert.deepEqual(recorder.names, ["http_request", "mark"], "one request is one event");
    http.removeListener(port);
    assert.ok(await isFree(port), "no listener is left of those that were replaced");
  });

  it("failure to bind is the error Could not open server: …", async (t) => {
    const { http, another, ask } = room(t);
    const own = addPort(http);
    for (const port of [(await takenPort(t)).port, addPort(another())]) {
      assert.throws(() => http.addListener(port), { name: "Error", message: /^Could not open server: ./ });
    }
    assert.deepEqual(http.ports, [own]);
    await serves(http, "unharmed", ask(own));
  });
});

describe("http.removeListener(port)", () => {
  it("stops the listener; returns nothing", async (t) => {
    const { http, port } = listeningRoom(t);
    assert.equal(http.removeListener(port), undefined);
    assert.deepEqual(http.ports, []);
    assert.ok(await isRefused(port));
  });

  it("requests are no longer served, on open connections neither", async (t) => {
    const { http, port, client } = await rawRoom(t);
    await serves(http, "served", client.get("/before").answer());
    const recorder = new Recorder(http);
    http.removeListener(port);
    client.get("/after");
    await client.over("the open connection to be closed");
    http.queueEvent("mark");
    await recorder.until(1, "mark");
    assert.deepEqual(recorder.names, ["mark"]);
  });

  it("the port can be used again at once, by anybody", (t) => {
    const { http, another } = room(t);
    const other = another();
    const port = addPort(http);
    for (let i = 0; i < 5; i++) {
      http.removeListener(port);
      other.addListener(port);
      other.removeListener(port);
      http.addListener(port);
    }
    assert.deepEqual(http.ports, [port]);
  });

  it("the port can be used again at once while a connection is open, and serves", async (t) => {
    const { http, raw, ask, port } = listeningRoom(t);
    const client = (await raw(port)).get("/");
    answer((await pullRequest(http)).response, "one");
    await client.answer();
    http.removeListener(port);
    http.addListener(port);
    await serves(http, "two", ask(port, "/again"));
  });

  it("an unknown port does nothing", async (t) => {
    const { http, ask } = room(t);
    const [port, gone] = [addPort(http), addPort(http)];
    http.removeListener(gone);
    for (const unknown of [gone, 1, -1, 70_000, Number.NaN]) http.removeListener(unknown);
    await serves(http, "served", ask(port));
  });

  it("the other listeners of the computer stay", async (t) => {
    const { http, ask } = room(t);
    const [gone, stays] = [addPort(http), addPort(http)];
    http.removeListener(gone);
    const reply = ask(stays);
    assert.equal((await pullRequest(http)).port, stays);
    assert.deepEqual(http.ports, [stays]);
    void reply;
  });
});

describe("the object", () => {
  it("options out of range are refused at once", () => {
    for (const options of [
      { responseTimeout: -1 },
      { responseTimeout: Number.NaN },
      { maxQueueBytes: Number.NaN },
      { maxWebSocketMessage: -1 },
      { limits: { unknown: 1 } },
    ]) {
      assert.throws(() => createHttp(options as HttpOptions), RangeError);
    }
  });
});
