import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { decode, encode } from "@msgpack/msgpack";
import fc from "fast-check";
import { ProxyAgent, WebSocket as UndiciWebSocket } from "undici";
import { WebSocket } from "ws";
import type { SocketLike } from "../../src/browser/index.ts";
import { Channels, type ChannelsOptions, channel, request } from "../../src/channels/index.ts";
import { listenOn } from "../support/places.ts";
import { eventually, sleep, within } from "../support/waiting.ts";
import { clientOf, memoryStore, serve } from "./support.ts";

const JSON_PROTOCOL = "portico.channels.1.json";

function open(more: Partial<ChannelsOptions<never, never>> = {}) {
  return new Channels({
    authenticate: (token = "") => (token === "" ? undefined : { user: token }),
    channels: {
      "room:*": channel({
        authorize: "everyone",
        publish: "subscribers",
        history: { maxMessages: 5 },
        presence: true,
      }),
    },
    requests: { wait: request({ answer: () => new Promise(() => {}) }) },
    ...more,
  });
}

interface Raw {
  readonly socket: WebSocket;
  readonly answers: Record<string, unknown>[];
  readonly closed: Promise<[code: number, reason: Buffer]>;
  send(message: unknown): void;
  /** Waits for so many answers. */
  until(count: number): Promise<Record<string, unknown>[]>;
}

async function raw(t: TestContext, url: string, ...first: unknown[]): Promise<Raw> {
  const socket = new WebSocket(url, [JSON_PROTOCOL]);
  t.after(() => socket.terminate());
  const answers: Record<string, unknown>[] = [];
  socket.on("message", (data) => answers.push(JSON.parse(String(data)) as Record<string, unknown>));
  const closed = once(socket, "close") as Promise<[number, Buffer]>;
  await within(once(socket, "open"), "a connection");
  const send = (message: unknown): void =>
    socket.send(typeof message === "string" ? message : JSON.stringify(message));
  for (const message of first) send(message);
  const until = async (count: number): Promise<Record<string, unknown>[]> => {
    await eventually(() => answers.length >= count, `${count} answers`);
    return answers;
  };
  return { socket, answers, closed, send, until };
}

const hello = { type: "hello", id: 0, token: "anna" };

const subscribe = { type: "subscribe", id: 1, channel: "room:1" };
const unsubscribe = { type: "unsubscribe", id: 1, channel: "x" };

const refused: readonly [name: string, code: number, messages: readonly unknown[]][] = [
  ["text that is not JSON", 4400, [hello, "{"]],
  ["JSON that is not a message", 4400, [hello, "null"]],
  ["a type that does not exist", 4400, [hello, { type: "x", id: 1 }]],
  ["a message without its fields", 4400, [hello, { type: "subscribe", id: 1 }]],
  ["a name that is too long", 4400, [hello, { ...subscribe, channel: `room:${"x".repeat(300)}` }]],
  ["a position that cannot be", 4400, [hello, { ...subscribe, since: { epoch: "e", offset: -1 } }]],
  ["a number that has been", 4400, [hello, unsubscribe, unsubscribe]],
  ["a message before the sign-in", 4400, [subscribe]],
  ["a second sign-in", 4400, [hello, { ...hello, id: 1 }]],
  ["a refresh before the sign-in", 4400, [{ type: "refresh", id: 1, token: "x" }]],
  ["a refresh for another user", 4401, [hello, { type: "refresh", id: 1, token: "ben" }]],
  ["a sign-in without a token", 4401, [{ type: "hello", id: 0 }]],
];

