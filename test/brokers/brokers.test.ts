import assert from "node:assert/strict";
import { after, before, describe, it, type TestContext } from "node:test";
import type { Broker } from "../../src/server/broker.ts";
import type { ServerOptions } from "../../src/server/server-options.ts";
import type { BrokerServer } from "../support/broker-server.ts";
import { listOf } from "../support/bytes.ts";
import { codeOf } from "../support/harness.ts";
import { linkTo } from "../support/link.ts";
import { absent } from "../support/tools.ts";
import { eventually, within } from "../support/waiting.ts";
import { textsOf } from "../support/web-socket-client.ts";
import { kinds } from "./kinds.ts";
import { type Node, nodeWith, reaches, upTo } from "./nodes.ts";

/** Topics that the servers of brokers give a meaning of their own. */
const topics = [
  ...listOf('¦ ¦*¦>¦a.b¦a..b.¦room:1¦quote"¦é 🚪'),
  "x".repeat(300),
  "y".repeat(5_000),
  "A",
  "a",
];

/** The same broker, with a function that sees the text of each message that arrives. */
function watched(broker: Broker, onText: (text: string) => unknown): Broker {
  return {
    start: (receiver) =>
      broker.start({
        onMessage(topic, message) {
          onText(Buffer.from(message).toString("utf8", 18));
          receiver.onMessage(topic, message);
        },
        onState: (state, error) => receiver.onState(state, error),
      }),
    publish: (topic, message) => broker.publish(topic, message),
    subscribe: (topic) => broker.subscribe(topic),
    unsubscribe: (topic) => broker.unsubscribe(topic),
    close: () => broker.close(),
  };
}

