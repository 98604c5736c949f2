import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connectedServer, httpClient, httpServer, LISTENING, webSocketServer } from "./harness.ts";

describe("order", () => {
  it("of one request: STARTED, DATA*, FINISHED", async (t) => {
    const { web, client } = await httpClient(t, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 12\r\n\r\n");
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

  const POST = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 12\r\n\r\n";
  const aborted: [when: string, bytes: string, last: string, ...texts: string[]][] = [
    ["STARTED, and nothing after ABORTED", POST, "HTTP_REQUEST_STARTED"],
    ["DATA, nothing after it", `${POST}one`, "HTTP_DATA_RECEIVED", "HTTP_DATA_RECEIVED one"],
    [
      "FINISHED, nothing after it",
      "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
      "HTTP_REQUEST_FINISHED",
      "HTTP_REQUEST_FINISHED ",
    ],
  ];
  for (const [when, bytes, last, ...texts] of aborted) {
    it(`of one request: ABORTED after ${when}`, async (t) => {
      const { web, client } = await httpClient(t);
      client.send(bytes);
      const { id } = await web.event(last);
      client.destroy();
      await web.event("HTTP_CONNECTION_ABORTED");
      await web.quiet();
      assert.deepEqual(web.of(id), ["HTTP_REQUEST_STARTED ", ...texts, "HTTP_CONNECTION_ABORTED "]);
    });
  }

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
    for (const [event, order] of [
      ["HTTP_DATA_RECEIVED", [2, 0, 1]],
      ["HTTP_REQUEST_FINISHED", [1, 2, 0]],
    ] as const) {
      for (const i of order) {
        clients[i]!.send(`${i}`);
        await web.received();
        expected.push(`${event} ${i}`);
      }
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
    const started = web.named("HTTP_REQUEST_STARTED");
    const aborted = web.named("HTTP_CONNECTION_ABORTED");
    const ids = [0, 2, 1].map((i) => started[i]!.id);
    assert.deepEqual(
      aborted.map((event) => event.id),
      ids,
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
    const told = web.events.slice(1).map((event) => event.text || "established");
    assert.deepEqual(told, expected);
    const ids = web.events.slice(1, 4).map((event) => event.id);
    for (const event of web.events.slice(4)) assert.equal(event.id, ids[Number(event.text[0])]);
  });

  it("of one connection: ESTABLISHED, MESSAGE*, CLOSED and nothing after it", async (t) => {
    const { web, socket, id } = await connectedServer(t);
    socket.send("1").send("2").close(4000, "3").send("too late");
    await web.event("WEBSOCKET_CONNECTION_CLOSED");
    await web.quiet();
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
    assert.deepEqual(web.names, [LISTENING, "WEBSOCKET_CONNECTION_ESTABLISHED"]);
  });
});
