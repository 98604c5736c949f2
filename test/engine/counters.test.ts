import assert from "node:assert/strict";
import { test } from "node:test";
import type { WebSocket } from "../../src/exchange/exchange.ts";
import { throwing } from "../support/failing.ts";
import { frame } from "../support/frames.ts";
import { harness, routed, simpleServer } from "../support/harness.ts";
import { eventually, signal, turns } from "../support/waiting.ts";
import { open } from "../support/web-socket-client.ts";
import { handshake } from "../support/web-socket-handshake.ts";
import { webSocketPair } from "../support/web-socket-pair.ts";

test("connections: so far, open now, refused", async (t) => {
  const { server, connect, connectTcp } = harness(t, { limits: { maxConnections: 3 } });
  server.websocket("/", {});
  const { counters } = server;
  assert.equal(counters.connections, 0);
  const client = connect();
  await open(connect(), "/");
  await connectTcp();
  await eventually(() => counters.connections === 3, "the third connection");
  assert.equal(counters.openConnections, 3);
  connect();
  await turns();
  assert.deepEqual([counters.connections, counters.refusedConnections], [3, 1]);
  client.destroy();
  await eventually(() => counters.openConnections === 2, "one to go");
  assert.equal(counters.connections, 3);
  await server.close({ graceMs: 0 });
  assert.deepEqual([counters.openConnections, counters.openWebSockets], [0, 0]);
});

test("requests, those too that the server answers by itself", async (t) => {
  const { server, connect } = routed(harness(t), "get", (exchange) => void exchange.end());
  const client = connect().get("/").get("/none").get("/%");
  client.send("PUT / HTTP/1.1\r\nHost: h\r\n\r\n").send("GET / HTTP/1.1\r\n\r\n");
  for (let i = 0; i < 5; i++) await client.answer();
  assert.equal(server.counters.requests, 4, "what is no request is none");
});

test("WebSockets: so far and open now; messages received, sent and dropped", async (t) => {
  const { server, connect } = harness(t, { limits: { maxBackpressureBytes: 10_000 } });
  const { counters } = server;
  const opened = signal<WebSocket>();
  server.websocket("/", {
    open: (socket) => opened.give(socket as WebSocket),
    message: (socket, data) => void socket.send(data),
  });
  const client = await open(connect(), "/");
  const other = await open(connect(), "/");
  assert.deepEqual([counters.webSockets, counters.openWebSockets], [2, 2]);
  for (let i = 0; i < 3; i++) client.send("x");
  for (let i = 0; i < 3; i++) await client.next();
  assert.deepEqual([counters.messagesReceived, counters.messagesSent], [3, 3]);
  client.ping("p");
  await client.next();
  assert.equal(counters.messagesReceived, 3, "a ping is no message");
  assert.equal(counters.messagesSent, 3);
  const socket = await opened.wait("the WebSocket");
  client.raw.pause();
  let sent = 3;
  while (socket.send("x".repeat(1_000)) !== "dropped") {
    sent++;
    await turns(1);
  }
  socket.subscribe("t");
  assert.equal(server.publish("t", "x".repeat(9_999)), 0);
  assert.equal(counters.messagesSent, sent);
  assert.equal(counters.messagesDropped, 2);
  other.raw.destroy();
  await eventually(() => counters.openWebSockets === 1, "one to go");
  assert.equal(counters.webSockets, 2);
});

test("bytes received, each once", async (t) => {
  const { server, connect } = simpleServer(t);
  const http = connect();
  const text = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc";
  for (const character of text) http.send(character);
  await http.answer();
  assert.equal(server.counters.bytesReceived, text.length);
});

