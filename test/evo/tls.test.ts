import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it, type TestContext } from "node:test";
import { Agent, request as httpsRequest } from "undici";
import WebSocket from "ws";
import { HttpServer, WebSocketServer } from "../../src/evo/index.ts";
import { certificate } from "../support/certificates.ts";
import { within } from "../support/waiting.ts";
import { exchanged, nextMessage, opened } from "../support/ws-client.ts";
import { type Recording, recorded } from "./harness.ts";

const own = certificate("localhost");
const OPTIONS = { host: "127.0.0.1", tls: own, pollIntervalMs: 4 };

function secureServer(t: TestContext): { web: Recording<HttpServer>; dispatcher: Agent; url: string } {
  const web = recorded(t, new HttpServer(OPTIONS));
  web.server.AddRoute("/*");
  const port = web.server.StartListening(0);
  const dispatcher = new Agent({ connect: { ca: own.cert, servername: "localhost" } });
  t.after(() => dispatcher.destroy());
  return { web, dispatcher, url: `https://127.0.0.1:${port}` };
}

async function secureSocket(t: TestContext, port: number): Promise<WebSocket> {
  const socket = new WebSocket(`wss://localhost:${port}`, { ca: own.cert });
  socket.on("error", () => {});
  t.after(() => socket.terminate());
  return within(opened(socket), "the handshake");
}

describe("construction", () => {
  it("HttpServer with tls: requests and responses", async (t) => {
    const { web, dispatcher, url } = secureServer(t);
    let content = "";
    web.server.HTTP_DATA_RECEIVED = (_, { text }) => {
      content += text;
    };
    web.server.HTTP_REQUEST_FINISHED = (_, { clientID, text }) => {
      web.server.SendResponse(clientID, `${web.server.GetRequestURL(clientID)} ${content}${text}`);
    };
    const answer = await httpsRequest(`${url}/safe`, { method: "POST", body: "secret", dispatcher });
    assert.equal(await answer.body.text(), "/safe secret");
  });

  it("HttpServer with tls: a stream of 5 MiB from the offsets that the events name", async (t) => {
    const { web, dispatcher, url } = secureServer(t);
    const body = Buffer.alloc(5 << 20, "0123456789abcdef+");
    const offsets: number[] = [];
    web.server.HTTP_REQUEST_FINISHED = (_, { clientID }) => void web.server.StreamResponse(clientID, body);
    web.server.HTTP_CONNECTION_WRITABLE = (_, { clientID, text }) => {
      offsets.push(Number(text));
      web.server.StreamResponse(clientID, body.subarray(Number(text)), body.length);
    };
    const answer = await httpsRequest(url, { dispatcher });
    assert.equal(Buffer.from(await within(answer.body.arrayBuffer(), "the stream", 5_000)).compare(body), 0);
    const ascending = offsets.toSorted((a, b) => a - b);
    assert.deepEqual(offsets, ascending);
  });

  it("HttpServer with tls: StopListening answers with 503", async (t) => {
    const { web, dispatcher, url } = secureServer(t);
    web.server.HTTP_REQUEST_FINISHED = () => web.server.StopListening();
    const answer = await within(httpsRequest(url, { dispatcher }), "the answer");
    assert.equal(answer.statusCode, 503);
    assert.equal(await answer.body.text(), "Service Unavailable: Server shutting down");
  });

  it("HttpServer with tls: plain text is not answered", async (t) => {
    const { web } = secureServer(t);
    const client = await web.client();
    client.get("/");
    await client.over();
    assert.doesNotMatch(client.rest, /HTTP/);
    assert.equal(web.names.includes("HTTP_REQUEST_STARTED"), false);
  });

  it("WebSocketServer with tls: messages, echo and close", async (t) => {
    const web = recorded(t, new WebSocketServer(OPTIONS));
    const socket = await secureSocket(t, web.server.StartListening(0));
    const { id } = await web.event("WEBSOCKET_CONNECTION_ESTABLISHED");
    const first = nextMessage(socket);
    assert.equal(web.server.SendTextMessageToClient("secret", id), 1);
    assert.equal((await within(first, "the message")).data, "secret");
    web.server.SetEchoMode(true);
    assert.equal((await exchanged(socket, "echo")).data, "echo");
    const closed = once(socket, "close");
    web.server.StopListening();
    assert.equal((await within(closed, "the close"))[0], 1001);
    assert.equal(web.names.at(-1), "SERVER_STOPPED_LISTENING");
  });

  it("a certificate that is none is an error", (t) => {
    const bad = (): void => {
      const web = recorded(t, new HttpServer({ host: "127.0.0.1", tls: { key: "no key", cert: "no cert" } }));
      web.server.StartListening(0);
    };
    assert.throws(bad, Error);
  });
});
