import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { takenPort } from "../support/places.ts";
import { within } from "../support/waiting.ts";
import { open } from "../support/web-socket-client.ts";
import {
  addPort,
  CLOSED,
  isFree,
  isRefused,
  nextClient,
  nextMessage,
  pulled,
  Recorder,
  room,
  webSocketRoom,
  webSockets,
} from "./computer.ts";

describe("http.websocketServer(port, headers?)", () => {
  it("starts a WebSocket server and returns its handle", async (t) => {
    const { client, server } = webSocketRoom(t);
    assert.equal(typeof server.listen, "function");
    assert.equal(typeof server.close, "function");
    assert.ok(server.port > 0);
    const socket = await client(server.port);
    const handle = await nextClient(server);
    socket.socket.send("hello");
    assert.deepEqual(await nextMessage(handle), ["hello", false]);
    handle.send("world");
    assert.deepEqual(await socket.next(), ["world", false]);
  });

  it("has bound the port when it returns", async (t) => {
    const { http } = room(t);
    assert.equal(await isFree(webSockets(http).port), false);
  });

  it("takes clients at any path", async (t) => {
    const { client, server } = webSocketRoom(t);
    for (const target of ["/", "/some/path?x=1"]) {
      await client(server.port, target);
      assert.equal(typeof (await nextClient(server)).clientID, "string");
    }
  });

  it("extra headers go into the handshake response", async (t) => {
    const { http, client } = room(t);
    const server = webSockets(http, { "X-Computer": "7", Server: "CraftOS" });
    for (let i = 0; i < 2; i++) {
      const { handshake } = await client(server.port);
      assert.equal(handshake["x-computer"], "7");
      assert.equal(handshake["server"], "CraftOS");
      assert.equal(handshake["upgrade"]?.toString().toLowerCase(), "websocket");
    }
  });

  it("Sec-WebSocket-Protocol chooses a subprotocol of those that the client offers", async (t) => {
    const { http, raw } = room(t);
    const server = webSockets(http, { "sec-websocket-PROTOCOL": "v2, chat", "X-Computer": "7" });
    const chosen = async (offered?: string): Promise<string | undefined> => {
      const lines = offered === undefined ? "" : `Sec-WebSocket-Protocol: ${offered}\r\n`;
      const { response } = await open(await raw(server.port), "/", lines);
      assert.equal(response.header("x-computer"), "7");
      return response.header("sec-websocket-protocol");
    };
    assert.equal(await chosen("chat"), "chat");
    assert.equal(await chosen("other, chat, v2"), "v2");
    assert.equal(await chosen("other"), undefined);
    assert.equal(await chosen(), undefined);
    for (const wrong of ["", "a b", "a,,b", "a\r\nX: y"]) {
      assert.throws(() => http.websocketServer(0, { "Sec-WebSocket-Protocol": wrong }), {
        name: "FieldError",
      });
    }
  });

  it("a port already used gives [null, reason]: Port already in use", async (t) => {
    const { http, another } = room(t);
    const ports = {
      "another program": (await takenPort(t)).port,
      "a WebSocket server of this computer": webSockets(http).port,
      "a listener of this computer": addPort(http),
      "a listener of another computer": addPort(another()),
      "a WebSocket server of another computer": webSockets(another()).port,
    };
    for (const [who, port] of Object.entries(ports)) {
      const result = http.websocketServer(port);
      assert.ok(Array.isArray(result), who);
      assert.deepEqual([...result], [null, "Port already in use"], who);
    }
  });

  it("the failure leaves the server that has the port alone", async (t) => {
    const { http, client, server } = webSocketRoom(t);
    http.websocketServer(server.port);
    await client(server.port);
    assert.equal(typeof (await nextClient(server)).clientID, "string");
  });

  it("several servers have their own clients", async (t) => {
    const { http, client } = room(t);
    const [a, b] = [webSockets(http), webSockets(http)];
    const waiting = nextClient(a);
    const toB = await client(b.port);
    const toA = await client(a.port);
    const handle = await waiting;
    toB.socket.send("to b");
    toA.socket.send("to a");
    assert.deepEqual(await nextMessage(handle), ["to a", false]);
  });
});

