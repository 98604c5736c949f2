import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Exchange } from "../../src/exchange/exchange.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { harness, routed } from "../support/harness.ts";
import { signal, within } from "../support/waiting.ts";
import { open } from "../support/web-socket-client.ts";

// A write can find out that the peer has gone, before the server has been told. A program that sends for as long as
// that goes well would never return to hear of it.

function transportOf(exchange: Exchange): Transport {
  return exchange.driver.stream.output as Transport;
}

describe("the transport has closed, and the program has not been told yet", () => {
  it("write answers false, and drained waits and answers false", async (t) => {
    const told = signal<boolean[]>();
    const { connectTcp } = routed(harness(t), "get", async (exchange) => {
      exchange.write("begun");
      transportOf(exchange).destroy();
      const written = exchange.write("more");
      told.give([written, exchange.finished, await exchange.drained(), exchange.finished]);
    });
    (await connectTcp()).get("/");
    assert.deepEqual(await told.wait("the handler"), [false, false, false, true]);
  });

  it("a stream without an end stops", async (t) => {
    const most = 100_000;
    let pieces = 0;
    const streamed = signal<boolean>();
    const { connectTcp } = routed(harness(t), "get", async (exchange) => {
      async function* source(): AsyncGenerator<string> {
        for (; pieces < most; pieces++) {
          if (pieces === 10) transportOf(exchange).destroy();
          yield "piece";
        }
      }
      streamed.give(await exchange.stream(source()));
    });
    (await connectTcp()).get("/");
    assert.equal(await within(streamed.promise, "the stream to stop", 5_000), false);
    assert.ok(pieces < most, "it went on for nobody");
  });

  it("a loop of writes, or of sends, over a connection that was reset stops", async (t) => {
    const { server, connectTcp } = harness(t);
    const most = 1_000;
    const piece = Buffer.alloc(70_000);
    let looped = signal<number>();
    let client = await connectTcp();
    const reset = (): void => client.reset();
    server.get("/", async (exchange) => {
      reset();
      let pieces = 0;
      for (; !exchange.finished && pieces < most; pieces++) {
        if (!exchange.write(piece)) await exchange.drained();
      }
      looped.give(pieces);
    });
    server.websocket("/", {
      message(socket) {
        reset();
        let pieces = 0;
        while (pieces < most && socket.send(piece) === "sent") pieces++;
        looped.give(pieces);
      },
    });
    client.get("/");
    assert.ok((await looped.wait("the writes to end")) < most, "it went on for nobody");
    looped = signal();
    client = await connectTcp();
    (await open(client, "/")).send("go");
    assert.ok((await looped.wait("the sends to end")) < most, "it went on for nobody");
  });

  it("send answers closed", async (t) => {
    const { server, connectTcp } = harness(t);
    const told = signal<string>();
    server.websocket("/", {
      message(socket) {
        socket.transport.destroy();
        told.give(socket.send("more"));
      },
    });
    (await open(await connectTcp(), "/")).send("go");
    assert.equal(await told.wait("the handler"), "closed");
  });
});
