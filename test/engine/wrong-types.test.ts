// What programs without types may pass by mistake: they are told, and nothing else breaks.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Exchange } from "../../src/exchange/exchange.ts";
import type { EventQueue } from "../../src/exchange/server-event.ts";
import { Server } from "../../src/server/server.ts";
import { harness, nextAnswers, routed } from "../support/harness.ts";
import { signal } from "../support/waiting.ts";
import { open } from "../support/web-socket-client.ts";
import { webSocketPair } from "../support/web-socket-pair.ts";

const values: [name: string, value: unknown][] = [
  ["an object", { a: 1 }],
  ["an array", [1, 2]],
  ["a number", 5],
  ["null", null],
  ["an ArrayBuffer", new ArrayBuffer(2)],
  ["numbers of two bytes", new Uint16Array(2)],
];
const MESSAGE = /^TypeError: only text and bytes can be sent, not /;

describe("content that is neither text nor bytes", () => {
  for (const [name, value] of values) {
    const wrong = value as string;
    const answered: [call: string, handler: (exchange: Exchange) => unknown][] = [
      ["end", (exchange) => exchange.end(wrong)],
      ["tryEnd", (exchange) => exchange.tryEnd(wrong)],
    ];
    for (const [call, handler] of answered) {
      test(`${name} as ${call} is answered with 500`, async (t) => {
        const { server, connect, reports } = routed(harness(t), "get", (exchange) => void handler(exchange));
        server.get("/ok", (exchange) => exchange.end("ok"));
        const client = connect().get("/").get("/ok");
        assert.deepEqual(await nextAnswers(client, "status", "text"), [500, "ok"]);
        assert.match(String(reports[0]?.error), MESSAGE);
      });
    }

    for (const call of ["write", "end"] as const) {
      test(`${name} as ${call} of a response that has begun breaks it off`, async (t) => {
        const { connect, reports } = routed(harness(t), "get", (exchange) => {
          exchange.write("begun");
          exchange[call](wrong);
        });
        await connect().get("/").over("the response to be broken off");
        assert.match(String(reports[0]?.error), MESSAGE);
      });
    }

    for (const call of ["send", "reply"] as const) {
      test(`${name} as ${call} of a WebSocket closes it with 1011`, async (t) => {
        const { reports, client } = await webSocketPair(t, { message: (socket) => void socket[call](wrong) });
        client.send("x");
        assert.equal((await client.closeFrame()).code, 1011);
        assert.match(String(reports[0]?.error), MESSAGE);
      });
    }

    test(`${name} for a topic throws where it is published`, async (t) => {
      const { server, connect } = harness(t);
      const joined = signal<boolean>();
      server.websocket("/", { open: (socket) => joined.give(socket.subscribe("all")) });
      await open(connect(), "/");
      await joined.wait("the topic");
      assert.throws(() => server.publish("all", wrong), MESSAGE);
    });
  }
});

test("text in place of an address is refused", async () => {
  await using server = new Server();
  const port = "9001" as unknown as { port: number };
  await assert.rejects(server.listen(port), /^TypeError: .*such as \{ port: 9001 \}/);
  assert.throws(() => server.listenNow(port), /^TypeError: .*such as \{ port: 9001 \}/);
});

test("a delivery that there is not is refused", () => {
  const delivery = "defered" as unknown as EventQueue;
  assert.throws(
    () => new Server({ delivery }),
    /^TypeError: delivery cannot be defered\. Use "immediate", "deferred" or an EventQueue$/,
  );
});
