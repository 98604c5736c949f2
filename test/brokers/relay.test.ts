import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { memoryBroker } from "../../src/brokers/index.ts";
import { type Broker, type BrokerReceiver, setDefaultBroker } from "../../src/server/broker.ts";
import { Server } from "../../src/server/server.ts";
import type { ServerOptions } from "../../src/server/server-options.ts";
import { throwing } from "../support/failing.ts";
import { codesOf } from "../support/harness.ts";
import { memoryClient } from "../support/raw-client.ts";
import { eventually, signal, turns, within } from "../support/waiting.ts";
import { open, textsOf } from "../support/web-socket-client.ts";
import { type Node, nodeWith } from "./nodes.ts";

/** A broker that a test is. */
class FakeBroker implements Broker {
  receiver: BrokerReceiver | undefined;
  readonly published: { topic: string; message: Uint8Array }[] = [];
  readonly calls: string[] = [];
  /** What `publish` returns or throws. */
  answer: () => unknown = () => undefined;

  start(receiver: BrokerReceiver): void {
    this.receiver = receiver;
  }

  publish(topic: string, message: Uint8Array): unknown {
    const answer = this.answer();
    this.published.push({ topic, message });
    return answer;
  }

  subscribe(topic: string): void {
    // Topics of the servers themselves.
    if (!topic.startsWith("\0")) this.calls.push(`subscribe ${topic}`);
  }

  unsubscribe(topic: string): void {
    this.calls.push(`unsubscribe ${topic}`);
  }

  close(): Promise<void> | void {
    this.calls.push("close");
  }

  /** What was published, as another server's message. */
  foreign(index: number): Buffer {
    const message = Buffer.from(this.published[index]?.message ?? []);
    message.fill(1, 2, 18);
    return message;
  }

  get texts(): string[] {
    return this.published.map(({ message }) => Buffer.from(message.subarray(18)).toString());
  }
}

function faked(t: TestContext, options: ServerOptions = {}): Node & { broker: FakeBroker } {
  const broker = new FakeBroker();
  return { ...nodeWith(t, broker, options), broker };
}

const codes = ({ reports }: Node): unknown[] => codesOf(reports);

describe("messages for the broker", () => {
  it("are published in order when it is connected, those from before as well", (t) => {
    const { server, broker } = faked(t);
    server.publish("a", "1");
    server.publish("b", "2");
    assert.deepEqual(broker.texts, []);
    assert.equal(server.brokerState, "disconnected");
    broker.receiver?.onState("connected");
    server.publish("a", "3");
    assert.deepEqual(broker.texts, ["1", "2", "3"]);
    assert.deepEqual([server.brokerState, server.counters.brokerMessagesSent], ["connected", 3]);
  });

  it("lose the oldest when more wait than maxBrokerBytes, which is counted and reported once", (t) => {
    const node = faked(t, { limits: { maxBrokerBytes: 1_000 } });
    const { server, broker } = node;
    for (let index = 0; index < 20; index++) server.publish("a", `${index}`.padEnd(82)); // 230 bytes each
    assert.equal(server.counters.brokerMessagesDropped, 16);
    assert.deepEqual(codes(node), ["ERR_BROKER_DROPPED"]);
    broker.receiver?.onState("connected");
    assert.equal(broker.texts.map((text) => text.trim()).join(), "16,17,18,19");
    broker.receiver?.onState("disconnected");
    server.publish("a", Buffer.alloc(1_000));
    assert.equal(server.counters.brokerMessagesDropped, 17, "one that never fits is dropped at once");
    assert.deepEqual(codes(node), ["ERR_BROKER_DROPPED", "ERR_BROKER", "ERR_BROKER_DROPPED"]);
  });

  it("wait while too much is under way, and are bounded together with it", async (t) => {
    const { server, broker } = faked(t, { limits: { maxBrokerBytes: 2_500_000 } });
    broker.receiver?.onState("connected");
    const settled = signal();
    broker.answer = () => settled.promise;
    const bytes = Buffer.alloc(100_000);
    for (let count = 0; count < 40; count++) server.publish("a", bytes);
    assert.equal(broker.published.length, 11, "1 MiB is under way");
    assert.equal(server.counters.brokerMessagesDropped, 16);
    settled.give();
    await turns();
    assert.equal(broker.published.length, 24);
  });

  it("count as dropped when the broker throws or rejects", async (t) => {
    const node = faked(t);
    node.broker.receiver?.onState("connected");
    node.broker.answer = () => Promise.reject(new Error("refused"));
    node.server.publish("a", "1");
    node.broker.answer = throwing(new Error("too large"));
    node.server.publish("a", "2");
    await turns();
    assert.equal(node.server.counters.brokerMessagesDropped, 2);
    assert.equal(node.server.counters.brokerMessagesSent, 0);
    assert.deepEqual(codes(node), ["ERR_BROKER_DROPPED"]);
    assert.match(String(node.reports[0]?.error), /: too large$/);
  });

  it("do not change when the program changes its bytes", (t) => {
    const { server, broker } = faked(t);
    const bytes = Buffer.from("before");
    server.publish("a", bytes);
    bytes.fill(0);
    broker.receiver?.onState("connected");
    assert.deepEqual(broker.texts, ["before"]);
  });
});

