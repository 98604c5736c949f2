import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type WebSocket from "ws";
import { sleep, within } from "../support/waiting.ts";
import { open } from "../support/web-socket-client.ts";
import {
  CLOSED,
  type ClientHandle,
  joined,
  nextClient,
  nextMessage,
  pulled,
  Recorder,
  room,
  webSocketRoom,
  webSockets,
} from "./computer.ts";

describe("client handle", () => {
  it("clientID is opaque text, another for each client", async (t) => {
    const { client, server } = webSocketRoom(t);
    const ids = new Set<string>();
    for (let i = 0; i < 5; i++) {
      await client(server.port);
      const { clientID } = await nextClient(server);
      assert.equal(typeof clientID, "string");
      assert.ok(clientID.length > 0);
      ids.add(clientID);
    }
    assert.equal(ids.size, 5);
  });

  it("receive() gives [message, binary]: text as a string, binary as a Buffer, in order", async (t) => {
    const { socket, handle } = await joined(t);
    const bytes = Buffer.from([0, 255, 128, 10]);
    socket.send("tëxt €😀");
    socket.send(bytes);
    socket.send("");
    socket.send(Buffer.alloc(0));
    socket.send("x".repeat(100_000));
    assert.deepEqual(await nextMessage(handle), ["tëxt €😀", false]);
    const [message, binary] = await nextMessage(handle);
    assert.ok(Buffer.isBuffer(message));
    assert.deepEqual([message, binary], [bytes, true]);
    assert.deepEqual(await nextMessage(handle), ["", false]);
    assert.deepEqual(await nextMessage(handle), [Buffer.alloc(0), true]);
    assert.deepEqual(await nextMessage(handle), ["x".repeat(100_000), false]);
  });

  it("a binary message stays what it was when more come", async (t) => {
    const { socket, handle } = await joined(t);
    const kept: unknown[] = [];
    for (let i = 0; i < 50; i++) socket.send(Buffer.alloc(2_000, i));
    for (let i = 0; i < 50; i++) kept.push((await nextMessage(handle))[0]);
    for (const [i, message] of kept.entries()) assert.deepEqual(message, Buffer.alloc(2_000, i));
  });

  it("receive(timeout) is null after timeout seconds, and loses no message by it", async (t) => {
    const { socket, handle } = await joined(t);
    const begin = performance.now();
    assert.equal(await within(handle.receive(0.2), "the timeout"), null);
    const took = performance.now() - begin;
    assert.ok(took > 180 && took < 1_500, `${took} ms`);
    socket.send("after it");
    assert.deepEqual(await within(handle.receive(5), "the message"), ["after it", false]);
  });

  it("other events and other clients' messages do not put the timeout off", async (t) => {
    const { http, client, server, handle } = await joined(t);
    const { socket } = await client(server.port);
    const noise = setInterval(() => {
      http.queueEvent("noise");
      socket.send("noise");
    }, 10);
    t.after(() => clearInterval(noise));
    assert.equal(await within(handle.receive(0.1), "the timeout", 2_000), null);
  });

  it("receive(0) is null at once, and receive of very many seconds is not", async (t) => {
    const { socket, handle } = await joined(t);
    assert.equal(await within(handle.receive(0), "the timeout"), null);
    const waiting = handle.receive(1e10);
    await sleep(20);
    socket.send("found");
    assert.deepEqual(await within(waiting, "the message"), ["found", false]);
  });

  it("receive is null on close by the client, after the messages before it", async (t) => {
    const { socket, handle } = await joined(t);
    socket.send("last words");
    socket.close();
    assert.deepEqual(await nextMessage(handle), ["last words", false]);
    assert.equal(await within(handle.receive(), "the close"), null);
  });

  it("receive that waits is null on close by the client, and when the connection is lost", async (t) => {
    const { client, server } = webSocketRoom(t);
    for (const how of ["close", "terminate"] as const) {
      const { socket } = await client(server.port);
      const handle = await nextClient(server);
      const waiting = handle.receive();
      socket[how]();
      assert.equal(await within(waiting, `the end by ${how}`), null);
    }
  });

  it("send(message) is text by default, binary when asked for", async (t) => {
    const { remote, handle } = await joined(t);
    handle.send("tëxt €");
    handle.send("explicit", false);
    handle.send("é", true);
    handle.send(new Uint8Array([0, 255]), true);
    handle.send(Buffer.from("bytes of text"));
    handle.send("");
    assert.deepEqual(await remote.next(), ["tëxt €", false]);
    assert.deepEqual(await remote.next(), ["explicit", false]);
    assert.deepEqual(await remote.next(), [Buffer.from("é"), true]);
    assert.deepEqual(await remote.next(), [Buffer.from([0, 255]), true]);
    assert.deepEqual(await remote.next(), ["bytes of text", false]);
    assert.deepEqual(await remote.next(), ["", false]);
  });

  it("close() closes the connection", async (t) => {
    const { remote, handle } = await joined(t);
    handle.send("bye");
    assert.equal(handle.close(), undefined);
    assert.notEqual((await remote.closed()).code, 1006, "with a close frame");
    assert.deepEqual(remote.messages, [["bye", false]]);
  });

  it("a second close() does nothing", async (t) => {
    const { http, remote, handle } = await joined(t);
    handle.close();
    handle.close();
    await remote.closed();
    handle.close();
    await pulled(http, "websocket_server_closed");
    handle.close();
  });

  it("close() is over within about a second when the client does not answer, silent or noisy", async (t) => {
    const { http, raw, server } = webSocketRoom(t);
    for (const isNoisy of [false, true]) {
      const silent = await open(await raw(server.port), "/", "");
      silent.answersClose = false;
      const handle = await nextClient(server);
      const noise = setInterval(() => isNoisy && !silent.closed && silent.send("noise"), 20);
      t.after(() => clearInterval(noise));
      const begin = performance.now();
      handle.close();
      await pulled(http, "websocket_server_closed");
      const took = performance.now() - begin;
      clearInterval(noise);
      assert.ok(took > 500 && took < 1_600, `${took} ms`);
    }
  });

  it("numbers and booleans are sent as text", async (t) => {
    const { remote, handle } = await joined(t);
    handle.send(5);
    handle.send(true);
    assert.throws(() => handle.send({} as never), TypeError);
    assert.deepEqual(await remote.next(), ["5", false]);
    assert.deepEqual(await remote.next(), ["true", false]);
  });

  it("receive that waits is null on close() by the program", async (t) => {
    const { handle } = await joined(t);
    const waiting = handle.receive();
    handle.close();
    assert.equal(await within(waiting, "receive to end"), null);
  });

  it("after close(): attempt to use a closed file", async (t) => {
    const { handle } = await joined(t);
    handle.close();
    assert.throws(() => handle.send("late"), CLOSED);
    await assert.rejects(within(handle.receive(), "receive to reject"), CLOSED);
    await assert.rejects(within(handle.receive(0.01), "receive to reject"), CLOSED);
  });
});

