import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { Agent, request as httpRequest } from "undici";
import { BINARY, CONTINUATION, frame, frameHead, TEXT } from "../support/frames.ts";
import { eventually, sleep, within } from "../support/waiting.ts";
import {
  connected,
  connectedServer,
  httpClient,
  httpServer,
  nextFinished,
  webSocketServer,
} from "./harness.ts";

const MAX = 16 << 20;
const BACKPRESSURE = 0;
const DROPPED = 2;

async function fetched(options: { dispatcher: Agent }, url: string): Promise<Buffer> {
  const { body } = await httpRequest(url, options);
  return Buffer.from(await body.arrayBuffer());
}

describe("limits (original's values, all options here)", () => {
  it("max payload 16 MiB: a message of 16 MiB is taken", async (t) => {
    const { web, socket } = await connectedServer(t);
    socket.raw.send(frameHead(BINARY, MAX, { mask: [0, 0, 0, 0] })).send(Buffer.alloc(MAX, 7));
    await web.until(() => web.events.length > 2, "the message", 5_000);
    assert.equal(web.events[2]!.name, "WEBSOCKET_MESSAGE_RECEIVED");
    assert.equal(web.events[2]!.payload.message.length, MAX);
  });

  it("max payload 16 MiB: one byte more closes with 1009", async (t) => {
    const { web, socket } = await connectedServer(t);
    socket.raw.send(frameHead(BINARY, MAX + 1));
    assert.equal((await socket.closeFrame()).code, 1009);
    assert.equal((await web.event("WEBSOCKET_CONNECTION_CLOSED")).payload.code, 1009);
    assert.equal(web.names.includes("WEBSOCKET_MESSAGE_RECEIVED"), false);
  });

  it("max payload: maxMessageBytes, over all fragments", async (t) => {
    const web = webSocketServer(t, { limits: { maxMessageBytes: 10 } });
    const fits = await connected(web);
    fits.socket.send("ten bytes!");
    assert.equal((await web.event("WEBSOCKET_MESSAGE_RECEIVED")).text, "ten bytes!");
    fits.socket.send("eleven byte");
    assert.equal((await fits.socket.closeFrame()).code, 1009);
    const fragments = await connected(web);
    fragments.socket.raw.send(frame(TEXT, "sixsix", { fin: false })).send(frame(CONTINUATION, "sixsix"));
    assert.equal((await fragments.socket.closeFrame()).code, 1009);
  });

  it("max payload 16 MiB: content of 16 MiB is taken, one byte more is refused with 413", async (t) => {
    const { web, client } = await httpClient(t);
    client.send(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${MAX}\r\n\r\n`).send(Buffer.alloc(MAX, "a"));
    await web.until(() => web.names.includes("HTTP_REQUEST_FINISHED"), "the content", 5_000);
    const sizes = web.events.slice(1).map((event) => event.payload.message.length);
    const total = sizes.reduce((a, b) => a + b, 0);
    assert.equal(total, MAX);
    const refused = await web.client();
    refused.send(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${MAX + 1}\r\n\r\n`);
    assert.equal((await refused.answer()).status, 413);
  });

  it("max payload: maxBodyBytes", async (t) => {
    const web = httpServer(t, { limits: { maxBodyBytes: 4 } });
    const client = await web.client();
    client.post("/", "four");
    const id = await nextFinished(web);
    web.server.SendResponse(id, "taken");
    assert.equal((await client.answer()).text, "taken");
    client.post("/", "five!");
    assert.equal((await client.answer("POST")).status, 413);
  });

  it("max backpressure: maxBackpressureBytes decides from where on a message is dropped", async (t) => {
    const small = await waitingBytes(t, 64 << 10);
    const large = await waitingBytes(t, 1 << 20);
    const message = 9 << 10;
    assert.ok(small <= (64 << 10) + message, `${small} bytes were queued`);
    assert.ok(large > 512 << 10 && large <= (1 << 20) + message, `${large} bytes were queued`);
  });

  it("idle timeout: a silent client is sent a ping, and stays while it answers", async (t) => {
    const web = webSocketServer(t, { limits: { webSocketIdleTimeoutMs: 50, pongTimeoutMs: 200 } });
    const { socket } = await connected(web);
    for (let i = 0; i < 3; i++) assert.equal((await socket.next(2_000)).type, "ping");
    assert.equal(web.server.GetNumConnectedClients(), 1);
  });

  it("idle timeout: a client that answers no ping is gone", async (t) => {
    const web = webSocketServer(t, { limits: { webSocketIdleTimeoutMs: 50, pongTimeoutMs: 100 } });
    const { socket, id } = await connected(web);
    socket.answersPings = false;
    await web.until(() => web.names.includes("WEBSOCKET_CONNECTION_CLOSED"), "the end of the silence", 3_000);
    assert.equal(web.events.at(-1)!.id, id);
    assert.equal(web.server.GetNumConnectedClients(), 0);
  });

  it("not closed on backpressure: after DROPPED the client stays and gets the next message", async (t) => {
    const { web, socket, id } = await connectedServer(t);
    socket.raw.pause();
    const piece = "x".repeat(16 << 10);
    let dropped = false;
    for (let i = 0; i < 4_000 && !dropped; i++) {
      dropped = web.server.SendTextMessageToClient(piece, id) === DROPPED;
      if (i % 16 === 0) await sleep(0);
    }
    assert.equal(dropped, true);
    assert.equal(web.server.GetNumConnectedClients(), 1);
    socket.raw.resume();
    await eventually(() => web.server.SendTextMessageToClient("marker", id) === 1, "room for a message");
    await socket.raw.until(
      () => {
        socket.read();
        const last = socket.events.at(-1);
        return last?.type === "message" && last.text === "marker";
      },
      "the marker",
      5_000,
    );
    web.poll();
    assert.equal(web.names.includes("WEBSOCKET_CONNECTION_CLOSED"), false);
  });

  it("webSocketLifetimeMs sets a lifetime", async (t) => {
    const web = webSocketServer(t, { limits: { webSocketLifetimeMs: 50 } });
    const { socket } = await connected(web);
    assert.equal((await socket.closeFrame(3_000)).code, 1001);
  });

  it("shared compressor: no context is kept for a connection, the same message gives the same bytes", async (t) => {
    const { web, socket, id } = await connectedServer(t, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
    const agreed = socket.response.header("sec-websocket-extensions") ?? "";
    assert.match(agreed, /permessage-deflate/);
    assert.match(agreed, /server_no_context_takeover/);
    const frames: Buffer[] = [];
    for (let i = 0; i < 2; i++) {
      const before = socket.raw.received.length;
      web.server.SendCompressedTextMessageToClient("the same again and again ".repeat(50), id);
      assert.equal(await socket.text(), "the same again and again ".repeat(50));
      frames.push(Buffer.from(socket.raw.received.subarray(before)));
    }
    assert.equal(frames[0]!.compare(frames[1]!), 0);
  });

  it("compression: false negotiates none", async (t) => {
    const web = webSocketServer(t, { compression: false });
    const { socket, id } = await connected(web, "Sec-WebSocket-Extensions: permessage-deflate\r\n");
    assert.equal(socket.response.header("sec-websocket-extensions"), undefined);
    web.server.SendCompressedTextMessageToClient("plain", id);
    assert.equal(await socket.text(), "plain");
  });

  it("an HttpServer's response may be larger than all limits of the requests", async (t) => {
    const web = httpServer(t);
    const body = Buffer.alloc(40 << 20, "body");
    let result = 0;
    web.server.HTTP_REQUEST_FINISHED = (_, { clientID }) => {
      result = web.server.SendResponse(clientID, body);
    };
    const dispatcher = new Agent();
    t.after(() => dispatcher.destroy());
    const answer = fetched({ dispatcher }, `http://127.0.0.1:${web.server.port}`);
    await web.event("HTTP_REQUEST_FINISHED");
    assert.equal(result, 3);
    assert.equal((await within(answer, "the response", 10_000)).compare(body), 0);
  });
});

/** Sends to a client that does not read, and counts what was queued before a message was dropped. */
async function waitingBytes(t: TestContext, maxBackpressureBytes: number): Promise<number> {
  const web = webSocketServer(t, { limits: { maxBackpressureBytes } });
  const { socket, id } = await connected(web);
  socket.raw.pause();
  const piece = Buffer.alloc(8 << 10);
  let queued = 0;
  for (let i = 0; i < 100_000; i++) {
    const status = web.server.SendBinaryMessageToClient(piece, id);
    if (status === DROPPED) return queued;
    if (status === BACKPRESSURE) queued += piece.length;
    else {
      // The system's buffers still take it.
      queued = 0;
      await sleep(0);
    }
  }
  throw new Error("no message was dropped");
}
