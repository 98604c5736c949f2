import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import { WebSocketServer } from "ws";
import { ChannelError } from "../../src/browser/channel-error.ts";
import {
  Client,
  type ClientOptions,
  type ConnectionState,
  type SocketLike,
} from "../../src/browser/index.ts";
import { Subscription } from "../../src/browser/subscription.ts";
import { Channels, channel, request } from "../../src/channels/index.ts";
import { uncaught } from "../support/failing.ts";
import { eventually, signal, sleep, within } from "../support/waiting.ts";
import { becomes, clientOf, makeSocket, serve } from "./support.ts";

function echoChannels() {
  return new Channels({
    authenticate: (token = "") => (token === "bad" ? undefined : { user: token || "anna" }),
    channels: {
      "room:*": channel({
        authorize: "everyone",
        publish: "subscribers",
        history: { maxMessages: 50 },
        presence: true,
      }),
    },
    requests: { echo: request({ answer: (data) => data }) },
  });
}

/** Keeps the sockets that a client makes, so that a test can break them. */
function keptSockets() {
  const made: SocketLike[] = [];
  const make: NonNullable<ClientOptions["makeSocket"]> = (url, protocols) => {
    const socket = makeSocket(url, protocols);
    made.push(socket);
    return socket;
  };
  const terminate = (): void => (made.at(-1) as unknown as { terminate(): void }).terminate();
  return { made, makeSocket: make, terminate };
}

function boom(): never {
  throw new Error("mine");
}