describe("messages from the broker", () => {
  it("reach subscribers of their topic once; the server's own do not", async (t) => {
    const { server, broker, join } = faked(t);
    broker.receiver?.onState("connected");
    const client = await join("a");
    server.publish("a", "own");
    broker.receiver?.onMessage("a", broker.published[0]?.message ?? Buffer.alloc(0));
    broker.receiver?.onMessage("b", broker.foreign(0));
    broker.receiver?.onMessage("a", broker.foreign(0));
    server.publish("a", "end");
    assert.deepEqual(await textsOf(client, 3), ["own", "own", "end"]);
    assert.equal(server.counters.brokerMessagesReceived, 2);
  });

  it("that cannot be read are counted, reported once, and reach nobody", async (t) => {
    const node = faked(t);
    const { server, broker, join } = node;
    broker.receiver?.onState("connected");
    const client = await join("a");
    server.publish("a", "valid");
    const valid = broker.foreign(0);
    const invalid = [
      Buffer.alloc(0),
      Buffer.alloc(1),
      valid.subarray(0, 17),
      Buffer.from(valid).fill(2, 0, 1), // another version
      Buffer.from(valid).fill(4, 1, 2), // an unknown flag
      Buffer.from(valid).fill(0xff, 18), // text that is not UTF-8
      undefined as unknown as Buffer,
      "text" as unknown as Buffer,
    ];
    for (const message of invalid) broker.receiver?.onMessage("a", message);
    assert.deepEqual(codes(node), ["ERR_BROKER_MESSAGE"]);
    assert.equal(server.counters.errors["ERR_BROKER_MESSAGE"], invalid.length);
    server.publish("a", "end");
    assert.deepEqual(await textsOf(client, 2), ["valid", "end"]);
  });

  it("carry whether they may be compressed", (t) => {
    const { server, broker } = faked(t);
    broker.receiver?.onState("connected");
    server.publish("a", "x".repeat(1_000), { compress: false });
    server.publish("a", "x".repeat(1_000));
    assert.deepEqual([broker.published[0]?.message[1], broker.published[1]?.message[1]], [2, 0]);
  });
});

describe("subscriptions at the broker", () => {
  it("are made with the first subscriber and end some time after the last", async (t) => {
    const { broker, join } = faked(t, { limits: { brokerLeaveDelayMs: 50 } });
    const [first, second] = [await join("a"), await join("a")];
    assert.deepEqual(broker.calls, ["subscribe a"]);
    first.raw.destroy();
    second.raw.destroy();
    await turns();
    assert.deepEqual(broker.calls, ["subscribe a"]);
    await eventually(() => broker.calls.length > 1, "the topic to be left");
    assert.deepEqual(broker.calls, ["subscribe a", "unsubscribe a"]);
  });

  it("end at once with a delay of 0", async (t) => {
    const { broker, join } = faked(t, { limits: { brokerLeaveDelayMs: 0 } });
    const client = await join("a");
    client.raw.destroy();
    await turns();
    assert.deepEqual(broker.calls, ["subscribe a", "unsubscribe a"]);
  });

  it("without subscribers are at most 10,000, however fast clients change their topics", async (t) => {
    const { server, broker } = faked(t);
    server.websocket("/many", {
      message(socket, data) {
        socket.subscribe(data.toString());
        socket.unsubscribe(data.toString());
        socket.send("done");
      },
    });
    const client = await open(memoryClient(server), "/many");
    for (let index = 0; index < 10_010; index++) client.send(`${index}`);
    await textsOf(client, 10_010);
    client.raw.destroy();
    const left = broker.calls.filter((call) => call.startsWith("unsubscribe"));
    assert.deepEqual([left.length, left[0]], [10, "unsubscribe 0"]);
  });

  it("that the broker refuses by an error do not reach the client's handler", async (t) => {
    const node = faked(t);
    node.broker.subscribe = throwing(new Error("not allowed"));
    const client = await node.join("a");
    node.server.publish("a", "here");
    assert.deepEqual(await textsOf(client, 1), ["here"]);
    assert.deepEqual(codes(node), ["ERR_BROKER"]);
  });
});

