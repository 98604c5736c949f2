import assert from "node:assert/strict";
import { it, type TestContext } from "node:test";
import { type NatsConnection, natsBroker } from "../../src/brokers/index.ts";
import { turns } from "../support/waiting.ts";

it("a NATS connection that drains after it has refused a topic throws nothing into the program", async (t: TestContext) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let refuse = (_error: Error): void => {};
  let isDraining = false;
  const connection: NatsConnection = {
    publish() {},
    subscribe(_subject, { callback }) {
      if (isDraining) throw new Error("the connection drains");
      refuse = (error) => callback(error, { data: new Uint8Array() });
      return { unsubscribe() {} };
    },
    flush: () => Promise.resolve(),
    async *status() {},
    closed: () => new Promise(() => {}),
    isClosed: () => false,
  };
  const errors: string[] = [];
  const broker = natsBroker(connection);
  broker.start({ onMessage() {}, onState: (_, error) => void (error && errors.push(String(error))) });
  t.after(() => broker.close());
  broker.subscribe("a");
  refuse(new Error("no permission"));
  isDraining = true;
  for (let second = 0; second < 2; second++) {
    t.mock.timers.tick(1_000);
    await turns();
  }
  assert.deepEqual(errors, [
    "Error: no permission",
    "Error: the connection drains",
    "Error: the connection drains",
  ]);
});
