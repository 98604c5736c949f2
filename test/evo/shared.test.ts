import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { EventType, HttpServer, type WebServerMessage, WebSocketServer } from "../../src/evo/index.ts";
import {
  connected,
  connectedServer,
  httpClient,
  httpServer,
  LISTENING,
  MANUAL,
  POLLING,
  REQUEST,
  type Recorded,
  recorded,
  request,
  requested,
  respond,
  STOPPED,
  UUID,
  webSocketServer,
} from "./harness.ts";

const LARGE = Buffer.alloc(32 << 20, "large");

/** Every event that an HttpServer can have, from one upload that gets a stream and is broken off. */
async function everyHttpEvent(t: TestContext, change: (server: HttpServer) => void): Promise<Recorded[]> {
  const web = httpServer(t);
  const { server } = web;
  change(server);
  const client = await web.client();
  client.send("POST /up HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\none");
  const { id } = await web.event("HTTP_DATA_RECEIVED");
  client.pause().send("two");
  await web.event("HTTP_DATA_RECEIVED", 2);
  client.send("end");
  await web.event("HTTP_REQUEST_FINISHED");
  assert.equal(server.StreamResponse(id, LARGE), 0);
  client.resume();
  await web.event("HTTP_CONNECTION_WRITABLE");
  client.destroy();
  await web.event("HTTP_CONNECTION_ABORTED");
  server.StopListening();
  return web.events;
}

async function everyWebSocketEvent(
  t: TestContext,
  change: (server: WebSocketServer) => void,
): Promise<Recorded[]> {
  const web = webSocketServer(t);
  change(web.server);
  const { socket } = await connected(web);
  socket.send("hello");
  await web.event("WEBSOCKET_MESSAGE_RECEIVED");
  socket.close(4321, "enough");
  await web.event("WEBSOCKET_CONNECTION_CLOSED");
  web.server.StopListening();
  return web.events;
}

const HTTP_EVENTS = [
  "SERVER_STARTED_LISTENING",
  "HTTP_REQUEST_STARTED",
  "HTTP_DATA_RECEIVED",
  "HTTP_REQUEST_FINISHED",
  "HTTP_CONNECTION_WRITABLE",
  "HTTP_CONNECTION_ABORTED",
  "SERVER_STOPPED_LISTENING",
] as const;
const WEBSOCKET_EVENTS = [
  "SERVER_STARTED_LISTENING",
  "WEBSOCKET_CONNECTION_ESTABLISHED",
  "WEBSOCKET_MESSAGE_RECEIVED",
  "WEBSOCKET_CONNECTION_CLOSED",
  "SERVER_STOPPED_LISTENING",
] as const;

describe("construction", () => {
  it("new HttpServer() and new WebSocketServer() need no options and do not listen yet", () => {
    for (const server of [new HttpServer(), new WebSocketServer()]) {
      assert.equal(server.isListening, false);
      assert.equal(server.port, 0);
    }
  });

  it("new HttpServer(options) and new WebSocketServer(options) take them", (t) => {
    for (const web of [httpServer(t, { host: "127.0.0.1" }), webSocketServer(t, { host: "127.0.0.1" })]) {
      assert.equal(web.server.isListening, true);
      assert.notEqual(web.server.port, 0);
    }
  });

  it("options that make no sense are refused", () => {
    assert.throws(() => new HttpServer({ limits: { maxBodyBytes: -1 } }), RangeError);
    assert.throws(() => new WebSocketServer({ limits: { maxMessageBytes: Number.NaN } }), RangeError);
  });

  it("HttpServer is meant to be subclassed", async (t) => {
    class Greeter extends HttpServer {
      readonly greeting = "Hello";
      constructor() {
        super(MANUAL);
        this.AddRoute("/hello/:name", "GET");
      }
      override HTTP_REQUEST_FINISHED(_: string, payload: WebServerMessage): void {
        this.SendResponse(payload.clientID, `${this.greeting} from ${this.GetRequestURL(payload.clientID)}`);
      }
    }
    const web = recorded(t, new Greeter());
    web.server.StartListening(0);
    const { client } = await request(web, "/hello/you");
    assert.equal((await client.answer()).text, "Hello from /hello/you");
  });

  it("WebSocketServer is meant to be subclassed", async (t) => {
    class Shouter extends WebSocketServer {
      override WEBSOCKET_MESSAGE_RECEIVED(_: string, payload: WebServerMessage): void {
        this.SendTextMessageToClient(payload.text.toUpperCase(), payload.clientID);
      }
    }
    const web = recorded(t, new Shouter(MANUAL));
    web.server.StartListening(0);
    const { socket } = await connected(web);
    socket.send("quiet");
    await web.event("WEBSOCKET_MESSAGE_RECEIVED");
    assert.equal(await socket.text(), "QUIET");
  });

  it("several servers in one program do not disturb each other", async (t) => {
    const [one, two] = [httpServer(t), httpServer(t)];
    const { client, id } = await request(one);
    two.poll();
    assert.deepEqual(two.names, ["SERVER_STARTED_LISTENING"]);
    assert.equal(two.server.SendResponse(id, "from the other"), 0);
    two.server.StopListening();
    assert.equal(one.server.SendResponse(id, "mine"), 3);
    assert.equal((await client.answer()).text, "mine");
  });
});

