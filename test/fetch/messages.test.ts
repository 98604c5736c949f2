import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connect as connectClient } from "../../src/client/client.ts";
import type { WebSocket, WebSocketProgram } from "../../src/exchange/exchange.ts";
import { PONG_FRAME } from "../../src/protocol/websocket/opcodes.ts";

import { frame } from "../support/frames.ts";
import { harness } from "../support/harness.ts";
import { eventually, signal, turns } from "../support/waiting.ts";
import { open } from "../support/web-socket-client.ts";

const echo: WebSocketProgram<unknown> = async (socket) => {
  for await (const { data, binary } of socket.messages()) socket.send(data, { binary });
};

describe("a function in place of the handlers", () => {
  test("gets messages, text and binary, in order", async (t) => {
    const { server, connect, reports } = harness(t);
    server.websocket("/", echo);
    const client = await open(connect(), "/");
    client
      .send("one")
      .send(Buffer.from([1, 2]))
      .send("")
      .send("é");
    const seen = [];
    for (let i = 0; i < 4; i++) seen.push(await client.next());
    assert.deepEqual(
      seen.map((event) => event.type === "message" && [event.data.toString("latin1"), event.binary]),
      [
        ["one", false],
        ["\x01\x02", true],
        ["", false],
        [Buffer.from("é").toString("latin1"), false],
      ],
    );
    client.close(1000);
    await eventually(() => server.webSockets.length === 0, "the socket to close");
    assert.deepEqual(reports, []);
  });

  test("is given the data, and the request", async (t) => {
    const { server, connect } = harness(t);
    server.websocket<number>(
      "/:name",
      (socket) => socket.send(`${socket.request?.params["name"]} ${socket.data}`),
      {
        data: 7,
      },
    );
    assert.equal(await (await open(connect(), "/x")).text(), "x 7");
  });

  for (const [name, program, code, errors] of [
    ["returns at once", () => {}, 1000, 0],
    ["returns later", () => turns(2), 1000, 0],
    ["throws", () => assert.fail("mine"), 1011, 1],
    ["rejects", async () => assert.fail("mine"), 1011, 1],
  ] as const) {
    test(`one that ${name} closes with ${code}`, async (t) => {
      const { server, connect, reports } = harness(t);
      server.websocket("/", program);
      const client = await open(connect(), "/");
      assert.equal((await client.closeFrame()).code, code);
      assert.equal(reports.length, errors);
      for (const { error, where } of reports) {
        assert.match(String(error), /mine/);
        assert.equal((where as WebSocket).readyState !== "open", true);
      }
    });
  }

  test("what was thrown after the peer had gone is reported as well", async (t) => {
    const { server, connect, reports } = harness(t);
    server.websocket("/", async (socket) => {
      for await (const _ of socket.messages()) assert.fail("no message was sent");
      throw new Error("mine");
    });
    (await open(connect(), "/")).raw.destroy();
    await eventually(() => reports.length === 1, "the report");
    assert.match(String(reports[0]?.error), /mine/);
  });

  test("exchange.upgrade takes one, too", async (t) => {
    const { server, connect } = harness(t);
    server.get("/", (exchange) => exchange.upgrade(echo));
    const client = await open(connect(), "/");
    assert.equal(await client.send("hello").text(), "hello");
  });

  test("deferred delivery: it runs, and its messages come, when they are polled", async (t) => {
    const { server, connect } = harness(t, { delivery: "deferred" });
    const seen: string[] = [];
    server.websocket("/", async (socket) => {
      seen.push("open");
      for await (const { data } of socket.messages()) seen.push(data.toString());
      seen.push("closed");
    });
    const client = await open(connect(), "/");
    client.send("one").send("two");
    await turns();
    assert.deepEqual(seen, []);
    server.poll(2);
    await turns();
    assert.deepEqual(seen, ["open", "one"]);
    server.poll();
    await turns();
    assert.deepEqual(seen, ["open", "one", "two"]);
    client.raw.destroy();
    await turns();
    server.poll();
    await turns();
    assert.deepEqual(seen, ["open", "one", "two", "closed"]);
  });
});