test("bytes sent, each once, and those that wait for slow peers now", async (t) => {
  const { server, connect } = harness(t);
  const { counters } = server;
  server.get("/", (exchange) => void exchange.end("x".repeat(5_000)));
  server.get("/pieces", (exchange) => {
    for (let i = 0; i < 100; i++) exchange.write("y".repeat(1_000));
    exchange.end();
  });
  const client = connect().get("/").get("/pieces");
  await client.answer();
  await client.answer();
  assert.equal(counters.bytesSent, client.received.length);
  assert.equal(counters.pendingBytes, 0);
  const before = counters.bytesSent;
  client.pause().get("/");
  await turns();
  assert.equal(counters.pendingBytes, counters.bytesSent - before);
  assert.ok(counters.pendingBytes > 5_000);
  const other = connect().pause().get("/");
  await turns();
  const both = counters.pendingBytes;
  assert.ok(both > 10_000);
  other.destroy();
  await eventually(() => counters.pendingBytes < both, "the share of who has gone to be taken off");
  client.resume();
  await client.answer();
  await eventually(() => counters.pendingBytes === 0, "nothing to wait");
});

test("bytes that wait are taken off for good when their peer goes, also when more is being sent just then", async (t) => {
  const { server, client, socket } = await webSocketPair(t);
  client.raw.pause();
  socket.send("x".repeat(1_000));
  await turns();
  assert.equal(server.counters.pendingBytes, 1_004);
  client.raw.destroy();
  // After the peer has gone, and before this end knows.
  process.nextTick(() => socket.send("late"));
  await turns();
  assert.deepEqual([server.counters.openConnections, server.counters.pendingBytes], [0, 0]);
});

test("bytes that come together with a handshake count once", async (t) => {
  const { server, connect } = harness(t);
  const got = signal();
  server.websocket("/", { message: () => got.give() });
  const head = Buffer.from(handshake("/"), "latin1");
  const message = frame(1, "x".repeat(1_000));
  connect().send(Buffer.concat([head, message]));
  await got.wait("the message");
  assert.equal(server.counters.bytesReceived, head.length + message.length);
});

test("errors by their code: the peers' and the program's", async (t) => {
  const { server, connect } = harness(t, { limits: { headTimeoutMs: 30, maxBodyBytes: 5 } });
  const { counters } = server;
  server.get("/", throwing(new Error("own")));
  server.post("/", async (exchange) => void exchange.end(await exchange.text(2)));
  server.websocket("/ws", {});
  assert.deepEqual({ ...counters.errors }, {});
  await connect().get("/").answer();
  assert.equal(counters.errors["HANDLER"], 1);
  const long = connect().post("/", "abc");
  await long.answer();
  assert.equal(counters.errors["ERR_BODY_TOO_LARGE"], 1);
  const longer = connect().post("/", "abcdef");
  await longer.answer();
  assert.equal(counters.errors["HTTP_BODY_TOO_LARGE"], 1);
  await connect().get("/%").answer();
  assert.equal(counters.errors["HTTP_BAD_PATH"], 1);
  await connect().send("GET /").answer();
  assert.equal(counters.errors["HTTP_HEAD_TIMEOUT"], 1);
  const ws = await open(connect(), "/ws");
  ws.raw.send(frame(1, Buffer.from([0xff])));
  await ws.closeFrame();
  assert.equal(counters.errors["WS_INVALID_UTF8"], 1);
  const total = Object.values(counters.errors).reduce((a, b) => a + b, 0);
  assert.equal(total, 6, JSON.stringify(counters.errors));
});

test("a hundred connections of all kinds leave nothing behind", async (t) => {
  const ids: string[] = [];
  const { server, connect } = routed(harness(t), "get", (exchange) => {
    ids.push(exchange.id);
    exchange.end();
  });
  server.get("/stuck", (exchange) => void ids.push(exchange.id));
  server.websocket("/ws", {
    open(socket) {
      ids.push(socket.id);
      socket.subscribe("t");
    },
  });
  for (let i = 0; i < 100; i++) {
    const client = connect();
    if (i % 3 === 0) await client.get("/").answer();
    else if (i % 3 === 1) client.get("/stuck");
    else await open(client, "/ws");
    await turns(1);
    client.destroy();
  }
  await eventually(() => server.counters.openConnections === 0, "all to be gone");
  assert.deepEqual([server.counters.openWebSockets, server.subscribers("t")], [0, 0]);
  assert.equal(ids.length, 100);
  for (const id of ids) assert.equal(server.find(id), undefined);
});