describe("DEFAULT_PORT", () => {
  it("9001 (static field)", () => {
    assert.equal(HttpServer.DEFAULT_PORT, 9001);
    assert.equal(WebSocketServer.DEFAULT_PORT, 9001);
  });
  it("9001 (instance field)", () => {
    assert.equal(new HttpServer().DEFAULT_PORT, 9001);
    assert.equal(new WebSocketServer().DEFAULT_PORT, 9001);
  });
});

describe("event handlers", () => {
  it("HttpServer: methods named after the event, called as handler(eventName, payload), replaceable on the instance", async (t) => {
    const calls: unknown[][] = [];
    const events = await everyHttpEvent(t, (server) => {
      for (const name of HTTP_EVENTS) server[name] = (...args: unknown[]) => void calls.push(args);
    });
    assert.deepEqual(new Set(calls.map((args) => args[0])), new Set(HTTP_EVENTS));
    const told = events.map((event) => [event.name, event.payload]);
    assert.deepEqual(calls, told);
  });

  it("WebSocketServer: methods named after the event, called as handler(eventName, payload), replaceable on the instance", async (t) => {
    const calls: unknown[][] = [];
    const events = await everyWebSocketEvent(t, (server) => {
      for (const name of WEBSOCKET_EVENTS) server[name] = (...args: unknown[]) => void calls.push(args);
    });
    const names = calls.map((args) => args[0]);
    assert.deepEqual(names, WEBSOCKET_EVENTS);
    const told = events.map((event) => [event.name, event.payload]);
    assert.deepEqual(calls, told);
  });

  it("overridden in a subclass, and then replaced on the instance", async (t) => {
    const calls: string[] = [];
    class Own extends HttpServer {
      override HTTP_REQUEST_STARTED(eventName: string, payload: WebServerMessage): void {
        calls.push(`${eventName} ${this.HasRequestDetails(payload.clientID)}`);
      }
    }
    const web = recorded(t, new Own(MANUAL));
    web.server.AddRoute("/*");
    web.server.StartListening(0);
    await request(web);
    web.server.HTTP_REQUEST_STARTED = (eventName) => void calls.push(`replaced ${eventName}`);
    await request(web);
    assert.deepEqual(calls, ["HTTP_REQUEST_STARTED true", "replaced HTTP_REQUEST_STARTED"]);
  });

  it("a handler that is a plain function has the server as its this", async (t) => {
    const web = httpServer(t);
    let self: unknown;
    web.server.HTTP_REQUEST_STARTED = function (this: unknown): void {
      self = this;
    };
    await request(web);
    assert.equal(self, web.server);
  });

  it("each has a default that does nothing visible: nothing is printed", async (t) => {
    const http = await everyHttpEvent(t, () => {});
    const webSocket = await everyWebSocketEvent(t, () => {});
    const written: unknown[] = [];
    const note = (text: unknown): boolean => written.push(text) > 0;
    for (const stream of [process.stdout, process.stderr]) t.mock.method(stream, "write", note);
    for (const method of ["log", "info", "warn", "error", "debug"] as const) {
      t.mock.method(console, method, note);
    }
    const [httpServerOwn, webSocketServerOwn] = [new HttpServer(), new WebSocketServer()];
    for (const { name, payload } of http) httpServerOwn.OnEvent(name, payload);
    for (const { name, payload } of webSocket) webSocketServerOwn.OnEvent(name, payload);
    for (const server of [httpServerOwn, webSocketServerOwn]) server.OnEvent(POLLING);
    t.mock.restoreAll();
    assert.deepEqual(written, []);
  });

  it("each has a default that does nothing visible: no answer is sent", async (t) => {
    const { web, client, id } = await requested(t);
    await web.quiet();
    assert.equal(client.rest, "");
    assert.equal(web.server.HasRequestDetails(id), true);
  });

  it("every event goes through OnEvent(eventName, payload), which may be replaced", async (t) => {
    const web = httpServer(t);
    const handled: string[] = [];
    for (const name of HTTP_EVENTS) web.server[name] = () => void handled.push(name);
    const seen: [string, WebServerMessage | undefined][] = [];
    web.server.OnEvent = (name, payload) => void seen.push([name, payload]);
    const client = await web.client();
    client.get("/");
    await web.quiet();
    const names = seen.map(([name]) => name);
    assert.deepEqual(names, [LISTENING, ...REQUEST]);
    assert.deepEqual(handled, []);
  });

  it("OnEvent may be overridden in a subclass", async (t) => {
    const seen: string[] = [];
    class Own extends WebSocketServer {
      override OnEvent(eventName: string, payload?: WebServerMessage): void {
        seen.push(eventName);
        super.OnEvent(eventName, payload);
      }
    }
    const web = recorded(t, new Own(MANUAL));
    web.server.StartListening(0);
    web.poll();
    web.server.StopListening();
    assert.deepEqual(seen, [LISTENING, STOPPED]);
    assert.equal(web.updates, 2);
  });
});