describe("server.listen(timeout?)", () => {
  it("resolves with the next client's handle in the order of arrival", async (t) => {
    const { client, server } = webSocketRoom(t);
    const sockets = [];
    for (let i = 0; i < 4; i++) sockets.push(await client(server.port));
    for (const [i, socket] of sockets.entries()) {
      const handle = await nextClient(server);
      handle.send(`you are ${i}`);
      assert.deepEqual(await socket.next(), [`you are ${i}`, false]);
    }
  });

  it("waits for a client, and is callable again for each", async (t) => {
    const { client, server } = webSocketRoom(t);
    const ids = new Set<string>();
    for (let i = 0; i < 4; i++) {
      const waiting = nextClient(server);
      const socket = await client(server.port);
      const handle = await waiting;
      ids.add(handle.clientID);
      socket.socket.send(String(i));
      assert.deepEqual(await nextMessage(handle), [String(i), false]);
    }
    assert.equal(ids.size, 4);
  });

  it("gives new clients only: none whose event was pulled", async (t) => {
    const { http, client, server } = webSocketRoom(t);
    await client(server.port);
    await pulled(http, "websocket_server_connect");
    assert.equal(await within(server.listen(0.05), "the timeout"), null);
    await client(server.port);
    const { clientID } = await nextClient(server);
    assert.equal(typeof clientID, "string");
  });

  it("gives the clients that came while the program waited for something else", async (t) => {
    const { http, client, server } = webSocketRoom(t);
    const recorder = new Recorder(http, "something else");
    const sockets = [await client(server.port), await client(server.port)];
    http.queueEvent("something else");
    await recorder.until(1);
    for (const [i, socket] of sockets.entries()) {
      (await nextClient(server)).send(`you are ${i}`);
      assert.deepEqual(await socket.next(), [`you are ${i}`, false]);
    }
  });

  it("gives new clients only: none that has disconnected, whether the program waited meanwhile or not", async (t) => {
    const { http, client, server } = webSocketRoom(t);
    for (const isWaiting of [false, true]) {
      if (isWaiting) new Recorder(http, "something else");
      const gone = await client(server.port);
      gone.socket.close();
      await gone.closed();
      const stays = await client(server.port);
      (await nextClient(server)).send("hello");
      assert.deepEqual(await stays.next(), ["hello", false]);
    }
  });

  it("is null after timeout seconds", async (t) => {
    const { server } = webSocketRoom(t);
    const begin = performance.now();
    assert.equal(await within(server.listen(0.2), "the timeout"), null);
    const took = performance.now() - begin;
    assert.ok(took > 180 && took < 1_500, `${took} ms`);
  });

  it("events of other kinds do not put the timeout off", async (t) => {
    const { http, server } = webSocketRoom(t);
    const noise = setInterval(() => http.queueEvent("noise"), 10);
    t.after(() => clearInterval(noise));
    assert.equal(await within(server.listen(0.1), "the timeout", 2_000), null);
  });

  it("a client that comes after a timeout is for the next listen", async (t) => {
    const { client, server } = webSocketRoom(t);
    assert.equal(await within(server.listen(0.02), "the timeout"), null);
    const socket = await client(server.port);
    const handle = await within(server.listen(5), "the client");
    handle?.send("found");
    assert.deepEqual(await socket.next(), ["found", false]);
  });

  it("is null at once after 0 seconds, and not after very many", async (t) => {
    const { client, server } = webSocketRoom(t);
    assert.equal(await within(server.listen(0), "the timeout"), null);
    const waiting = server.listen(1e10);
    const socket = await client(server.port);
    (await within(waiting, "the client"))?.send("found");
    assert.deepEqual(await socket.next(), ["found", false]);
  });

  it("a client in time is given before the timeout", async (t) => {
    const { client, server } = webSocketRoom(t);
    const begin = performance.now();
    const waiting = server.listen(30);
    await client(server.port);
    assert.equal(typeof (await within(waiting, "the client"))?.clientID, "string");
    assert.ok(performance.now() - begin < 5_000);
  });

  it("events that come meanwhile are seen by other waiters", async (t) => {
    const { http, client, server } = webSocketRoom(t);
    const recorder = new Recorder(http);
    const waiting = nextClient(server);
    http.queueEvent("other", 1);
    await client(server.port);
    await waiting;
    await recorder.until(2);
    assert.deepEqual(recorder.names, ["other", "websocket_server_connect"]);
  });
});

describe("server.close()", () => {
  it("closes the listener; the port is free at once", async (t) => {
    const { another, server } = webSocketRoom(t);
    assert.equal(server.close(), undefined);
    const again = another().websocketServer(server.port);
    assert.ok("port" in again, String(again));
    assert.equal(again.port, server.port);
  });

  it("connections are refused afterwards", async (t) => {
    const { server } = webSocketRoom(t);
    server.close();
    assert.ok(await isRefused(server.port));
  });

  it("a second close does nothing", async (t) => {
    const { http, client, server } = webSocketRoom(t);
    server.close();
    const next = http.websocketServer(server.port);
    assert.ok("port" in next);
    server.close();
    server.close();
    await client(next.port);
    assert.equal(typeof (await nextClient(next)).clientID, "string");
  });

  it("listen afterwards: attempt to use a closed file", async (t) => {
    const { server } = webSocketRoom(t);
    server.close();
    await assert.rejects(within(server.listen(), "listen to reject"), CLOSED);
    await assert.rejects(within(server.listen(0.01), "listen to reject"), CLOSED);
  });

  it("ends a listen that is under way", async (t) => {
    const { server } = webSocketRoom(t);
    const settled = Promise.allSettled([server.listen()]);
    server.close();
    await within(settled, "listen to end");
  });

  it("leaves the other servers and listeners of the computer", async (t) => {
    const { http, client, ask } = room(t);
    const [gone, stays] = [webSockets(http), webSockets(http)];
    const port = addPort(http);
    gone.close();
    await client(stays.port);
    await nextClient(stays);
    void ask(port);
    assert.equal((await pulled(http, "http_request"))[1], port);
  });
});
