import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connectedServer, httpClient, httpServer, requested, webSocketServer } from "./harness.ts";

describe("order", () => {
  it("of one request: STARTED, DATA*, FINISHED", async (t) => {
    const { web, client } = await httpClient(t);
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 12\r\n\r\n");
    const { id } = await web.event("HTTP_REQUEST_STARTED");
    for (const [i, piece] of ["one", "two", "six"].entries()) {
      client.send(piece);
      await web.event("HTTP_DATA_RECEIVED", i + 1);
    }
    client.send("end");
    await web.event("HTTP_REQUEST_FINISHED");
    assert.deepEqual(web.of(id), [
      "HTTP_REQUEST_STARTED ",
      "HTTP_DATA_RECEIVED one",
      "HTTP_DATA_RECEIVED two",
      "HTTP_DATA_RECEIVED six",
      "HTTP_REQUEST_FINISHED end",
    ]);
  });

  it("of one request: ABORTED after STARTED, and nothing after ABORTED", async (t) => {
    const { web, client } = await httpClient(t);
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 12\r\n\r\n");
    const { id } = await web.event("HTTP_REQUEST_STARTED");
    client.destroy();
    await web.event("HTTP_CONNECTION_ABORTED");
    await web.received();
    web.poll();
    assert.deepEqual(web.of(id), ["HTTP_REQUEST_STARTED ", "HTTP_CONNECTION_ABORTED "]);
  });

  it("of one request: ABORTED after DATA, nothing after it", async (t) => {
    const { web, client } = await httpClient(t);
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 12\r\n\r\none");
    const { id } = await web.event("HTTP_DATA_RECEIVED");
    client.destroy();
    await web.event("HTTP_CONNECTION_ABORTED");
    await web.received();
    web.poll();
    const expected = ["HTTP_REQUEST_STARTED ", "HTTP_DATA_RECEIVED one", "HTTP_CONNECTION_ABORTED "];
    assert.deepEqual(web.of(id), expected);
  });

  it("of one request: ABORTED after FINISHED, nothing after it", async (t) => {
    const { web, client, id } = await requested(t);
    client.destroy();
    await web.event("HTTP_CONNECTION_ABORTED");
    await web.received();
    web.poll();
    const expected = ["HTTP_REQUEST_STARTED ", "HTTP_REQUEST_FINISHED ", "HTTP_CONNECTION_ABORTED "];
    assert.deepEqual(web.of(id), expected);
  });

  it("of one request, where all happened before the first poll", async (t) => {
    const { web, client } = await httpClient(t);
    client.get("/");
    await web.received();
    client.destroy();
    await web.received();
    await web.event("HTTP_CONNECTION_ABORTED");
    const expected = ["HTTP_REQUEST_STARTED", "HTTP_REQUEST_FINISHED", "HTTP_CONNECTION_ABORTED"];
    assert.deepEqual(web.names.slice(1), expected);
  });

  it("events of one HttpServer come out in the order in which they happened", async (t) => {
    const web = httpServer(t);
    const clients = await Promise.all([web.client(), web.client(), web.client()]);
    const expected: string[] = ["SERVER_STARTED_LISTENING"];
    for (const [i, client] of clients.entries()) {
      client.send(`POST /${i} HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n`);
      await web.received();
      expected.push("HTTP_REQUEST_STARTED");
    }
    for (const i of [2, 0, 1]) {
      clients[i]!.send(`${i}`);
      await web.received();
      expected.push(`HTTP_DATA_RECEIVED ${i}`);
    }
    for (const i of [1, 2, 0]) {
      clients[i]!.send(`${i}`);
      await web.received();
      expected.push(`HTTP_REQUEST_FINISHED ${i}`);
    }
    for (const i of [0, 2, 1]) {
      clients[i]!.destroy();
      await web.received();
      expected.push("HTTP_CONNECTION_ABORTED");
    }
    assert.equal(web.events.length, 0);
    await web.event("HTTP_CONNECTION_ABORTED", 3);
    const text = (event: { name: string; text: string }): string =>
      event.name.startsWith("SERVER") ? event.name : `${event.name} ${event.text}`.trim();
    assert.deepEqual(web.events.map(text), expected);
    const started = web.events.filter((event) => event.name === "HTTP_REQUEST_STARTED");
    const aborted = web.events.filter((event) => event.name === "HTTP_CONNECTION_ABORTED");
    assert.deepEqual(
      aborted.map((event) => event.id),
      [0, 2, 1].map((i) => started[i]!.id),
    );
  });

  it("events of one WebSocketServer come out in the order in which they happened", async (t) => {
    const web = webSocketServer(t);
    const sockets = [await web.socket(), await web.socket(), await web.socket()];
    const expected = ["established", "established", "established"];
    for (let i = 0; i < 20; i++) {
      const from = (i * 7) % 3;
      sockets[from]!.send(`${from}: ${i}`);
      await web.received();
      expected.push(`${from}: ${i}`);
    }
    for (const i of [1, 0, 2]) {
      sockets[i]!.close(4000 + i, `${i} closes`);
      await sockets[i]!.closeFrame();
      expected.push(`${i} closes`);
    }
    web.poll();
    assert.deepEqual(
      web.events.slice(1).map((event) => event.text || "established"),
      expected,
    );
    const ids = web.events.slice(1, 4).map((event) => event.id);
    for (const event of web.events.slice(4)) assert.equal(event.id, ids[Number(event.text[0])]);
  });

  it("of one connection: ESTABLISHED, MESSAGE*, CLOSED and nothing after it", async (t) => {
    const { web, socket, id } = await connectedServer(t);
    socket.send("1").send("2").close(4000, "3").send("too late");
    await web.event("WEBSOCKET_CONNECTION_CLOSED");
    await web.received();
    web.poll();
    assert.deepEqual(web.of(id), [
      "WEBSOCKET_CONNECTION_ESTABLISHED ",
      "WEBSOCKET_MESSAGE_RECEIVED 1",
      "WEBSOCKET_MESSAGE_RECEIVED 2",
      "WEBSOCKET_CONNECTION_CLOSED 3",
    ]);
  });

  it("the first event is SERVER_STARTED_LISTENING", async (t) => {
    const web = webSocketServer(t);
    await web.socket();
    web.poll();
    assert.deepEqual(web.names, ["SERVER_STARTED_LISTENING", "WEBSOCKET_CONNECTION_ESTABLISHED"]);
  });
});
