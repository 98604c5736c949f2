import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { decode, encode } from "@msgpack/msgpack";
import { type Broker, memoryBroker } from "../../src/brokers/index.ts";
import type { ClientOptions, ReceivedMessage, SubscriptionEvents } from "../../src/browser/index.ts";
import { Channels, type ChannelsOptions, channel, request, type TypesOf } from "../../src/channels/index.ts";
import type { ServerOptions } from "../../src/server/server-options.ts";
import { throwing } from "../support/failing.ts";
import { linkTo } from "../support/link.ts";
import { signal, sleep } from "../support/waiting.ts";
import { isObject } from "./schemas.ts";
import { becomes, clientOf, memoryStore, quick, serve } from "./support.ts";

const chat = isObject<{ text: string }>("text");

function chatChannels(more: Partial<ChannelsOptions<never, never>> = {}) {
  return new Channels({
    authenticate: (token) =>
      token === undefined || token === "bad" ? undefined : { user: token, info: { name: token } },
    channels: {
      "room:*": channel({
        authorize: (client, name) => name !== "room:secret" || client.user === "anna",
        message: chat,
        publish: "subscribers",
        history: { maxMessages: 10 },
        presence: true,
      }),
      news: channel({ authorize: "everyone" }),
    },
    requests: {
      double: request({ input: isObject<{ n: number }>("n"), answer: ({ n }) => n * 2 }),
      slow: request({ timeoutMs: 20, answer: () => new Promise(() => {}) }),
      broken: request({
        answer: throwing(new Error("a secret")),
      }),
    },
    limits: quick,
    ...more,
  });
}

type App = TypesOf<ReturnType<typeof chatChannels>>;
type Handlers = SubscriptionEvents<{ text: string }>;

/** Serves the channels above until the end of the test. */
async function chatServer(
  t: TestContext,
  more: Partial<ChannelsOptions<never, never>> = {},
  options: ServerOptions = {},
) {
  const channels = chatChannels(more);
  return { channels, ...(await serve(t, channels, options)) };
}

/** The same, behind a link: `url` is that of the link. */
async function linkedChat(t: TestContext, options: ServerOptions = {}) {
  const served = await chatServer(t, {}, options);
  const link = await linkTo(Number(new URL(served.url).port));
  t.after(() => link.close());
  return { ...served, link, url: served.url.replace(/:\d+/, `:${link.port}`) };
}

/** A client that has been let into `room:1`. */
async function inRoom(
  t: TestContext,
  url: string,
  token: string,
  handlers: Handlers = {},
  options: ClientOptions = {},
) {
  const client = clientOf<App>(t, url, { token, ...options });
  const there = signal();
  const room = client.subscribe("room:1", { ...handlers, onSubscribed: () => there.give() });
  await there.wait(`${token} to be in the room`);
  return { client, room };
}

/** Handlers that log who joins, and who leaves. */
function watching(log: string[]) {
  return {
    onJoin: ({ user }: { user: string }) => void log.push(`+${user}`),
    onLeave: (user: string) => void log.push(`-${user}`),
  };
}