describe("a server with a broker", () => {
  it("refuses a broker that another server has", (t) => {
    const { broker } = faked(t);
    assert.throws(() => new Server({ broker }), /Create one for each server/);
  });

  it("reports once that the broker is away, and again when it has been back", (t) => {
    const node = faked(t);
    const { receiver } = node.broker;
    const cause = new Error("ECONNREFUSED");
    receiver?.onState("disconnected", cause);
    receiver?.onState("disconnected", cause);
    assert.deepEqual(codes(node), ["ERR_BROKER"]);
    assert.equal((node.reports[0] as { error: Error }).error.cause, cause);
    receiver?.onState("connected");
    receiver?.onState("disconnected", cause);
    assert.deepEqual(codes(node), ["ERR_BROKER", "ERR_BROKER"]);
  });

  it("closes it, and does not wait for one that does not end", async (t) => {
    const node = faked(t);
    node.server.publish("a", "never sent");
    node.broker.close = () => new Promise(() => {});
    await within(node.server.close(), "the server to close", 4_000);
    assert.deepEqual(codes(node), ["ERR_BROKER_DROPPED"]);
    node.broker.receiver?.onState("connected");
    node.broker.receiver?.onMessage("a", Buffer.alloc(0));
    assert.equal(node.server.publish("a", "after"), 0);
    assert.deepEqual(node.broker.published, []);
    assert.equal(node.server.brokerState, "disconnected");
  });

  it("sends what is under way before it closes the broker", async (t) => {
    const { server, broker } = faked(t);
    broker.receiver?.onState("connected");
    const settled = signal();
    broker.answer = () => settled.promise;
    server.publish("a", "last words");
    const closed = server.close();
    await turns();
    assert.deepEqual(broker.calls, []);
    settled.give();
    await within(closed, "the server to close");
    assert.deepEqual(broker.calls, ["close"]);
  });

  it("gets the default broker when it is given none", async (t) => {
    const join = memoryBroker();
    setDefaultBroker(join);
    t.after(() => setDefaultBroker(() => undefined));
    await using server = new Server();
    assert.equal(server.brokerState, "connected");
    setDefaultBroker(() => undefined);
    await using other = new Server();
    assert.equal(other.brokerState, undefined);
  });
});

describe("the servers of a broker", () => {
  it("find each other when one is asked for its status", async (t) => {
    const join = memoryBroker();
    const [one, two] = [nodeWith(t, join()), nodeWith(t, join())];
    await two.join("news");
    assert.deepEqual(
      one.server.brokerStatus()?.nodes.map(({ isOwn }) => isOwn),
      [true],
      "nobody was asked before",
    );
    await turns(2);
    const status = one.server.brokerStatus();
    assert.deepEqual([status?.name, status?.state, status?.waitingBytes], ["memory", "connected", 0]);
    const [own, other] = status?.nodes ?? [];
    assert.deepEqual([own?.isOwn, other?.isOwn, other?.pid], [true, false, process.pid]);
    assert.deepEqual([own?.openWebSockets, other?.openWebSockets], [0, 1]);
    assert.notEqual(own?.id, other?.id);
    assert.deepEqual([one.server.counters.brokerMessagesReceived, status?.sent], [0, 0]);
    await two.server.close({ graceMs: 0 });
    assert.deepEqual(one.server.brokerStatus()?.nodes.length, 2, "it is remembered for some seconds");
  });

  it("are unknown when their messages make no sense, which is reported", async (t) => {
    const node = faked(t);
    node.broker.receiver?.onState("connected");
    node.server.brokerStatus();
    const question = node.broker.foreign(0);
    question.fill(0x7b, 18);
    node.broker.receiver?.onMessage("\0nodes", question);
    assert.deepEqual(codes(node), ["ERR_BROKER_MESSAGE"]);
    assert.equal(node.server.brokerStatus()?.nodes.length, 1);
  });

  it("say what waits for the broker", (t) => {
    const { server } = faked(t);
    server.publish("a", "1");
    const { name, state, waitingMessages, waitingBytes } = server.brokerStatus() ?? {};
    assert.deepEqual([name, state, waitingMessages], ["broker", "disconnected", 1]);
    assert.ok(Number(waitingBytes) > 0);
    assert.equal(new Server().brokerStatus(), undefined);
  });
});