describe("messages", () => {
  test("all that is not a message comes to the handlers, as methods of theirs", async (t) => {
    const { server, connect, reports } = harness(t, { delivery: "deferred" });
    const told: string[] = [];
    class Handlers {
      #told = told;
      async open(socket: WebSocket<undefined>) {
        for await (const { data } of socket.messages()) this.#told.push(`loop ${data}`);
      }
      onEnqueue(_socket: unknown, data: Buffer) {
        this.#told.push(`received ${data}`);
      }
      message() {
        this.#told.push("message");
      }
      ping(_socket: unknown, data: Buffer) {
        this.#told.push(`ping ${data}`);
      }
      pong(_socket: unknown, data: Buffer) {
        this.#told.push(`pong ${data}`);
      }
      close(_socket: unknown, code: number) {
        this.#told.push(`close ${code}`);
      }
    }
    server.websocket("/", new Handlers());
    const client = await open(connect(), "/");
    server.poll();
    client.send("one").ping("two");
    client.raw.send(frame(PONG_FRAME, "three"));
    client.close(1000);
    await turns();
    server.poll();
    await turns();
    assert.deepEqual(told.sort(), ["close 1000", "loop one", "ping two", "pong three", "received one"]);
    assert.deepEqual(reports, []);
  });

  test("those that come before the loop begins are kept, and their data is the program's own", async (t) => {
    const { server, connect } = harness(t);
    const begin = signal();
    const seen: Buffer[] = [];
    server.websocket("/", async (socket) => {
      await begin.promise;
      for await (const { data } of socket.messages()) seen.push(data);
    });
    const client = await open(connect(), "/");
    client.send("one");
    await turns();
    client.send("two");
    await turns();
    client.close(1000);
    await turns();
    begin.give();
    await eventually(() => seen.length === 2, "the messages");
    assert.deepEqual(seen.map(String), ["one", "two"]);
  });

  test("a loop may be left, and another goes on", async (t) => {
    const { server, connect } = harness(t);
    server.websocket("/", async (socket) => {
      let user = "";
      for await (const { data } of socket.messages()) {
        user = data.toString();
        break;
      }
      for await (const { data } of socket.messages()) socket.send(`${user}: ${data}`);
    });
    const client = await open(connect(), "/");
    client.send("me").send("one").send("two");
    assert.deepEqual([await client.text(), await client.text()], ["me: one", "me: two"]);
  });

  test("several that wait get one each, and all are told of the end", async (t) => {
    const { server, connect } = harness(t);
    const results = signal<IteratorResult<{ data: Buffer }>[]>();
    server.websocket("/", async (socket) => {
      const steps = socket.messages()[Symbol.asyncIterator]();
      results.give(await Promise.all([steps.next(), steps.next(), steps.next()]));
    });
    const client = await open(connect(), "/");
    client.send("one").send("two").close(1000);
    const seen = await results.wait("the three");
    assert.deepEqual(
      seen.map(({ done, value }) => (done ? undefined : value.data.toString())),
      ["one", "two", undefined],
    );
  });

  test("taken from handlers, the others go on", async (t) => {
    const { server, connect } = harness(t);
    const seen: string[] = [];
    const closed = signal<number>();
    class Handlers {
      readonly #name = "handlers";
      async open(socket: WebSocket<undefined>): Promise<void> {
        for await (const { data } of socket.messages()) seen.push(`loop ${data}`);
      }
      message(): void {
        seen.push(`message ${this.#name}`);
      }
      pong(_socket: WebSocket<undefined>, data: Buffer): void {
        seen.push(`pong ${this.#name} ${data}`);
      }
      close(_socket: WebSocket<undefined>, code: number): void {
        closed.give(code);
      }
    }
    server.websocket("/", new Handlers());
    const client = await open(connect(), "/");
    client.send("one");
    server.webSockets[0]?.ping("p");
    assert.equal((await client.next()).type, "ping");
    await eventually(() => seen.length === 2, "message and pong");
    assert.deepEqual(seen, ["loop one", "pong handlers p"]);
    client.close(4000);
    assert.equal(await closed.wait("close"), 4000);
  });

  test("asked for after the end there are none", async (t) => {
    const { server, connect } = harness(t);
    const closed = signal<WebSocket<undefined>>();
    server.websocket("/", { close: closed.give });
    (await open(connect(), "/")).raw.destroy();
    for await (const _ of (await closed.wait("close")).messages()) assert.fail("a message");
  });

  for (const [name, size] of [
    ["large", 20_000],
    ["empty", 0],
  ] as const) {
    test(`a peer that sends faster than the loop takes is slowed down: ${name} messages`, async (t) => {
      const { server, connect } = harness(t);
      const begin = signal();
      const count = 2_000;
      let taken = 0;
      server.websocket("/", async (socket) => {
        await begin.promise;
        for await (const { data } of socket.messages()) {
          assert.equal(data.length, size);
          taken++;
        }
      });
      const client = await open(connect(), "/");
      const data = Buffer.alloc(size);
      for (let i = 0; i < count; i++) client.send(data);
      await turns(50);
      const { messagesReceived } = server.counters;
      assert.ok(messagesReceived < 600, `${messagesReceived} were taken from the peer`);
      begin.give();
      await eventually(() => taken === count, "all messages", 5_000);
    });
  }

  test("drained tells when a slow peer has taken what was queued, or is gone", async (t) => {
    const { server, connect } = harness(t);
    const results: boolean[] = [];
    server.websocket("/", async (socket) => {
      results.push(await socket.drained());
      for await (const _ of socket.messages()) {
        while (socket.send(Buffer.alloc(100_000)) === "sent") await turns(1);
        results.push(await socket.drained());
      }
      results.push(await socket.drained());
    });
    const client = await open(connect(), "/");
    await eventually(() => results.length === 1, "an answer at once");
    client.send("go").raw.pause();
    await turns();
    assert.deepEqual(results, [true]);
    client.raw.resume();
    await eventually(() => results.length === 2, "the peer to take it");
    client.send("go").raw.pause();
    await turns();
    client.raw.destroy();
    await eventually(() => results.length === 4, "the end");
    assert.deepEqual(results, [true, true, false, false]);
  });

  test("as a client, from the first message on", async (t) => {
    const { server } = harness(t);
    server.websocket("/", {
      open: (socket) => socket.send("first"),
      message: (socket, data) => socket.send(data),
    });
    const { url } = await server.listen({ port: 0, host: "127.0.0.1" });
    const socket = await connectClient(url);
    await turns(5);
    socket.send("second");
    const seen: string[] = [];
    for await (const { data } of socket.messages()) {
      seen.push(data.toString());
      if (seen.length === 2) socket.close();
    }
    assert.deepEqual(seen, ["first", "second"]);
  });

  test("a function for a client", async (t) => {
    const { server } = harness(t);
    server.websocket("/", echo);
    const { url } = await server.listen({ port: 0, host: "127.0.0.1" });
    const got = signal<string>();
    await connectClient(url, async (socket) => {
      socket.send("hello");
      for await (const { data } of socket.messages()) {
        got.give(data.toString());
        return;
      }
    });
    assert.equal(await got.wait("the echo"), "hello");
    await eventually(() => server.webSockets.length === 0, "the close");
  });
});