describe("event websocket_server_connect", () => {
  it("(port, handle) for each client", async (t) => {
    const { http, client } = room(t);
    const servers = [webSockets(http), webSockets(http)];
    for (const server of servers) {
      const socket = await client(server.port);
      const event = await pulled(http, "websocket_server_connect");
      assert.equal(event.length, 3);
      assert.equal(event[1], server.port);
      const handle = event[2] as ClientHandle;
      handle.send("hello");
      assert.deepEqual(await socket.next(), ["hello", false]);
      socket.socket.send("back");
      assert.deepEqual(await nextMessage(handle), ["back", false]);
    }
  });

  it("its handle is of the client that server.listen gives", async (t) => {
    const { http, client, server } = webSocketRoom(t);
    const connected = pulled(http, "websocket_server_connect");
    const listening = nextClient(server);
    await client(server.port);
    assert.equal(((await connected)[2] as ClientHandle).clientID, (await listening).clientID);
  });
});

describe("event websocket_server_message", () => {
  it("(clientID, message, binary): text as a string, binary as a Buffer", async (t) => {
    const {
      http,
      socket,
      handle: { clientID },
    } = await joined(t);
    socket.send("tëxt");
    const first = [...(await pulled(http, "websocket_server_message"))];
    assert.deepEqual(first, ["websocket_server_message", clientID, "tëxt", false]);
    socket.send(Buffer.from([0, 255]));
    const event = await pulled(http, "websocket_server_message");
    assert.ok(Buffer.isBuffer(event[2]));
    assert.deepEqual([...event], ["websocket_server_message", clientID, Buffer.from([0, 255]), true]);
  });

  it("of several clients, each with its own clientID and in its order", async (t) => {
    const { http, client, server } = webSocketRoom(t);
    const recorder = new Recorder(http);
    const ids = new Map<string, string>();
    const sockets = [];
    for (const name of ["a", "b", "c"]) {
      const arriving = nextClient(server);
      sockets.push({ name, socket: (await client(server.port)).socket });
      ids.set((await arriving).clientID, name);
    }
    for (let i = 0; i < 40; i++) for (const { name, socket } of sockets) socket.send(`${name}${i}`);
    await recorder.until(120, "websocket_server_message");
    const counts = { a: 0, b: 0, c: 0 };
    for (const [, id, message] of recorder.of("websocket_server_message") as [string, string, string][]) {
      const name = ids.get(id) as "a" | "b" | "c";
      assert.equal(message, `${name}${counts[name]++}`);
    }
    assert.deepEqual(counts, { a: 40, b: 40, c: 40 });
  });
});

