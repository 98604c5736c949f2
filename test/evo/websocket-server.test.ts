import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it, type TestContext } from "node:test";
import WebSocket from "ws";
import { WebSocketServer, type WebSocketServerOptions } from "../../src/evo/index.ts";
import { frame, TEXT } from "../support/frames.ts";
import { eventually, within } from "../support/waiting.ts";
import { open, type WebSocketClient } from "../support/web-socket-client.ts";
import { exchanged, nextMessage, opened } from "../support/ws-client.ts";
import {
  connected,
  connectedServer,
  LISTENING,
  type Recording,
  recorded,
  socketServer,
  webSocketServer,
} from "./harness.ts";

/** A client of the package ws. */
function client(t: TestContext, port: number, path = "/"): WebSocket {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
  socket.on("error", () => {});
  t.after(() => socket.terminate());
  return socket;
}

/** A server with such a client, its handshake done. */
async function wsServer(t: TestContext): Promise<{ web: Recording<WebSocketServer>; socket: WebSocket }> {
  const web = webSocketServer(t);
  return { web, socket: await opened(client(t, web.server.port)) };
}

describe("endpoint", () => {
  it("every path (/*) is upgraded", async (t) => {
    const web = webSocketServer(t);
    const paths = ["/", "/chat", "/a/b/c", "/chat?room=1", "/a%20b", "/a/"];
    for (const path of paths) {
      assert.equal((await open(await web.client(), path)).response.status, 101);
    }
    await web.event("WEBSOCKET_CONNECTION_ESTABLISHED", paths.length);
  });

  it("what is no opening handshake is refused, without an event", async (t) => {
    const web = webSocketServer(t);
    const client = await web.client();
    const answer = await client.get("/").answer();
    assert.ok(answer.status >= 400 && answer.status < 500);
    web.poll();
    assert.deepEqual(web.names, [LISTENING]);
    assert.equal(web.server.GetNumConnectedClients(), 0);
  });

  it("the 101 has Upgrade, Connection, Sec-WebSocket-Accept and Date, then the rest", async (t) => {
    const web = webSocketServer(t);
    const lines = "Sec-WebSocket-Protocol: chat, other\r\nSec-WebSocket-Extensions: permessage-deflate\r\n";
    const { response } = await open(await web.client(), "/", lines);
    assert.ok(response.head.startsWith("HTTP/1.1 101 Switching Protocols\r\n"));
    const names = response.lines.map((line) => line.slice(0, line.indexOf(":")));
    const first = ["Upgrade", "Connection", "Sec-WebSocket-Accept", "Date"];
    assert.deepEqual(names, [...first, "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"]);
    assert.ok(Math.abs(Date.parse(response.header("date")!) - Date.now()) < 3_000);
  });

  it("the first subprotocol that a client offers is accepted, and the option protocols decides otherwise", async (t) => {
    const lines = "Sec-WebSocket-Protocol: first, second\r\n";
    const chosen = async (options: WebSocketServerOptions): Promise<string | undefined> =>
      (await webSocketServer(t, options).socket("/", lines)).response.header("sec-websocket-protocol");
    assert.equal(await chosen({}), "first");
    assert.equal(await chosen({ protocols: ["third", "second"] }), "second");
    assert.equal(await chosen({ protocols: (offered) => offered[1] }), "second");
    assert.equal(await chosen({ protocols: [] }), undefined);
    assert.equal((await webSocketServer(t).socket()).response.header("sec-websocket-protocol"), undefined);
  });

  it("upgraded without a poll", async (t) => {
    const web = webSocketServer(t);
    await within(opened(client(t, web.server.port)), "the handshake");
    assert.deepEqual(web.names, []);
  });
});

