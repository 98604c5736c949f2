import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { assertAnswer } from "../support/assert-answer.ts";
import { sleep } from "../support/waiting.ts";
import {
  connectedServer,
  httpClient,
  httpServer,
  LISTENING,
  REQUEST,
  request,
  requested,
  respond,
  STOPPED,
  socketServer,
  webSocketServer,
} from "./harness.ts";

const GONE = "Service Unavailable: Server shutting down";

const MESSAGE = "WEBSOCKET_MESSAGE_RECEIVED";
const CLOSED = "WEBSOCKET_CONNECTION_CLOSED";

describe("StopListening()", () => {
  it("HTTP: every pending request is answered at once with 503, text/plain and 41 bytes", async (t) => {
    const web = httpServer(t);
    const requests = [await request(web), await request(web, "/second"), await request(web, "/third")];
    web.server.StopListening();
    for (const { client } of requests) {
      const answer = await client.answer();
      assert.match(answer.head, /^HTTP\/1\.1 503 Service Unavailable\r\n/);
      assert.equal(answer.header("content-type"), "text/plain");
      assert.equal(answer.header("content-length"), "41");
      assert.equal(answer.text, GONE);
      await client.over();
      assert.equal(client.rest, "");
    }
  });

  it("HTTP: the ids of pending requests become invalid, without an ABORTED", async (t) => {
    const { web, id } = await requested(t);
    let valid: boolean | undefined;
    web.server.SERVER_STOPPED_LISTENING = () => {
      valid = web.server.HasRequestDetails(id);
    };
    web.server.StopListening();
    assert.equal(valid, false);
    assert.equal(web.server.SendResponse(id, "late"), 0);
    assert.equal(web.server.GetRequestDetails(id), undefined);
    await web.received().catch(() => {});
    web.poll();
    assert.deepEqual(web.of(id), ["HTTP_REQUEST_STARTED ", "HTTP_REQUEST_FINISHED "]);
    assert.equal(web.names.at(-1), "SERVER_STOPPED_LISTENING");
  });

  it("HTTP: a request whose STARTED was not polled yet is answered, too; the rest of the queue is processed", async (t) => {
    const { web, client } = await httpClient(t);
    client.get("/waiting");
    await web.received();
    const valid: boolean[] = [];
    web.server.HTTP_REQUEST_STARTED = (_, { clientID }) =>
      void valid.push(web.server.HasRequestDetails(clientID));
    web.server.HTTP_REQUEST_FINISHED = (_, { clientID }) =>
      void valid.push(web.server.SendResponse(clientID, "late") !== 0);
    assert.deepEqual(web.names, []);
    web.server.StopListening();
    assert.deepEqual(web.names, [LISTENING, ...REQUEST, STOPPED]);
    assert.deepEqual(valid, [false, false]);
    assertAnswer(await client.answer(), { status: 503, text: GONE });
    await client.over();
  });

  it("HTTP: a request whose content is still coming is answered, too", async (t) => {
    const { web, client } = await httpClient(t);
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nsome");
    await web.event("HTTP_DATA_RECEIVED");
    web.server.StopListening();
    assertAnswer(await client.answer(), { status: 503, text: GONE });
    assert.equal(web.names.at(-1), "SERVER_STOPPED_LISTENING");
    await client.over();
  });

  it("HTTP: status and headers that the program had written do not go with the 503", async (t) => {
    const { web, client, id } = await requested(t);
    assert.equal(web.server.WriteStatus(id, "201 Created"), true);
    assert.equal(web.server.WriteHeader(id, "Content-Type", "application/json"), true);
    web.server.StopListening();
    const answer = await client.answer();
    assert.match(answer.head, /^HTTP\/1\.1 503 Service Unavailable\r\n/);
    assert.equal(answer.header("content-type"), "text/plain");
    assert.equal(answer.text, GONE);
  });

  it("HTTP: a response that has begun is broken off, and the peer can tell", async (t) => {
    const { web, client, id } = await requested(t);
    web.server.WriteResponse(id, "half of it");
    await client.until(() => client.rest.includes("half of it"), "the chunk");
    web.server.StopListening();
    assert.equal(web.server.HasRequestDetails(id), false);
    await client.over();
    assert.doesNotMatch(client.rest, /\r\n0\r\n\r\n$/);
    assert.doesNotMatch(client.rest, /503/);
  });

  it("HTTP: a request whose upload is paused by a full queue is answered, too", async (t) => {
    const web = httpServer(t, { limits: { maxQueueBytes: 10_000 } });
    const client = await web.client();
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n").send("x".repeat(100_000));
    // The full queue pauses every connection, so none can tell when it is full.
    await sleep(50);
    web.server.StopListening();
    assert.equal(web.names[1], "HTTP_REQUEST_STARTED");
    assert.equal(web.names.at(-1), "SERVER_STOPPED_LISTENING");
    assert.equal((await client.answer()).status, 503);
    await client.over();
  });

  it("HTTP: a response that is complete and not yet taken by its peer is not cut off", async (t) => {
    const { web, client, id } = await requested(t);
    client.pause();
    const body = Buffer.alloc(12 << 20, "body");
    assert.equal(web.server.SendResponse(id, body), 3);
    web.server.StopListening();
    client.resume();
    const answer = await client.answer("GET", 5_000);
    assert.equal(answer.status, 200);
    assert.equal(answer.body.compare(body), 0);
  });

  it("HTTP: ids from before stay invalid after a restart", async (t) => {
    const web = httpServer(t);
    const before = await request(web);
    web.server.StopListening();
    await before.client.over();
    web.server.StartListening(0);
    const after = await request(web, "/after");
    assert.equal(web.server.HasRequestDetails(before.id), false);
    assert.equal(web.server.SendResponse(before.id, "to nobody"), 0);
    assert.equal(web.server.SendResponse(after.id, "to somebody"), 3);
    assert.equal((await after.client.answer()).text, "to somebody");
  });

  it("HTTP: routes stay for the next StartListening", async (t) => {
    const web = httpServer(t);
    web.server.StopListening();
    web.server.StartListening(0);
    assert.deepEqual(web.server.GetRegisteredRoutes("ANY"), ["/*"]);
    const { client, id } = await request(web);
    assert.equal((await respond(web, client, id, "routed")).text, "routed");
  });

  it("WebSocket: all clients are disconnected at once", async (t) => {
    const web = webSocketServer(t);
    const sockets = [await web.socket(), await web.socket(), await web.socket()];
    web.poll();
    const ids = web.events.slice(1).map((event) => event.id);
    web.server.StopListening();
    assert.equal(web.server.GetNumConnectedClients(), 0);
    for (const id of ids) assert.equal(web.server.SendTextMessageToClient("late", id), 2);
    const closed = web.named("WEBSOCKET_CONNECTION_CLOSED");
    assert.deepEqual(new Set(closed.map((event) => event.id)), new Set(ids));
    assert.equal(closed.length, 3);
    for (const event of closed) assert.equal(event.payload.code, 1001);
    assert.equal(web.names.at(-1), "SERVER_STOPPED_LISTENING");
    for (const socket of sockets) {
      assert.equal((await socket.closeFrame()).code, 1001);
      await socket.raw.over();
    }
  });

  it("WebSocket: the rest of the queue is processed before the last event", async (t) => {
    const { web, socket } = await socketServer(t);
    socket.send("one").send("two");
    await web.received();
    web.server.StopListening();
    assert.deepEqual(web.names, [
      LISTENING,
      "WEBSOCKET_CONNECTION_ESTABLISHED",
      MESSAGE,
      MESSAGE,
      CLOSED,
      STOPPED,
    ]);
  });

  it("WebSocket: a client that does not answer the close is gone at once, too", async (t) => {
    const { web, socket } = await socketServer(t);
    socket.answersClose = false;
    web.server.StopListening();
    await socket.raw.over();
  });

  it("what a handler throws reaches the caller; the server is stopped, and the rest up to the last event stays for the next call", async (t) => {
    const { web, socket } = await connectedServer(t);
    socket.send("bad").send("good");
    await web.received();
    web.server.WEBSOCKET_MESSAGE_RECEIVED = (_, { text }) => {
      if (text === "bad") throw new Error("a bad message");
    };
    assert.throws(() => web.server.StopListening(), /a bad message/);
    assert.equal(web.server.isListening, false);
    assert.equal(web.server.GetNumConnectedClients(), 0);
    web.poll();
    assert.deepEqual(web.names.slice(2), [MESSAGE, MESSAGE, CLOSED, STOPPED]);
    await socket.raw.over();
  });
});
