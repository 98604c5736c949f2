import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { harness } from "../support/harness.ts";
import { eventually } from "../support/waiting.ts";
import { open } from "../support/web-socket-client.ts";

const immediate = { delivery: "immediate" } as const;

describe("a route with immediate delivery on a server with deferred delivery", () => {
  test("answers requests, also with content, although nobody polls", async (t) => {
    const { server, connectTcp } = harness(t, { delivery: "deferred" });
    server.get("/", (exchange) => exchange.end("at once"), immediate);
    const kept: Buffer[] = [];
    server.post(
      "/",
      (exchange) =>
        exchange.onBody((chunk, last) => {
          kept.push(chunk);
          if (last) exchange.end(Buffer.concat(kept));
        }),
      immediate,
    );
    const client = await connectTcp();
    assert.equal((await client.get("/").answer()).text, "at once");
    assert.equal((await client.post("/", "abc".repeat(50_000)).answer()).text, "abc".repeat(50_000));
    assert.equal(server.waitingEvents, 0);
  });

  test("runs the handlers of its WebSockets, while those of others wait", async (t) => {
    const { server, connect } = harness(t, { delivery: "deferred" });
    const log: string[] = [];
    server.websocket(
      "/now",
      { message: (socket, data) => void socket.send(data, { binary: false }) },
      immediate,
    );
    server.websocket("/later", { message: () => void log.push("later") });
    const now = await open(connect(), "/now");
    const later = await open(connect(), "/later");
    later.send("x");
    now.send("pong");
    assert.equal(await now.text(), "pong");
    await eventually(() => server.waitingEvents === 2, "the events of the other");
    assert.deepEqual(log, []);
    server.poll();
    assert.deepEqual(log, ["later"]);
  });

  test("learns of clients that disconnect", async (t) => {
    const { server, connect } = harness(t, { delivery: "deferred" });
    let aborted = false;
    server.get(
      "/",
      (exchange) => {
        exchange.onAbort(() => {
          aborted = true;
        });
      },
      immediate,
    );
    const client = connect().get("/");
    await eventually(() => server.exchanges.length === 1, "the request");
    client.destroy();
    await eventually(() => aborted, "the abort");
  });

  test("is refused with another way of delivery", (t) => {
    const { server } = harness(t, { delivery: "deferred" });
    const wrong = { delivery: "deferred" } as unknown as typeof immediate;
    assert.throws(() => server.get("/", () => "x", wrong), TypeError);
    assert.throws(() => server.websocket("/", {}, wrong), TypeError);
  });
});
