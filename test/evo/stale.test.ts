import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, it } from "node:test";
import type { HttpServer, WebSocketServer } from "../../src/evo/index.ts";
import { assertAnswer } from "../support/assert-answer.ts";
import {
  connected,
  connectedServer,
  httpServer,
  type Recording,
  request,
  requested,
  webSocketServer,
} from "./harness.ts";

const HTTP_CALLS: readonly [
  name: string,
  call: (server: HttpServer, id: string) => unknown,
  failure: unknown,
][] = [
  ["GetRequestDetails", (server, id) => server.GetRequestDetails(id), undefined],
  ["GetRequestMethod", (server, id) => server.GetRequestMethod(id), undefined],
  ["GetRequestURL", (server, id) => server.GetRequestURL(id), undefined],
  ["GetRequestQuery", (server, id) => server.GetRequestQuery(id), undefined],
  ["GetRequestEndpoint", (server, id) => server.GetRequestEndpoint(id), undefined],
  ["GetRequestHeader", (server, id) => server.GetRequestHeader(id, "host"), undefined],
  ["GetRequestHeaders", (server, id) => server.GetRequestHeaders(id), undefined],
  ["HasRequestDetails", (server, id) => server.HasRequestDetails(id), false],
  ["WriteStatus", (server, id) => server.WriteStatus(id, "200 OK"), false],
  ["WriteHeader", (server, id) => server.WriteHeader(id, "X-Stale", "1"), false],
  ["WriteResponse", (server, id) => server.WriteResponse(id, "stale"), 0],
  ["SendResponse", (server, id) => server.SendResponse(id, "stale"), 0],
  ["StreamResponse", (server, id) => server.StreamResponse(id, "stale"), 0],
  ["StreamResponse of a total", (server, id) => server.StreamResponse(id, "stale", 100), 0],
];

const WEBSOCKET_CALLS: readonly [name: string, call: (server: WebSocketServer, id: string) => unknown][] = [
  ["SendTextMessageToClient", (server, id) => server.SendTextMessageToClient("stale", id)],
  ["SendBinaryMessageToClient", (server, id) => server.SendBinaryMessageToClient(Buffer.from("stale"), id)],
  [
    "SendCompressedTextMessageToClient",
    (server, id) => server.SendCompressedTextMessageToClient("stale", id),
  ],
];
const DROPPED = 2;

function assertStale(server: HttpServer, id: string, why: string): void {
  for (const [name, call, failure] of HTTP_CALLS) {
    assert.equal(call(server, id), failure, `${name} of an id that is ${why}`);
  }
}

function assertDropped(server: WebSocketServer, id: string): void {
  for (const [name, call] of WEBSOCKET_CALLS) assert.equal(call(server, id), DROPPED, name);
}

const STRANGE: readonly unknown[] = [
  ...["", "SERVER", "__proto__", "constructor", "toString", "x".repeat(100_000)],
  ...[undefined, null, 0, -1, {}, Symbol("id")],
];

describe("stale handles", () => {
  it("HttpServer: every call with an id that is unknown returns the failure value and never throws", async (t) => {
    const { web, client, id } = await requested(t);
    assertStale(web.server, randomUUID(), "unknown");
    for (const strange of STRANGE) assertStale(web.server, strange as string, "strange");
    assert.equal(web.server.SendResponse(id, "the only answer"), 3);
    assertAnswer(await client.answer(), { text: "the only answer", fields: { "x-stale": undefined } });
  });

  it("HttpServer: an id whose response is complete is gone; the connection's next request is not touched", async (t) => {
    const { web, client, id } = await requested(t, "/first");
    web.server.SendResponse(id, "first");
    assertStale(web.server, id, "answered");
    assert.equal((await client.answer()).text, "first");
    client.get("/second");
    const second = await web.event("HTTP_REQUEST_FINISHED", 2);
    assertStale(web.server, id, "answered, with a next one");
    assert.equal(web.server.GetRequestURL(second.id), "/second");
    assert.equal(web.server.SendResponse(second.id, "second"), 3);
    assertAnswer(await client.answer(), { status: 200, text: "second", fields: { "x-stale": undefined } });
    assert.equal(client.rest, "");
  });

  it("HttpServer: an id whose response was ended by StreamResponse is gone", async (t) => {
    const { web, client, id } = await requested(t);
    assert.equal(web.server.StreamResponse(id, "all"), 3);
    assertStale(web.server, id, "streamed");
    assert.equal((await client.answer()).text, "all");
    assert.equal(client.rest, "");
  });

  it("HttpServer: an id is gone in the handler of HTTP_CONNECTION_ABORTED and after it", async (t) => {
    const web = httpServer(t);
    const other = await request(web, "/other");
    const { client, id } = await request(web);
    let ran = 0;
    web.server.HTTP_CONNECTION_ABORTED = (_, { clientID }) => {
      assert.equal(clientID, id);
      assertStale(web.server, clientID, "aborted");
      ran++;
    };
    client.destroy();
    await web.event("HTTP_CONNECTION_ABORTED");
    assert.equal(ran, 1);
    assertStale(web.server, id, "aborted");
    web.server.SendResponse(other.id, "other");
    assertAnswer(await other.client.answer(), { text: "other", fields: { "x-stale": undefined } });
  });

  it("HttpServer: every id is gone after StopListening", async (t) => {
    const { web, client, id } = await requested(t);
    web.server.StopListening();
    assertStale(web.server, id, "of a stopped server");
    assert.equal((await client.answer()).status, 503);
    await client.over();
    assert.equal(client.rest, "");
  });

  it("WebSocketServer: every call with an id that is unknown is DROPPED and never throws", async (t) => {
    const { web, socket, id } = await connectedServer(t);
    for (const strange of [randomUUID(), ...STRANGE]) assertDropped(web.server, strange as string);
    web.server.SendTextMessageToClient("yours", id);
    assert.equal(await socket.text(), "yours");
  });

  it("WebSocketServer: a client that closed is gone, in the handler of _CLOSED and after it", async (t) => {
    const web = webSocketServer(t);
    const other = await connected(web);
    const { socket, id } = await connected(web);
    let ran = 0;
    web.server.WEBSOCKET_CONNECTION_CLOSED = () => {
      assertDropped(web.server, id);
      ran++;
    };
    socket.close(1000);
    await web.event("WEBSOCKET_CONNECTION_CLOSED");
    assert.equal(ran, 1);
    assertDropped(web.server, id);
    await checkOnly(web, other);
  });

  it("WebSocketServer: a client whose connection broke is gone", async (t) => {
    const web = webSocketServer(t);
    const other = await connected(web);
    const { socket, id } = await connected(web);
    socket.raw.destroy();
    await web.event("WEBSOCKET_CONNECTION_CLOSED");
    assertDropped(web.server, id);
    await checkOnly(web, other);
  });

  it("WebSocketServer: every client is gone after StopListening, and after a restart", async (t) => {
    const { web, id } = await connectedServer(t);
    web.server.StopListening();
    assertDropped(web.server, id);
    web.server.StartListening(0);
    const other = await connected(web);
    assertDropped(web.server, id);
    await checkOnly(web, other);
  });
});

/** Nothing but this message reaches the client. */
async function checkOnly(
  web: Recording<WebSocketServer>,
  { socket, id }: Awaited<ReturnType<typeof connected>>,
): Promise<void> {
  web.server.SendTextMessageToClient("the only one", id);
  assert.equal(await socket.text(), "the only one");
}