describe("channels, and clients that mean harm", () => {
  for (const [name, code, messages] of refused) {
    it(`close a connection for ${name}`, async (t) => {
      const { url } = await serve(t, open());
      const client = await raw(t, url, ...messages.slice(0, 1));
      // The sign-in ends before the next message is looked at.
      if (messages[0] === hello) await client.until(1);
      for (const message of messages.slice(1)) client.send(message);
      const [closed] = await within(client.closed, "the close");
      assert.equal(closed, code);
    });
  }

  it("close a connection that speaks no protocol, sends binary, or does not sign in", async (t) => {
    const { url } = await serve(t, open({ limits: { signInTimeoutMs: 50 } }));
    const without = new WebSocket(url);
    assert.equal((await within(once(without, "close"), "the close"))[0], 4400);
    const binary = await raw(t, url);
    binary.socket.send(Buffer.from(JSON.stringify(hello)));
    assert.equal((await within(binary.closed, "the close"))[0], 4400);
    const silent = await raw(t, url);
    assert.equal((await within(silent.closed, "the close"))[0], 4408);
  });

  it("refuse pages of other hosts before they connect", async (t) => {
    const { url } = await serve(t, open());
    const status = async (origin: string): Promise<number> => {
      const socket = new WebSocket(url, [JSON_PROTOCOL], { origin });
      const answer = once(socket, "unexpected-response").then(
        ([, response]) => response.statusCode as number,
      );
      const result = await within(Promise.race([answer, once(socket, "open").then(() => 101)]), "an answer");
      socket.on("error", () => {}).terminate();
      return result;
    };
    const { host } = new URL(url);
    assert.equal(await status(`http://${host}`), 101);
    assert.equal(await status("http://evil.example"), 403);
    assert.equal(await status(`http://${host}.evil.example`), 403);
    assert.equal(await status("null"), 403);
    assert.equal(await status(`http://user@${host}@evil.example`), 403);
  });

  it("bound the channels of a client", async (t) => {
    const { url } = await serve(t, open({ limits: { maxChannelsPerClient: 3 } }));
    const client = await raw(t, url, hello);
    for (let i = 1; i <= 4; i++) client.send({ type: "subscribe", id: i, channel: `room:${i}` });
    const answers = await client.until(5);
    const last = answers.find(({ id }) => id === 4);
    assert.equal(last?.["code"], "too-many-channels");
    client.send({ type: "unsubscribe", id: 5, channel: "room:1" });
    client.send({ type: "subscribe", id: 6, channel: "room:4" });
    await eventually(() => client.answers.some(({ id, type }) => id === 6 && type === "subscribed"), "room");
  });

  it("do not read more than so much that is not answered", async (t) => {
    let begun = 0;
    const channels = new Channels({
      authenticate: "anonymous",
      channels: {},
      requests: { wait: request({ answer: () => new Promise(() => begun++) }) },
      limits: { maxPending: 4, requestTimeoutMs: 400 },
    });
    const { url } = await serve(t, channels);
    const client = await raw(t, url, { type: "hello", id: 0 });
    await client.until(1);
    for (let i = 1; i <= 12; i++) client.send({ type: "request", id: i, name: "wait" });
    await eventually(() => begun >= 4, "the first");
    assert.ok(begun < 12, `${begun} begun at once`);
    await client.until(13);
    assert.equal(begun, 12);
  });

  it("abort all requests of a client that has disconnected", async (t) => {
    const warnings: unknown[] = [];
    const warn = (warning: Error): unknown => warnings.push(warning);
    process.on("warning", warn);
    t.after(() => process.off("warning", warn));
    const signals: AbortSignal[] = [];
    const channels = new Channels({
      authenticate: "anonymous",
      channels: {},
      requests: {
        wait: request({
          answer: (_data, _client, aborted) => {
            signals.push(aborted);
            return new Promise(() => {});
          },
        }),
      },
    });
    const { url } = await serve(t, channels);
    const client = await raw(t, url, { type: "hello", id: 0 });
    await client.until(1);
    for (let i = 1; i <= 30; i++) client.send({ type: "request", id: i, name: "wait" });
    await eventually(() => signals.length === 30, "the requests");
    assert.ok(signals.every(({ aborted }) => !aborted));
    client.socket.terminate();
    await eventually(() => signals.every(({ aborted }) => aborted), "the end");
    assert.deepEqual(warnings, []);
  });

  it("forget a subscription that was ended while it began", async (t) => {
    let allow: (value: boolean) => void = () => {};
    const channels = new Channels({
      authenticate: "anonymous",
      channels: {
        slow: channel({ authorize: () => new Promise((resolve) => (allow = resolve)), presence: true }),
      },
    });
    const { url } = await serve(t, channels);
    const client = await raw(t, url, { type: "hello", id: 0 });
    client.send({ type: "subscribe", id: 1, channel: "slow" });
    client.send({ type: "subscribe", id: 2, channel: "slow" });
    client.send({ type: "unsubscribe", id: 3, channel: "slow" });
    const answers = await client.until(3);
    const results = answers.slice(1).map(({ id, code, type }) => `${String(id)} ${String(code ?? type)}`);
    assert.deepEqual(results.sort(), ["2 conflict", "3 unsubscribed"]);
    allow(true);
    assert.equal((await client.until(4))[3]?.["code"], "conflict");
    assert.deepEqual([...channels.subscribers()], []);
  });

  it("survive whatever a client sends", async (t) => {
    const errors: unknown[] = [];
    const { url } = await serve(
      t,
      open({ onError: (error) => errors.push(error), limits: { messagesPerSecond: 1e6, burst: 1e6 } }),
    );
    const name = fc.constantFrom("room:1", "room:2", "x", "__proto__", "constructor", "wait", "");
    const constant = fc.constantFrom(null, { epoch: "e", offset: 1 });
    const value = fc.oneof(fc.json(), name, fc.nat(9), constant);
    const message = fc.record(
      {
        type: fc.constantFrom(
          ..."subscribe unsubscribe publish request refresh ping hello message".split(" "),
        ),
        id: fc.oneof(fc.nat(1_000_000), value),
        channel: fc.oneof(name, value),
        name: fc.oneof(name, value),
        data: value,
        since: value,
        history: value,
        quiet: value,
        token: value,
      },
      { requiredKeys: ["type"] },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 8 }), async (messages) => {
        const client = await raw(t, url, hello);
        await client.until(1);
        for (const one of messages) client.send(one);
        client.socket.close();
        await within(client.closed, "the close");
      }),
      { numRuns: 150 },
    );
    assert.deepEqual(errors, []);
    const after = clientOf(t, url, { token: "ben" });
    assert.ok(((await after.subscribe("room:9").publish("still here")) ?? 0) > 0);
  });

  it("tell a client when the store fails, and serve it later", async (t) => {
    const store = memoryStore();
    let isBroken = true;
    const read = store.read.bind(store);
    store.read = (...given) => (isBroken ? Promise.reject(new Error("away")) : read(...given));
    const errors: unknown[] = [];
    const { url } = await serve(t, open({ store, onError: (error) => errors.push(String(error)) }));
    const client = await raw(t, url, hello);
    client.send({ type: "subscribe", id: 1, channel: "room:1" });
    assert.equal((await client.until(2))[1]?.["code"], "unavailable");
    assert.ok(errors.includes("Error: away"));
    isBroken = false;
    client.send({ type: "subscribe", id: 2, channel: "room:1" });
    assert.equal((await client.until(3))[2]?.["type"], "subscribed");
    store.append = () => Promise.reject(new Error("away"));
    client.send({ type: "publish", id: 3, channel: "room:1", data: 1 });
    await eventually(
      () => client.answers.some(({ id, code }) => id === 3 && code === "unavailable"),
      "the answer",
    );
  });

  it("keep a user who subscribes again before the first subscription has begun", async (t) => {
    const { url } = await serve(t, open({ limits: { leaveDelayMs: 30 } }));
    const watcher = await raw(t, url, { ...hello, token: "watcher" });
    watcher.send({ type: "subscribe", id: 1, channel: "room:1" });
    await watcher.until(2);
    const client = await raw(t, url, hello);
    client.send({ type: "subscribe", id: 1, channel: "room:1" });
    client.send({ type: "unsubscribe", id: 2, channel: "room:1" });
    client.send({ type: "subscribe", id: 3, channel: "room:1" });
    await client.until(4);
    // A user who leaves afterwards is announced afterwards.
    const other = await raw(t, url, { ...hello, token: "other" });
    other.send({ type: "subscribe", id: 1, channel: "room:1" });
    await other.until(2);
    other.socket.close();
    await eventually(() => watcher.answers.some(({ type }) => type === "leave"), "the other's end");
    assert.deepEqual(
      watcher.answers.filter(({ type }) => type === "leave").map(({ user }) => user),
      ["other"],
    );
    client.send({ type: "unsubscribe", id: 4, channel: "room:1" });
    await eventually(() => watcher.answers.at(-1)?.["user"] === "anna", "the client's end");
  });

  for (const [name, data] of [
    ["nested too deeply for MessagePack", `${"[".repeat(150)}${"]".repeat(150)}`],
    ["nested too deeply for JSON", `${"[".repeat(30_000)}${"]".repeat(30_000)}`],
    ["with a name that MessagePack refuses", '{"__proto__":1}'],
  ] as const) {
    it(`refuse a message ${name}, and lose no other one`, async (t) => {
      const errors: unknown[] = [];
      const messagePack = { encode, decode };
      const { url } = await serve(t, open({ messagePack, onError: (error) => errors.push(error) }));
      const received: unknown[] = [];
      const packed = clientOf(t, url, { token: "ben", messagePack });
      packed.subscribe("room:1", { onMessage: (message) => received.push(message) });
      await eventually(() => packed.state === "open", "the other client");
      const client = await raw(t, url, hello);
      client.send({ type: "subscribe", id: 1, channel: "room:1" });
      client.send(`{"type":"publish","id":2,"channel":"room:1","data":${data}}`);
      client.send({ type: "publish", id: 3, channel: "room:1", data: "fine" });
      await eventually(() => received.length > 0, "the next message");
      assert.deepEqual(received, ["fine"]);
      assert.equal(client.answers.find(({ id }) => id === 2)?.["code"], "invalid");
      assert.deepEqual(errors, []);
    });
  }

  it("refuse what JSON would change without a word", async (t) => {
    const errors: string[] = [];
    const channels = new Channels({
      authenticate: "anonymous",
      channels: { a: channel({ authorize: "everyone" }) },
      requests: { bytes: request({ answer: () => ({ bytes: Buffer.from("x") }) }) },
      onError: (error) => errors.push(String(error)),
    });
    const { url } = await serve(t, channels);
    for (const [value, error] of [
      [Number.NaN, /cannot hold NaN/],
      [{ n: [Number.POSITIVE_INFINITY] }, /cannot hold Infinity/],
      [1n, /cannot hold 1/],
      [new Map(), /cannot hold a Map/],
      [new ArrayBuffer(1), /cannot hold bytes/],
    ] as const) {
      await assert.rejects(channels.publish("a", value), error);
    }
    await assert.rejects(clientOf(t, url).request("bytes"), { code: "failed" });
    assert.match(errors[0] ?? "", /the answer of a request cannot be sent: .*bytes/);
  });

  it("have no channel whose name UTF-8 cannot hold: stores would mix it up with others", async (t) => {
    const { url } = await serve(t, open());
    const client = await raw(t, url, hello);
    client.send('{"type":"subscribe","id":1,"channel":"room:\\ud800"}');
    assert.equal((await client.until(2))[1]?.["code"], "unknown-channel");
  });

  const identities: readonly [name: string, identity: object | null, error: RegExp | undefined][] = [
    ["null", null, undefined],
    [
      "an end that is not a number",
      { user: "a", expiresAt: Number.NaN },
      /expiresAt that is not a number: NaN/,
    ],
    ["an end that is a date", { user: "a", expiresAt: new Date() }, /expiresAt that is not a number/],
    ["a user whose name UTF-8 cannot hold", { user: "\ud800" }, /not a name/],
    ["info that JSON cannot hold", { user: "a", info: { n: 1n } }, /cannot hold 1/],
    ["info that is a function", { user: "a", info() {} }, /JSON cannot hold/],
  ];
  for (const [name, identity, error] of identities) {
    it(`refuse a sign-in for which authenticate returns ${name}`, async (t) => {
      const errors: string[] = [];
      const channels = open({
        authenticate: () => identity as { user: string },
        onError: (given) => errors.push(String(given)),
      });
      const { url } = await serve(t, channels);
      const client = await raw(t, url, hello);
      assert.equal((await within(client.closed, "the close"))[0], 4401);
      if (error === undefined) assert.deepEqual(errors, []);
      else assert.match(errors[0] ?? "", error);
    });
  }

  it("never end a token that is valid for an infinite time", async (t) => {
    const { url } = await serve(
      t,
      open({ authenticate: () => ({ user: "a", expiresAt: Number.POSITIVE_INFINITY }) }),
    );
    const [welcome] = await (await raw(t, url, hello)).until(1);
    assert.equal(welcome?.["type"], "welcome");
    assert.ok(!("expiresInMs" in (welcome ?? {})));
  });

  it("do not wait for a function of the program forever", async (t) => {
    const forever = () => new Promise<never>(() => {});
    const channels = new Channels({
      authenticate: "anonymous",
      channels: {
        closed: channel({ authorize: forever }),
        open: channel({ authorize: "everyone", publish: forever }),
      },
      limits: { requestTimeoutMs: 20 },
    });
    const { url } = await serve(t, channels);
    const client = await raw(t, url, { type: "hello", id: 0 });
    await client.until(1);
    client.send({ type: "subscribe", id: 1, channel: "closed" });
    client.send({ type: "subscribe", id: 2, channel: "open" });
    client.send({ type: "publish", id: 3, channel: "open", data: 1 });
    await client.until(4);
    client.send({ type: "subscribe", id: 4, channel: "closed" });
    await client.until(5);
    assert.deepEqual(
      client.answers.filter(({ type }) => type === "error").map(({ id, code }) => [id, code]),
      [
        [1, "timeout"],
        [3, "timeout"],
        [4, "timeout"],
      ],
    );
  });

  it("do not ask a store that hangs again and again", async (t) => {
    const store = memoryStore();
    let calls = 0;
    store.leave = () => {
      calls++;
      return new Promise(() => {});
    };
    const channels = open({ store, limits: { leaveDelayMs: 1 } });
    const { url } = await serve(t, channels);
    const client = await raw(t, url, hello, { type: "subscribe", id: 1, channel: "room:1" });
    await client.until(2);
    client.socket.terminate();
    await eventually(() => calls > 0, "the first call");
    // Longer than the pause after a failure.
    await sleep(1_200);
    assert.equal(calls, 1);
  });

  it("are reached through a proxy", async (t) => {
    const { url } = await serve(t, open());
    const asked: string[] = [];
    const proxy = createServer().on("connect", ({ url: target = "" }, client) => {
      asked.push(target);
      const [host = "", port] = target.split(":");
      const server = connect(Number(port), host, () => client.write("HTTP/1.1 200 OK\r\n\r\n"));
      server.pipe(client).pipe(server);
      // Pipes pass on neither errors nor a close, and what stays open keeps the process alive.
      server.on("error", () => {}).on("close", () => client.destroy());
      client.on("error", () => {}).on("close", () => server.destroy());
    });
    const dispatcher = new ProxyAgent(`http://127.0.0.1:${await listenOn(t, proxy)}`);
    t.after(() => dispatcher.destroy());
    const client = clientOf(t, url, {
      token: "anna",
      makeSocket: (to, protocols) =>
        new UndiciWebSocket(to, { protocols, dispatcher }) as unknown as SocketLike,
    });
    assert.equal(await client.subscribe("room:1").publish("through"), 1);
    assert.deepEqual(asked, [new URL(url).host]);
    client.close();
  });
});