describe("a client of channels", () => {
  it("gets all messages although the program's function throws for one", async (t) => {
    const errors = uncaught(t);
    const channels = echoChannels();
    const { url } = await serve(t, channels);
    const { terminate, ...sockets } = keptSockets();
    const client = clientOf(t, url, sockets);
    const received: unknown[] = [];
    const room = client.subscribe("room:1", {
      onMessage: (message) => {
        received.push(message);
        if (message === 2) boom();
      },
    });
    await room.publish(1);
    terminate();
    for (const message of [2, 3, 4]) await channels.publish("room:1", message);
    await becomes(() => received, [1, 2, 3, 4], "the messages");
    assert.equal(errors.length, 1);
  });

  it("goes on although functions of the program throw", async (t) => {
    const errors = uncaught(t);
    const { url } = await serve(t, echoChannels());
    const { terminate, made, ...sockets } = keptSockets();
    const client = clientOf(t, url, { ...sockets, onState: boom });
    const [room, other] = [
      client.subscribe("room:1", { onSubscribed: boom, onJoin: boom, onMissed: boom }),
      client.subscribe("none", { onEnded: boom }),
    ];
    assert.equal(await room.publish("a"), 1);
    await eventually(() => other.state === "ended", "the refusal");
    terminate();
    await eventually(() => client.state !== "open", "the loss");
    assert.equal(await room.publish("b"), 2);
    assert.equal(made.length, 2);
    client.close();
    assert.equal(client.state, "closed");
    assert.ok(errors.every((error) => String(error) === "Error: mine"));
  });

  it("gives up although onRefused throws", async (t) => {
    const errors = uncaught(t);
    const { url } = await serve(t, echoChannels());
    const client = clientOf(t, url, { token: "bad", onRefused: boom });
    await eventually(() => client.state === "closed", "the end");
    assert.equal(errors.length, 1);
  });

  for (const last of ["connecting", "open", "waiting"] as const) {
    it(`stays closed when the program closes it while it is ${last}`, async (t) => {
      const { url } = await serve(t, echoChannels());
      const { terminate, made, ...sockets } = keptSockets();
      const states: ConnectionState[] = [];
      const closed = signal();
      const client: Client = clientOf(t, url, {
        ...sockets,
        onState(state) {
          states.push(state);
          if (state !== last) return;
          client.close();
          closed.give();
        },
      });
      const room = client.subscribe("room:1");
      if (last === "waiting") {
        await eventually(() => room.state === "subscribed", "the subscription");
        terminate();
      }
      await closed.wait(last);
      await sleep(60);
      assert.deepEqual(states.slice(-2), [last, "closed"]);
      assert.equal(made.length, last === "connecting" ? 0 : 1);
      assert.equal(room.state, "ended");
    });
  }

  it("delivers nothing after the program has unsubscribed in a function", async (t) => {
    const channels = echoChannels();
    const { url } = await serve(t, channels);
    for (const message of [1, 2, 3]) await channels.publish("room:1", message);
    const log: unknown[] = [];
    const client = clientOf(t, url);
    const room = client.subscribe("room:1", {
      history: 3,
      onMessage: (message) => {
        log.push(message);
        room.unsubscribe();
      },
      onJoin: ({ user }) => log.push(user),
      onSubscribed: () => log.push("subscribed"),
    });
    await eventually(() => room.state === "ended", "the end");
    await client.request("echo", 1);
    assert.deepEqual(log, [1]);
  });

  it("rejects what its encoding would change, and nothing else", async (t) => {
    const { url } = await serve(t, echoChannels());
    const { made, terminate: _, ...sockets } = keptSockets();
    const client = clientOf(t, url, sockets);
    const room = client.subscribe("room:1");
    const values = [undefined, () => 1, Symbol("s"), 1n, Number.NaN, new Uint8Array(2), new Map()];
    // Before the connection, and on it.
    for (let round = 0; round < 2; round++) {
      const rejected = values.map((value) => assert.rejects(room.publish(value), TypeError, String(value)));
      const asked = assert.rejects(client.request("echo", { n: 1n }), TypeError);
      assert.equal(await within(client.request("echo", round), "another call"), round);
      await Promise.all([...rejected, asked]);
      assert.equal(await room.publish(round), round + 1);
    }
    assert.equal(made.length, 1);
  });

  it("refuses a name or a history for which the server would close the connection", async (t) => {
    const { url } = await serve(t, echoChannels());
    const client = clientOf(t, url);
    for (const name of ["", "x".repeat(256)]) {
      assert.throws(() => client.subscribe(name), /1 to 255 characters/);
      await assert.rejects(client.request(name), /1 to 255 characters/);
    }
    for (const history of [Number.POSITIVE_INFINITY, -1, 1.5, Number.NaN]) {
      assert.throws(() => client.subscribe("room:1", { history }), RangeError);
    }
    assert.equal(await client.subscribe(`room:${"x".repeat(250)}`).publish(1), 1);
  });

  it("refuses times and URLs that cannot be", () => {
    for (const name of ["minPauseMs", "maxPauseMs", "connectTimeoutMs", "pongTimeoutMs"]) {
      for (const ms of [Number.NaN, 0, -1])
        assert.throws(() => new Client("ws://127.0.0.1/", { makeSocket, [name]: ms }), RangeError);
    }
    assert.throws(() => new Client("not a URL", { makeSocket }), TypeError);
  });

  it("waits without an end where the program wants that", async (t) => {
    const { url } = await serve(t, echoChannels());
    const never = Number.POSITIVE_INFINITY;
    const client = clientOf(t, url, { connectTimeoutMs: never, pongTimeoutMs: never, maxPauseMs: never });
    assert.equal(await client.request("echo", 1, { timeoutMs: never }), 1);
  });

  it("rejects calls at once when it is closed, or has given up", async (t) => {
    const { url } = await serve(t, echoChannels());
    const refused = signal();
    const [closed, givenUp] = [
      clientOf(t, url),
      clientOf(t, url, { token: "bad", onRefused: () => refused.give() }),
    ];
    const rooms = [closed.subscribe("room:1"), givenUp.subscribe("room:1")];
    closed.close();
    await refused.wait("the refusal");
    for (const [i, client] of [closed, givenUp].entries()) {
      const code = i === 0 ? "closed" : "offline";
      await within(assert.rejects(client.request("echo", 1), { code }), "the answer", 1_000);
      assert.equal(rooms[i]?.state, "ended");
      assert.equal(client.subscribe("room:1").state, "ended");
    }
  });

  it("says why a connection was lost", async (t) => {
    const { url } = await serve(t, echoChannels());
    const room = clientOf(t, url).subscribe("room:1");
    await assert.rejects(room.publish("x".repeat(70_000)), { code: "disconnected", message: /1009/ });
  });

  it("sends a token only on the connection that it was asked for", async (t) => {
    const { url } = await serve(t, echoChannels());
    const { made, terminate, ...sockets } = keptSockets();
    const [first, asked] = [signal<string>(), signal()];
    let tokens = 0;
    const client = clientOf(t, url, {
      ...sockets,
      token() {
        if (++tokens > 1) return "second";
        asked.give();
        return first.promise;
      },
    });
    await asked.wait("the first token");
    terminate();
    assert.equal(await client.request("echo", 1), 1);
    first.give("first");
    assert.equal(await client.request("echo", 2), 2);
    assert.equal(made.length, 2);
  });

  it("does not ask again and again for a token that stays the same until its end", async (t) => {
    let calls = 0;
    const end = Date.now() + 500;
    const channels = new Channels({
      authenticate: () => {
        calls++;
        return { user: "anna", expiresAt: end };
      },
      channels: {},
    });
    const { url } = await serve(t, channels);
    const refused = signal<number>();
    clientOf(t, url, { token: "same", onRefused: (code) => refused.give(code) });
    assert.equal(await refused.wait("the end"), 4401);
    assert.ok(calls < 20, `${calls} calls`);
  });

  it("subscribes again after pauses that grow, with a random part", (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    let attempts = 0;
    const subscription = new Subscription(
      "room",
      {},
      {
        isOwn: () => false,
        isConnected: () => true,
        publish: () => Promise.resolve(undefined),
        forget() {},
        subscribe(_channel, _since, _history, settle) {
          attempts++;
          settle(new ChannelError("unavailable", "the store cannot be reached"));
        },
      },
    );
    const pauses: number[] = [];
    subscription.onConnected();
    for (let ms = 0; pauses.length < 8; ms += 10) {
      if (attempts > pauses.length + 1) {
        pauses.push(ms - pauses.reduce((sum, pause) => sum + pause, 0));
      }
      t.mock.timers.tick(10);
    }
    for (const [i, pause] of pauses.entries()) {
      const most = 1_000 * 2 ** Math.min(i, 5);
      assert.ok(pause >= most / 2 && pause <= most + 20, `pause ${i}: ${pause} ms`);
    }
    subscription.unsubscribe();
  });

  it("survives whatever a server sends", async (t) => {
    const server = new WebSocketServer({ port: 0, handleProtocols: () => "portico.channels.1.json" });
    await once(server, "listening");
    t.after(() => server.close());
    const messages = ["null", "1", '"x"', "[]", "{", '{"type":"subscribed","id":1}', '{"type":"message"}'];
    let count = 0;
    server.on("connection", (socket) => {
      const bad = messages[count++];
      socket.send('{"type":"welcome","id":0,"client":"c","user":"u","pingAfterMs":1000}');
      socket.on("message", (data) => {
        const { id, type } = JSON.parse(String(data)) as { id: number; type: string };
        if (type !== "subscribe") return;
        if (bad === undefined)
          socket.send(`{"type":"subscribed","id":${id},"recovered":false,"messages":[]}`);
        else socket.send(bad.replace('"id":1', `"id":${id}`));
        if (bad !== undefined) setImmediate(() => socket.terminate());
      });
    });
    const { port } = server.address() as { port: number };
    const subscribed = signal();
    const client = clientOf(t, `ws://127.0.0.1:${port}`);
    client.subscribe("a", { onSubscribed: () => subscribed.give() });
    await subscribed.wait("a subscription");
    for (const socket of server.clients) socket.terminate();
  });
});