describe("channels", () => {
  it("bring messages to all who are subscribed, in order, with offsets", async (t) => {
    const { channels, url } = await chatServer(t);
    const got: string[] = [];
    await inRoom(t, url, "ben", { onMessage: ({ text }, { offset }) => got.push(`${offset} ${text}`) });
    const room = clientOf<App>(t, url, { token: "anna" }).subscribe("room:1");
    assert.equal(await room.publish({ text: "one" }), 1);
    assert.equal(await room.publish({ text: "two" }), 2);
    await channels.publish("room:1", { text: "three" });
    await becomes(() => got, ["1 one", "2 two", "3 three"], "the messages");
  });

  it("send a client that comes back what it has missed, once", async (t) => {
    const { channels, server, link, url } = await linkedChat(t);
    const texts: string[] = [];
    const complete: boolean[] = [];
    clientOf<App>(t, url, { token: "anna" }).subscribe("room:1", {
      onMessage: ({ text }) => texts.push(text),
      onSubscribed: (isComplete) => complete.push(isComplete),
    });
    await becomes(() => complete, [false], "the first subscription");
    await channels.publish("room:1", { text: "1" });
    await becomes(() => texts, ["1"], "the messages");
    link.cut();
    await becomes(() => server.webSockets.length, 0, "the connections");
    await channels.publish("room:1", { text: "2" });
    await channels.publish("room:1", { text: "3" });
    link.mend();
    await becomes(() => texts, ["1", "2", "3"], "the messages");
    assert.deepEqual(complete, [false, true]);
  });

  it("tell a client that not all can be recovered", async (t) => {
    const { channels, server, link, url } = await linkedChat(t);
    const log: string[] = [];
    clientOf<App>(t, url, { token: "anna" }).subscribe("room:1", {
      history: 2,
      onMessage: ({ text }, { isOld }) => log.push(isOld ? `old ${text}` : text),
      onMissed: () => log.push("missed"),
      onSubscribed: (isComplete) => log.push(isComplete ? "complete" : "not complete"),
    });
    await becomes(() => log, ["not complete"], "the log");
    link.cut();
    await becomes(() => server.webSockets.length, 0, "the connections");
    for (let i = 1; i <= 12; i++) await channels.publish("room:1", { text: `${i}` });
    link.mend();
    await becomes(() => log, ["not complete", "missed", "old 11", "old 12", "not complete"], "the log");
  });

  it("send new subscribers the last messages", async (t) => {
    const { channels, url } = await chatServer(t);
    for (let i = 1; i <= 3; i++) await channels.publish("room:1", { text: `${i}` });
    const got: [string, ReceivedMessage][] = [];
    clientOf<App>(t, url, { token: "anna" }).subscribe("room:1", {
      history: 2,
      onMessage: ({ text }, message) => got.push([text, message]),
    });
    const old = (offset: number): [string, ReceivedMessage] => [
      `${offset}`,
      { offset, client: undefined, isOld: true },
    ];
    await becomes(() => got, [old(2), old(3)], "the messages");
  });

  it("refuse what is not allowed, and say why", async (t) => {
    const { url } = await chatServer(t);
    const ben = clientOf<App>(t, url, { token: "ben" });
    const ended: string[] = [];
    const end = (name: string) => ({
      onEnded: (error: Error & { code: string }) => ended.push(`${name} ${error.code}`),
    });
    ben.subscribe("room:secret", end("room:secret"));
    await becomes(() => ended, ["room:secret forbidden"], "what ended");
    ben.subscribe("other" as "news", end("other"));
    await becomes(() => ended, ["room:secret forbidden", "other unknown-channel"], "what ended");
    const news = ben.subscribe("news");
    await assert.rejects(news.publish("x"), { code: "forbidden" });
    const room = ben.subscribe("room:1");
    await assert.rejects(room.publish({ text: 5 } as never), {
      code: "invalid",
      message: "text: has the wrong type",
    });
    room.unsubscribe();
    await assert.rejects(room.publish({ text: "x" }), { code: "not-subscribed" });
  });

  it("do not tell the client that published quietly", async (t) => {
    const { url } = await chatServer(t);
    const texts: string[] = [];
    const { room } = await inRoom(t, url, "anna", { onMessage: ({ text }) => texts.push(`anna ${text}`) });
    await inRoom(t, url, "ben", { onMessage: ({ text }) => texts.push(`ben ${text}`) });
    await room.publish({ text: "1" }, { quiet: true });
    await room.publish({ text: "2" });
    await becomes(() => [...texts].sort(), ["anna 2", "ben 1", "ben 2"], "the messages");
  });

  it("answer requests, in time", async (t) => {
    const errors: unknown[] = [];
    const { url } = await chatServer(t, { onError: (error: unknown) => errors.push(error) });
    const client = clientOf<App>(t, url, { token: "anna" });
    assert.equal(await client.request("double", { n: 21 }), 42);
    await assert.rejects(client.request("double", { n: "x" } as never), { code: "invalid" });
    await assert.rejects(client.request("slow", 1), { code: "timeout" });
    await assert.rejects(client.request("broken", 1), {
      code: "failed",
      message: "the server failed to answer",
    });
    assert.match(String(errors), /a secret/);
    await assert.rejects(client.request("none" as "slow", 1), { code: "unknown-request" });
    const aborted = AbortSignal.timeout(5);
    await assert.rejects(client.request("slow", 1, { signal: aborted }), { name: "TimeoutError" });
  });

  it("refuse a sign-in, and clients give up", async (t) => {
    const { url } = await chatServer(t);
    const refused = signal<number>();
    const states: string[] = [];
    const client = clientOf<App>(t, url, {
      token: "bad",
      onRefused: (code) => refused.give(code),
      onState: (state) => states.push(state),
    });
    assert.equal(await refused.wait("the refusal"), 4401);
    assert.equal(client.state, "closed");
    assert.equal(states.includes("open"), false);
    await assert.rejects(client.request("double", { n: 1 }), { code: "offline" });
  });

  it("know a client by a new token, and end it without one", async (t) => {
    let tokens = 0;
    const end = Date.now() + 150;
    const channels = new Channels({
      authenticate: (token) => ({
        user: "anna",
        data: token,
        expiresAt: token === "once" ? end : Date.now() + 150,
      }),
      channels: { news: channel({ authorize: "everyone" }) },
      requests: { token: request({ answer: (_, { data }) => data }) },
      limits: { ...quick, signInTimeoutMs: 100 },
    });
    const { server, url } = await serve(t, channels);
    const client = clientOf(t, url, { token: () => `t${++tokens}` });
    assert.equal(await client.request("token", 0), "t1");
    await becomes(() => tokens >= 3, true, "newer tokens");
    assert.equal(server.counters.webSockets, 1, "all on one connection");
    const closed = signal();
    clientOf(t, url, { token: "once", onState: (state) => state === "waiting" && closed.give() });
    await closed.wait("the end of a token");
  });

  it("tell who is there: users, not connections", async (t) => {
    const { channels, url } = await chatServer(t);
    const log: string[] = [];
    const room = clientOf<App>(t, url, { token: "watcher" }).subscribe("room:1", watching(log));
    await becomes(() => log, ["+watcher"], "the log");
    const first = clientOf<App>(t, url, { token: "anna" });
    first.subscribe("room:1");
    await becomes(() => log, ["+watcher", "+anna"], "the log");
    assert.deepEqual(channels.members("room:1"), room.members);
    assert.deepEqual(room.members[1], { user: "anna", info: { name: "anna" } });
    const second = await inRoom(t, url, "anna");
    first.close();
    clientOf<App>(t, url, { token: "ben" }).subscribe("room:1");
    await becomes(() => log, ["+watcher", "+anna", "+ben"], "the log");
    second.client.close();
    await becomes(() => log, ["+watcher", "+anna", "+ben", "-anna"], "the log");
    const users = room.members.map(({ user }) => user);
    assert.deepEqual(users, ["watcher", "ben"]);
  });

  it("keep a user who subscribes again on the same connection", async (t) => {
    const [store, brokerOf] = [memoryStore(), memoryBroker()];
    const { url } = await chatServer(t, { store }, { broker: brokerOf() });
    const other = await chatServer(t, { store }, { broker: brokerOf() });
    const log: string[] = [];
    await inRoom(t, other.url, "watcher", watching(log));
    const { client, room } = await inRoom(t, url, "anna");
    await becomes(() => log, ["+watcher", "+anna"], "the log");
    const again = signal();
    room.unsubscribe();
    client.subscribe("room:1", { onSubscribed: () => again.give() });
    await again.wait("the second subscription");
    await sleep(3 * quick.leaveDelayMs);
    assert.deepEqual(log, ["+watcher", "+anna"]);
  });

  it("work on a server with deferred delivery, without polls", async (t) => {
    const { url } = await chatServer(t, {}, { delivery: "deferred" });
    const client = clientOf<App>(t, url, { token: "anna" });
    assert.equal(await client.subscribe("room:1").publish({ text: "x" }), 1);
  });

  it("do not accept a user without a name, or a publication before they are mounted", async (t) => {
    const errors: unknown[] = [];
    const channels = new Channels({
      authenticate: () => ({ user: "" }),
      channels: { news: channel({ authorize: "everyone" }) },
      onError: (error) => errors.push(error),
    });
    await assert.rejects(channels.publish("news", 1), /mount the channels first/);
    const { url } = await serve(t, channels);
    const refused = signal<number>();
    clientOf(t, url, { onRefused: (code) => refused.give(code) });
    assert.equal(await refused.wait("the refusal"), 4401);
    assert.match(String(errors[0]), /authenticate returned a user that is not a name/);
  });

  it("do not tell of users who come back soon", async (t) => {
    const { url } = await chatServer(t, { limits: { ...quick, leaveDelayMs: 400 } });
    const log: string[] = [];
    clientOf<App>(t, url, { token: "watcher" }).subscribe("room:1", watching(log));
    for (let i = 0; i < 3; i++) (await inRoom(t, url, "anna")).client.close();
    await becomes(() => log, ["+watcher", "+anna", "-anna"], "the log");
  });

  it("tell that members of a process that died have left", async (t) => {
    const store = memoryStore();
    const { url } = await chatServer(t, { store });
    const log: string[] = [];
    // As another process would, which is killed right after it.
    await store.join("room:1", { client: "of another process", user: "ghost" }, 300);
    clientOf<App>(t, url, { token: "watcher" }).subscribe("room:1", watching(log));
    await becomes(() => log, ["+ghost", "+watcher", "-ghost"], "the log");
  });

  it("speak MessagePack, too", async (t) => {
    const messagePack = { encode, decode };
    const { channels, url } = await chatServer(t, { messagePack });
    const texts: string[] = [];
    const noting = (name: string): Handlers => ({ onMessage: ({ text }) => texts.push(`${name} ${text}`) });
    const { client: anna, room } = await inRoom(t, url, "anna", noting("anna"), { messagePack });
    await inRoom(t, url, "ben", noting("ben"));
    await room.publish({ text: "grüße" });
    await becomes(() => [...texts].sort(), ["anna grüße", "ben grüße"], "the messages");
    assert.equal(await anna.request("double", { n: 4 }), 8);
    const bytes = { text: "x", more: [new Uint8Array(2)] };
    await assert.rejects(room.publish(bytes), { code: "invalid", message: /cannot hold bytes/ });
    await assert.rejects(
      channels.publish("room:1", { text: "x", more: Buffer.from("x") } as never),
      /cannot hold bytes/,
    );
  });

  it("are the same on several servers with one store", async (t) => {
    const [store, brokerOf] = [memoryStore(), memoryBroker()];
    const one = await chatServer(t, { store }, { broker: brokerOf() });
    const two = await chatServer(t, { store }, { broker: brokerOf() });
    const log: string[] = [];
    await inRoom(t, one.url, "watcher", {
      ...watching(log),
      onMessage: ({ text }, { offset }) => log.push(`${offset} ${text}`),
    });
    const { client: anna, room } = await inRoom(t, two.url, "anna");
    await room.publish({ text: "hello" });
    await one.channels.publish("room:1", { text: "server" });
    anna.close();
    await becomes(() => log, ["+watcher", "+anna", "1 hello", "2 server", "-anna"], "the log");
  });

  it("understand a broker that delivers plain bytes, as its interface says", async (t) => {
    const brokerOf = memoryBroker();
    const plain = (): Broker => {
      const broker = brokerOf();
      const start = broker.start.bind(broker);
      broker.start = (receiver) =>
        start({
          onState: (state) => receiver.onState(state),
          onMessage: (topic, message) => receiver.onMessage(topic, new Uint8Array(message)),
        });
      return broker;
    };
    const definitions = { authenticate: "anonymous", channels: { news: { authorize: "everyone" } } } as const;
    const [here, there] = [new Channels(definitions), new Channels(definitions)];
    await serve(t, here, { broker: plain() });
    const { url } = await serve(t, there, { broker: plain() });
    const [subscribed, received] = [signal(), signal<unknown>()];
    clientOf(t, url).subscribe("news", {
      onSubscribed: () => subscribed.give(),
      onMessage: (message) => received.give(message),
    });
    await subscribed.wait("the subscription");
    await here.publish("news", "grüße");
    assert.equal(await received.wait("the message"), "grüße");
  });

  it("need a store that is shared where the topics are", async () => {
    const channels = chatChannels();
    await assert.rejects(
      serve({ after() {} } as never, channels, { broker: memoryBroker()() }),
      /set store, for example to redisStore/,
    );
  });

  it("end what the program ends", async (t) => {
    const { channels, url } = await chatServer(t);
    const ended: string[] = [];
    const refused = signal<number>();
    const onEnded: Handlers["onEnded"] = ({ code, message }) => ended.push(code, message);
    await inRoom(t, url, "anna", { onEnded }, { onRefused: (code) => refused.give(code) });
    assert.equal(channels.unsubscribe("anna", "room:1", "enough"), 1);
    await becomes(() => ended, ["forbidden", "enough"], "the end");
    assert.equal(channels.disconnect("anna"), 1);
    assert.equal(await refused.wait("the end"), 4410);
  });

  it("go on after messages that the broker lost", async (t) => {
    const [store, lossy] = [memoryStore(), memoryBroker()];
    const broker = lossy();
    let isLossy = false;
    const publish = broker.publish.bind(broker);
    broker.publish = (topic, message) => (isLossy ? undefined : publish(topic, message));
    const { channels, url } = await chatServer(t, { store }, { broker });
    const second = await chatServer(t, { store }, { broker: lossy() });
    assert.ok(url !== second.url);
    const texts: string[] = [];
    await inRoom(t, second.url, "ben", { onMessage: ({ text }) => texts.push(text) });
    await channels.publish("room:1", { text: "1" });
    isLossy = true;
    await channels.publish("room:1", { text: "2" });
    isLossy = false;
    await channels.publish("room:1", { text: "3" });
    await becomes(() => texts, ["1", "2", "3"], "the gap is filled");
    isLossy = true;
    await channels.publish("room:1", { text: "4" });
    await becomes(() => texts, ["1", "2", "3", "4"], "the last one is found, too");
  });

  it("close clients that are too slow, which recover", async (t) => {
    const { channels, link, url } = await linkedChat(t, { limits: { maxBackpressureBytes: 200_000 } });
    const lengths: number[] = [];
    let missed = 0;
    await inRoom(t, url, "anna", {
      history: 1,
      onMessage: ({ text }) => lengths.push(text.length),
      onMissed: () => missed++,
    });
    link.stall();
    const text = "x".repeat(100_000);
    for (let i = 0; i < 200; i++) await channels.publish("room:1", { text });
    link.mend();
    await channels.publish("room:1", { text: "the last" });
    await becomes(() => lengths.at(-1), 8, "the last message");
    assert.ok(missed > 0 || lengths.length === 201, "all, or told");
  });
});