for (const kind of kinds) {
  const skip = kind.needs === undefined ? false : absent(kind.needs.program, kind.needs.debianPackage);

  describe(`topics by ${kind.name}`, { skip }, () => {
    let served: BrokerServer | undefined;

    before(async () => {
      served = await kind.startServer();
    });
    after(() => served?.remove());

    async function nodeAt(
      t: TestContext,
      port: number,
      options?: ServerOptions,
      wrap = (it: Broker) => it,
    ): Promise<Node & { ping(): Promise<unknown> }> {
      const { broker, ping, end } = await kind.connect(port);
      const node = nodeWith(t, wrap(broker), options);
      t.after(end);
      return { ...node, ping };
    }
    const node = (t: TestContext, options?: ServerOptions, wrap?: (broker: Broker) => Broker) =>
      nodeAt(t, served?.port ?? 0, options, wrap);

    it("reach the clients of three servers, each once, text and bytes", async (t) => {
      const [one, two, three] = [await node(t), await node(t), await node(t)];
      const [first, second, third] = [
        await one.join("news"),
        await two.join("news"),
        await three.join("news"),
      ];
      await reaches(one.server, "news", second);
      await reaches(one.server, "news", third);
      await reaches(two.server, "news", first);

      assert.equal(one.server.publish("news", "for all"), 1);
      one.server.publish("news", new Uint8Array([0, 255, 128]));
      one.server.publish("news", "");
      one.server.publish("news", "text as bytes", { binary: true });
      one.server.publish("news", Buffer.from("bytes as text"), { binary: false });
      first.send("from a client");
      const published = [
        ["for all", false],
        ["\0\ufffd\ufffd", true],
        ["", false],
        ["text as bytes", true],
        ["bytes as text", false],
      ];
      const sent = ["from a client", false];
      assert.deepEqual(await upTo(second, "from a client"), [...published, sent]);
      assert.deepEqual(await upTo(third, "from a client"), [...published, sent]);
      three.server.publish("news", "end");
      // What the client sent does not come back, and nothing comes twice.
      assert.deepEqual(await upTo(first, "end"), [...published, ["end", false]]);
    });

    it("keep the order of a publisher, and messages that are alike", async (t) => {
      const [from, to] = [await node(t), await node(t)];
      const client = await to.join("order");
      await reaches(from.server, "order", client);
      const sent = Array.from({ length: 1_000 }, (_, index) => `${index >> 2}`);
      for (const text of sent) from.server.publish("order", text);
      assert.deepEqual(await textsOf(client, sent.length), sent);
      assert.equal(from.server.counters.brokerMessagesDropped, 0);
    });

    it("can have any name", async (t) => {
      const [from, to] = [await node(t), await node(t)];
      for (const [index, topic] of topics.entries()) {
        const client = await to.join(topic);
        await reaches(from.server, topic, client);
        for (const other of topics) if (other !== topic) from.server.publish(other, "for another topic");
        from.server.publish(topic, `for ${index}`);
        assert.deepEqual(await textsOf(client, 1), [`for ${index}`]);
        client.raw.destroy();
      }
      assert.deepEqual(to.reports, []);
    });

    it("are subscribed to once for all clients of a server, and left after a delay", async (t) => {
      const calls: string[] = [];
      const watch = (broker: Broker): Broker => ({
        start: (receiver) => broker.start(receiver),
        publish: (topic, message) => broker.publish(topic, message),
        close: () => broker.close(),
        subscribe(topic) {
          // Topics of the servers themselves.
          if (!topic.startsWith("\0")) calls.push(`subscribe ${topic}`);
          broker.subscribe(topic);
        },
        unsubscribe(topic) {
          calls.push(`unsubscribe ${topic}`);
          broker.unsubscribe(topic);
        },
      });
      const to = await node(t, { limits: { brokerLeaveDelayMs: 100 } }, watch);
      const from = await node(t);
      const clients = await Promise.all(Array.from({ length: 20 }, () => to.join("crowd")));
      const [first] = clients;
      assert.ok(first !== undefined);
      await reaches(from.server, "crowd", first);
      assert.deepEqual(calls, ["subscribe crowd"]);
      const { brokerMessagesReceived } = to.server.counters;
      from.server.publish("crowd", "once for all");
      assert.deepEqual(await upTo(first, "once for all"), [["once for all", false]]);
      assert.equal(to.server.counters.brokerMessagesReceived, brokerMessagesReceived + 1);

      for (const client of clients) client.raw.destroy();
      await eventually(() => to.server.subscribers("crowd") === 0, "the clients to go");
      const second = await to.join("crowd");
      await reaches(from.server, "crowd", second);
      assert.deepEqual(calls, ["subscribe crowd"], "who comes back in time finds the topic subscribed");

      second.raw.destroy();
      await eventually(() => calls.length > 1, "the topic to be left");
      assert.deepEqual(calls, ["subscribe crowd", "unsubscribe crowd"]);
      const third = await to.join("crowd");
      await reaches(from.server, "crowd", third);
    });

    it("end with the server, whose client stays open", async (t) => {
      const one = await node(t);
      const other = await node(t);
      const client = await other.join("ending");
      await reaches(one.server, "ending", client);
      await within(one.server.close({ graceMs: 100 }), "the server to close");
      await within(one.ping(), "the client to answer");
      assert.equal(one.server.publish("ending", "too late"), 0);
      await client.readFor(50);
      assert.deepEqual(client.events, []);
    });

    if (kind.needs === undefined) return;

    it("go on in each process while the broker is away, and everywhere when it is back", async (t) => {
      const limits = { maxBrokerBytes: 20_000 };
      const [from, to] = [await node(t, { limits }), await node(t, { limits })];
      const [here, there] = [await from.join("away"), await to.join("away")];
      await reaches(from.server, "away", there);
      await served?.stop();
      await eventually(() => from.server.brokerState === "disconnected", "the loss to be noticed");
      await eventually(() => to.server.brokerState === "disconnected", "the loss to be noticed");
      here.read();
      here.events.length = 0;
      const reports = from.reports.length;
      const dropped = from.server.counters.brokerMessagesDropped;

      const texts = Array.from({ length: 100 }, (_, index) => `${index} ${"x".repeat(1_000)}`);
      for (const text of texts) assert.equal(from.server.publish("away", text), 1);
      assert.deepEqual(await textsOf(here, 100), texts, "local clients get everything");
      const lost = from.server.counters.brokerMessagesDropped - dropped;
      assert.ok(lost > 80 && lost < 90, `${lost} were dropped`);
      assert.deepEqual(
        from.reports.slice(reports).map(({ error }) => codeOf(error)),
        from.reports.slice(0, reports).some(({ error }) => codeOf(error) === "ERR_BROKER_DROPPED")
          ? []
          : ["ERR_BROKER_DROPPED"],
      );
      assert.equal(from.reports.filter(({ error }) => codeOf(error) === "ERR_BROKER").length, 1);

      await served?.start();
      await eventually(() => from.server.brokerState === "connected", "the broker to be back");
      await reaches(from.server, "away", there);
      await reaches(to.server, "away", here);
      const late = await to.join("late");
      await reaches(from.server, "late", late);
    });

    it("recover when the link of one server is cut", async (t) => {
      const link = await linkTo(served?.port ?? 0, 5);
      t.after(() => link.close());
      const [from, to] = [await node(t), await nodeAt(t, link.port)];
      const client = await to.join("cut");
      await reaches(from.server, "cut", client);
      link.cut();
      await eventually(() => to.server.brokerState === "disconnected", "the cut to be noticed");
      assert.equal(to.server.publish("cut", "still here"), 1);
      assert.deepEqual(await textsOf(client, 1), ["still here"]);
      const later = await to.join("while it is cut");
      link.mend();
      await eventually(() => to.server.brokerState === "connected", "the broker to be back");
      await reaches(from.server, "cut", client);
      await reaches(from.server, "while it is cut", later);
    });

    for (const direction of ["up", "down"] as const) {
      for (const how of ["drop", "repeat"] as const) {
        it(`go on when a link that has ${how === "drop" ? "dropped" : "repeated"} bytes ${direction === "up" ? "to" : "from"} the broker was cut and is back`, async (t) => {
          const link = await linkTo(served?.port ?? 0);
          t.after(() => link.close());
          const arrived = new Set<string>();
          // The publisher's own link is spoiled, or that of the subscriber.
          const from = await nodeAt(t, direction === "up" ? link.port : (served?.port ?? 0));
          const to = await nodeAt(t, direction === "down" ? link.port : (served?.port ?? 0), {}, (broker) =>
            watched(broker, (text) => /^\d+$/.test(text) && arrived.add(text)),
          );
          const afar = direction === "up" ? from : to;
          const client = await to.join("spoiled");
          await reaches(from.server, "spoiled", client);
          const spoiled = link.spoil(how, direction);
          for (let index = 0; index < 50; index++) from.server.publish("spoiled", `${index}`);
          await spoiled;
          // What a client makes of such bytes is its own business; it must not end the program.
          link.cut();
          await eventually(() => afar.server.brokerState === "disconnected", "the cut to be noticed");
          const whileAway = await to.join("while it was away");
          link.mend();
          await reaches(from.server, "spoiled", client);
          await reaches(from.server, "while it was away", whileAway);
          for (const { server, reports } of [from, to]) {
            await eventually(() => server.brokerStatus()?.waitingBytes === 0, "what is under way to settle");
            for (const { error } of reports) assert.match(String(codeOf(error)), /^ERR_BROKER/);
          }
          const lost = 50 - arrived.size;
          const { brokerMessagesDropped } = from.server.counters;
          // What is lost behind the broker, no publisher can know: the subscriber is told that it was away.
          if (direction === "up")
            assert.ok(lost <= brokerMessagesDropped, `${lost}, ${brokerMessagesDropped}`);
          assert.ok(afar.reports.length > 0, "it was told");
        });
      }
    }

    it("arrive in order over a link whose delay changes", async (t) => {
      const link = await linkTo(served?.port ?? 0);
      t.after(() => link.close());
      const [from, to] = [await nodeAt(t, link.port), await nodeAt(t, link.port)];
      const client = await to.join("delayed");
      await reaches(from.server, "delayed", client);
      const sent = Array.from({ length: 100 }, (_, index) => `${index}`);
      for (const [index, text] of sent.entries()) {
        link.delay(index % 3 === 0 ? 100 : index % 7);
        from.server.publish("delayed", text);
        if (index % 10 === 0) await from.ping();
      }
      assert.deepEqual(await textsOf(client, sent.length), sent);
      assert.deepEqual([from.server.brokerState, to.server.brokerState], ["connected", "connected"]);
      assert.equal(from.server.counters.brokerMessagesDropped, 0);
    });

    it("do not wait for a link that passes nothing on, and what waits for it is bounded", async (t) => {
      const link = await linkTo(served?.port ?? 0);
      t.after(() => link.close());
      const from = await nodeAt(t, link.port, { limits: { maxBrokerBytes: 3_000_000 } });
      const to = await node(t);
      const [here, there] = [await from.join("stalled"), await to.join("stalled")];
      await reaches(from.server, "stalled", there);
      here.read();
      here.events.length = 0;
      link.stall();
      const text = "x".repeat(5_000);
      for (let count = 0; count < 2_000; count++) assert.equal(from.server.publish("stalled", text), 1);
      assert.equal((await textsOf(here, 2_000)).length, 2_000);
      const { brokerMessagesDropped } = from.server.counters;
      assert.ok(brokerMessagesDropped > 1_300, `${brokerMessagesDropped} were dropped`);
      link.mend();
      await reaches(from.server, "stalled", there);
    });
  });
}