describe("event websocket_server_closed", () => {
  const endings: [
    name: string,
    leave: (socket: WebSocket) => void,
    reason: string | null,
    code: number | null,
  ][] = [
    ["(clientID, reason, code) when the client closes", (socket) => socket.close(4001, "why"), "why", 4001],
    ['a code without a reason comes with ""', (socket) => socket.close(4001), "", 4001],
    ["a lost connection is code 1006, its reason null", (socket) => socket.terminate(), null, 1006],
    ["reason and code are null when the client gives none", (socket) => socket.close(), null, null],
  ];
  for (const [name, leave, reason, code] of endings) {
    it(name, async (t) => {
      const { http, socket, handle } = await joined(t);
      leave(socket);
      const event = await pulled(http, "websocket_server_closed");
      assert.deepEqual([...event], ["websocket_server_closed", handle.clientID, reason, code]);
    });
  }

  it("comes once, after the connect and all messages of the client", async (t) => {
    const { http, client, server } = webSocketRoom(t);
    const recorder = new Recorder(http);
    const { socket } = await client(server.port);
    for (let i = 0; i < 20; i++) socket.send(String(i));
    socket.close(1000);
    await recorder.until(1, "websocket_server_closed");
    await sleep(20);
    const messages = Array.from({ length: 20 }, () => "websocket_server_message");
    assert.deepEqual(recorder.names, ["websocket_server_connect", ...messages, "websocket_server_closed"]);
  });
});

describe("message limit", () => {
  const LIMIT = 128 * 1_024;

  it("128 KiB by default for what is sent: more is Message is too large", async (t) => {
    const { remote, handle } = await joined(t);
    handle.send("x".repeat(LIMIT));
    handle.send(Buffer.alloc(LIMIT), true);
    for (const large of ["x".repeat(LIMIT + 1), "é".repeat(LIMIT / 2 + 1), Buffer.alloc(LIMIT + 1)]) {
      assert.throws(() => handle.send(large), { name: "Error", message: "Message is too large" });
      assert.throws(() => handle.send(large, true), { name: "Error", message: "Message is too large" });
    }
    handle.send("still open");
    assert.equal((await remote.next())[0].length, LIMIT);
    assert.equal((await remote.next())[0].length, LIMIT);
    assert.deepEqual(await remote.next(), ["still open", false]);
  });

  it("128 KiB by default for what comes: more closes with 1009", async (t) => {
    const { http, client, server } = webSocketRoom(t);
    const recorder = new Recorder(http);
    const arriving = nextClient(server);
    const socket = await client(server.port);
    const handle = await arriving;
    socket.socket.send("x".repeat(LIMIT));
    assert.equal((await nextMessage(handle))[0].length, LIMIT);
    socket.socket.send(Buffer.alloc(LIMIT + 1));
    assert.equal((await socket.closed()).code, 1009);
    assert.equal(await within(handle.receive(), "the close"), null);
    await recorder.until(1, "websocket_server_closed");
    assert.equal(recorder.of("websocket_server_message").length, 1);
  });

  it("maxWebSocketMessage is an option, in bytes", async (t) => {
    const { remote, socket, handle } = await joined(t, { maxWebSocketMessage: 10 });
    handle.send("é".repeat(5));
    assert.throws(() => handle.send("é".repeat(6)), { name: "Error", message: "Message is too large" });
    assert.deepEqual(await remote.next(), ["é".repeat(5), false]);
    socket.send("0123456789");
    assert.deepEqual(await nextMessage(handle), ["0123456789", false]);
    socket.send("0123456789a");
    assert.equal((await remote.closed()).code, 1009);
  });

  it("a larger maximum lets larger messages through both ways", async (t) => {
    const { remote, socket, handle } = await joined(t, { maxWebSocketMessage: 1_000_000 });
    socket.send(Buffer.alloc(1_000_000, 7));
    const [message] = await nextMessage(handle);
    handle.send(message, true);
    assert.deepEqual(await remote.next(), [Buffer.alloc(1_000_000, 7), true]);
  });
});