describe("WEBSOCKET_CONNECTION_ESTABLISHED / _MESSAGE_RECEIVED / _CONNECTION_CLOSED", () => {
  it('message: "" / the message / the close reason', async (t) => {
    const { web, socket } = await wsServer(t);
    const established = await web.event("WEBSOCKET_CONNECTION_ESTABLISHED");
    assert.equal(established.text, "");
    socket.send("a message");
    assert.equal((await web.event("WEBSOCKET_MESSAGE_RECEIVED")).text, "a message");
    socket.close(4001, "the reason");
    const closed = await web.event("WEBSOCKET_CONNECTION_CLOSED");
    assert.equal(closed.text, "the reason");
    assert.equal(closed.payload.code, 4001);
    assert.deepEqual(new Set(web.events.slice(1).map((event) => event.id)), new Set([established.id]));
  });

  it("whether a message is text or binary is available", async (t) => {
    const { web, socket } = await wsServer(t);
    socket.send("text");
    socket.send(Buffer.from("bytes"));
    socket.send("");
    socket.send(Buffer.alloc(0));
    await web.event("WEBSOCKET_MESSAGE_RECEIVED", 4);
    const messages = web.named("WEBSOCKET_MESSAGE_RECEIVED");
    const kinds = messages.map(({ text, payload }) => `${payload.binary ? "binary" : "text"} ${text}`);
    assert.deepEqual(kinds, ["text text", "binary bytes", "text ", "binary "]);
    for (const { payload } of messages) assert.equal(payload.code, undefined);
  });

  it("fragments and compressed messages come as one message each", async (t) => {
    const { web, socket } = await wsServer(t);
    assert.match(socket.extensions, /permessage-deflate/);
    const long = "compressible ".repeat(1_000);
    socket.send("one, ", { fin: false, compress: false });
    socket.send("two", { fin: true, compress: false });
    socket.send(long, { compress: true });
    await web.event("WEBSOCKET_MESSAGE_RECEIVED", 2);
    assert.deepEqual(web.texts.slice(2), ["one, two", long]);
  });

  const endings: [who: string, end: (socket: WebSocketClient) => unknown, code: number][] = [
    ["a client that gave none is 1005", (socket) => socket.close(), 1005],
    ["a connection that broke is 1006", (socket) => socket.raw.destroy(), 1006],
  ];
  for (const [who, end, code] of endings) {
    it(`the close code of ${who}`, async (t) => {
      const { web, socket, id } = await connectedServer(t);
      end(socket);
      const closed = await web.event("WEBSOCKET_CONNECTION_CLOSED");
      assert.deepEqual([closed.id, closed.payload.code, closed.text], [id, code, ""]);
    });
  }

  it("a client that breaks the rules is closed, and the event has the code", async (t) => {
    const { web, socket } = await connectedServer(t);
    socket.raw.send(frame(TEXT, Buffer.from([0xff, 0xff])));
    assert.equal((await socket.closeFrame()).code, 1007);
    assert.equal((await web.event("WEBSOCKET_CONNECTION_CLOSED")).payload.code, 1007);
  });

  it("the handler of _ESTABLISHED can send", async (t) => {
    const web = webSocketServer(t);
    web.server.WEBSOCKET_CONNECTION_ESTABLISHED = (_, { clientID }) =>
      void web.server.SendTextMessageToClient("welcome", clientID);
    const { socket } = await connected(web);
    assert.equal(await socket.text(), "welcome");
  });

  it("_CLOSED comes once", async (t) => {
    const { web, socket } = await connectedServer(t);
    socket.close(1000, "once");
    await web.event("WEBSOCKET_CONNECTION_CLOSED");
    socket.raw.destroy();
    await web.quiet();
    web.server.StopListening();
    assert.equal(web.named("WEBSOCKET_CONNECTION_CLOSED").length, 1);
  });
});

describe("GetNumConnectedClients()", () => {
  it("open connections now", async (t) => {
    const web = webSocketServer(t);
    assert.equal(web.server.GetNumConnectedClients(), 0);
    const sockets = [];
    for (let i = 1; i <= 3; i++) {
      sockets.push(await web.socket());
      assert.equal(web.server.GetNumConnectedClients(), i);
    }
    sockets[1]!.close(1000);
    await eventually(() => web.server.GetNumConnectedClients() === 2, "the first to go");
    sockets[0]!.raw.destroy();
    await eventually(() => web.server.GetNumConnectedClients() === 1, "the second to go");
    web.server.StopListening();
    assert.equal(web.server.GetNumConnectedClients(), 0);
  });

  it("connections without a handshake do not count", async (t) => {
    const web = webSocketServer(t);
    await web.client();
    await web.received();
    assert.equal(web.server.GetNumConnectedClients(), 0);
  });

  it("0 before it listens, and again from 0 after a restart", async (t) => {
    const web = webSocketServer(t);
    await web.socket();
    web.server.StopListening();
    web.server.StartListening(0);
    assert.equal(web.server.GetNumConnectedClients(), 0);
    await web.socket();
    assert.equal(web.server.GetNumConnectedClients(), 1);
  });
});