describe("payload WebServerMessage", () => {
  const byName = (events: Recorded[], name: string): WebServerMessage =>
    events.find((event) => event.name === name)!.payload;

  it("eventTypeID and clientID of an HttpServer's events", async (t) => {
    const events = await everyHttpEvent(t, () => {});
    const types = HTTP_EVENTS.map((name) => byName(events, name).eventTypeID);
    assert.deepEqual(types, [4, 6, 7, 8, 10, 9, 5]);
    const ids = new Set(events.map((event) => event.id));
    ids.delete("SERVER");
    assert.equal(ids.size, 1);
    for (const id of ids) assert.match(id, UUID);
    assert.equal(byName(events, "SERVER_STARTED_LISTENING").clientID, "SERVER");
    assert.equal(byName(events, "SERVER_STOPPED_LISTENING").clientID, "SERVER");
  });

  it("eventTypeID and clientID of a WebSocketServer's events", async (t) => {
    const events = await everyWebSocketEvent(t, () => {});
    const types = WEBSOCKET_EVENTS.map((name) => byName(events, name).eventTypeID);
    assert.deepEqual(types, [4, 1, 2, 3, 5]);
    const ids = events.map((event) => event.id);
    assert.match(ids[1]!, UUID);
    assert.deepEqual(ids, ["SERVER", ids[1], ids[1], ids[1], "SERVER"]);
  });

  it("the numbers 0 to 10 have names", () => {
    const numbers = Object.values(EventType).sort((a, b) => a - b);
    assert.deepEqual(numbers, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it("clientID is for one request: two on one connection have two", async (t) => {
    const { web, client, id } = await requested(t);
    await respond(web, client, id);
    client.get("/again");
    const second = (await web.event("HTTP_REQUEST_STARTED", 2)).id;
    assert.match(second, UUID);
    assert.notEqual(second, id);
  });

  it("clientID is for one WebSocket connection: two have two", async (t) => {
    const web = webSocketServer(t);
    const [one, two] = [await connected(web), await connected(web)];
    assert.notEqual(one.id, two.id);
  });

  it("message: the bytes, always a Buffer, and text as UTF-8", async (t) => {
    const { web, client } = await httpClient(t);
    const bytes = Buffer.from("grüße \u{1f44b}");
    client.send(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${bytes.length}\r\n\r\n`).send(bytes);
    const { payload } = await web.event("HTTP_REQUEST_FINISHED");
    for (const event of web.events) assert.ok(Buffer.isBuffer(event.payload.message), event.name);
    assert.equal(payload.message.compare(bytes), 0);
    assert.equal(payload.text, "grüße \u{1f44b}");
    assert.equal(payload.text, payload.text);
  });

  it("message: bytes that are no text stay what they are", async (t) => {
    const { web, socket } = await connectedServer(t);
    const bytes = Buffer.from([0, 255, 128, 10, 13, 254]);
    socket.send(bytes);
    const { payload } = await web.event("WEBSOCKET_MESSAGE_RECEIVED");
    assert.equal(payload.message.compare(bytes), 0);
    assert.equal(payload.binary, true);
  });

  it("message is the program's own to keep", async (t) => {
    const { web, socket } = await connectedServer(t);
    for (let i = 0; i < 200; i++) socket.send(`message ${i} `.repeat(20));
    await web.event("WEBSOCKET_MESSAGE_RECEIVED", 100);
    for (let i = 200; i < 400; i++) socket.send(`message ${i} `.repeat(20));
    await web.event("WEBSOCKET_MESSAGE_RECEIVED", 400);
    const kept = web.named("WEBSOCKET_MESSAGE_RECEIVED");
    for (const [i, event] of kept.entries()) {
      assert.equal(event.payload.message.toString(), `message ${i} `.repeat(20));
    }
  });
});

describe("UNKNOWN_OR_INVALID_WEBSERVER_EVENT", () => {
  it("the default throws an error that names the event", () => {
    for (const server of [new HttpServer(), new WebSocketServer()]) {
      assert.throws(() => server.OnEvent("HTTP_SOMETHING_NEW"), /HTTP_SOMETHING_NEW/);
    }
  });

  it("names of other methods and of Object's are no events", (t) => {
    const web = httpServer(t);
    const reached: string[] = [];
    web.server.UNKNOWN_OR_INVALID_WEBSERVER_EVENT = (eventName) => void reached.push(eventName);
    const names = ["StopListening", "toString", "constructor", "__proto__", "OnEvent", "port", ""];
    for (const name of names) web.server.OnEvent(name);
    assert.deepEqual(reached, names);
    assert.equal(web.server.isListening, true);
  });

  it("reached for an event without a handler", async (t) => {
    const web = httpServer(t);
    const reached: unknown[][] = [];
    web.server.HTTP_REQUEST_STARTED = undefined as never;
    web.server.UNKNOWN_OR_INVALID_WEBSERVER_EVENT = (...args: unknown[]) => void reached.push(args);
    await request(web);
    const started = web.named("HTTP_REQUEST_STARTED")[0]!;
    assert.deepEqual(reached, [["HTTP_REQUEST_STARTED", started.payload]]);
  });

  it("the error for an event without a handler reaches the caller of ProcessDeferredEvents", async (t) => {
    const web = webSocketServer(t);
    web.server.WEBSOCKET_CONNECTION_ESTABLISHED = undefined as never;
    const socket = await web.socket();
    assert.throws(() => web.poll(), /WEBSOCKET_CONNECTION_ESTABLISHED/);
    socket.send("next");
    await web.event("WEBSOCKET_MESSAGE_RECEIVED");
  });

  it("a polling update without a handler counts, too", (t) => {
    const web = httpServer(t);
    web.server.ASYNC_POLLING_UPDATE = undefined as never;
    assert.throws(() => web.poll(), /ASYNC_POLLING_UPDATE/);
  });
});