describe("SetEchoMode(boolean)", () => {
  it("each message is sent back as it came, by the server itself, while MESSAGE_RECEIVED is still queued", async (t) => {
    const { web, socket } = await wsServer(t);
    web.server.SetEchoMode(true);
    assert.deepEqual(await exchanged(socket, "echo me"), { data: "echo me", binary: false });
    assert.equal(web.events.length, 0);
    web.poll();
    assert.deepEqual(web.events.map((event) => `${event.name} ${event.text}`.trim()).slice(1), [
      "WEBSOCKET_CONNECTION_ESTABLISHED",
      "WEBSOCKET_MESSAGE_RECEIVED echo me",
    ]);
  });

  it("binary comes back as binary, empty as empty, many in their order", async (t) => {
    const { web, socket } = await socketServer(t);
    web.server.SetEchoMode(true);
    const bytes = Buffer.from([0, 255, 1, 254]);
    socket.send(bytes).send("").send(Buffer.alloc(0));
    for (let i = 0; i < 500; i++) socket.send(`${i}`);
    const echo = await socket.message();
    assert.ok(echo.binary && echo.data.compare(bytes) === 0);
    for (const binary of [false, true]) {
      const empty = await socket.message();
      assert.ok(empty.binary === binary && empty.text === "");
    }
    for (let i = 0; i < 500; i++) assert.equal(await socket.text(), `${i}`);
    await web.event("WEBSOCKET_MESSAGE_RECEIVED", 503);
  });

  it("fragments and compressed messages come back whole", async (t) => {
    const { web, socket } = await wsServer(t);
    web.server.SetEchoMode(true);
    const long = "compressible ".repeat(1_000);
    socket.send("one, ", { fin: false, compress: false });
    socket.send("two", { fin: true, compress: false });
    assert.equal((await within(nextMessage(socket), "the echo")).data, "one, two");
    socket.send(long, { compress: true });
    assert.equal((await within(nextMessage(socket), "the echo")).data, long);
  });

  it("the largest message comes back, though it is more than the backpressure limit", async (t) => {
    const web = webSocketServer(t);
    web.server.SetEchoMode(true);
    const socket = new WebSocket(`ws://127.0.0.1:${web.server.port}`, { perMessageDeflate: false });
    t.after(() => socket.terminate());
    await opened(socket);
    const message = Buffer.alloc(16 << 20, "0123456789abcdef+");
    const echo = once(socket, "message");
    socket.send(message);
    const [data] = await within(echo, "the echo", 10_000);
    assert.equal(data.compare(message), 0);
  });

  it("may be turned on before StartListening, off again, and holds for open connections", async (t) => {
    const web = recorded(t, new WebSocketServer({ host: "127.0.0.1", pollIntervalMs: 0 }));
    web.server.SetEchoMode(true);
    web.server.StartListening(0);
    const socket = await web.socket();
    assert.equal(await socket.send("on").text(), "on");
    web.server.SetEchoMode(false);
    socket.send("off").ping("after");
    assert.equal((await socket.next()).type, "pong");
    web.server.SetEchoMode(true);
    assert.equal(await socket.send("on again").text(), "on again");
    await web.event("WEBSOCKET_MESSAGE_RECEIVED", 3);
  });

  it("is off at first", async (t) => {
    const { socket } = await socketServer(t);
    socket.send("no echo").ping("after");
    assert.equal((await socket.next()).type, "pong");
  });

  it("a non-boolean is a type error", (t) => {
    const { server } = webSocketServer(t);
    for (const value of [undefined, null, 0, 1, "true", {}]) {
      assert.throws(() => server.SetEchoMode(value as never), TypeError);
    }
  });
});
