// One loop for several servers, for WebSockets that the program has opened, and for the interfaces evo and daslang.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createConnection } from "node:net";
import { test } from "node:test";
import { connect } from "../../src/client/client.ts";
import * as daslang from "../../src/daslang/index.ts";
import { HttpServer } from "../../src/evo/index.ts";
import { EventQueue } from "../../src/exchange/server-event.ts";
import { startLoop } from "../../src/loop/index.ts";
import { harness } from "../support/harness.ts";
import { eventually } from "../support/waiting.ts";

const address = { port: 0, host: "127.0.0.1" };

test("two servers and a client of one of them share a queue, and one loop runs all handlers", async (t) => {
  const queue = new EventQueue(() => 1_000_000);
  const [game, admin] = [harness(t, { delivery: queue }).server, harness(t, { delivery: queue }).server];
  let isTicking = false;
  const log: string[] = [];
  const note = (text: string): void => {
    assert.equal(isTicking, true, `${text} outside of a tick`);
    log.push(text);
  };
  game.websocket("/", {
    message: (socket, data) => {
      note(`game ${data}`);
      socket.send("echo");
    },
  });
  admin.get("/", (exchange) => {
    note("admin");
    return exchange.end("ok");
  });
  const poll = queue.poll.bind(queue);
  queue.poll = (budget) => {
    isTicking = true;
    const count = poll(budget);
    isTicking = false;
    return count;
  };
  const loop = startLoop({ hz: 200, queue, server: [game, admin], step: () => {} });
  t.after(() => loop.stop());
  const [one, two] = [await game.listen(address), await admin.listen(address)];
  const socket = await connect(
    `ws://127.0.0.1:${one.port}/`,
    {
      open: () => note("client open"),
      message: (_socket, data) => note(`client ${data}`),
      close: () => note("client close"),
    },
    { delivery: queue },
  );
  socket.send("hello");
  assert.equal(await (await fetch(`http://127.0.0.1:${two.port}/`)).text(), "ok");
  await eventually(() => log.includes("client echo"), "the echo");
  socket.close();
  await eventually(() => log.includes("client close"), "the close");
  const told = log.filter((text) => text !== "admin");
  assert.deepEqual(told, ["client open", "game hello", "client echo", "client close"]);
  assert.ok(log.includes("admin"));
});

test("a client's messages wait for the poll of its queue, and flood it with its share only", async (t) => {
  const { server } = harness(t);
  server.websocket("/", {
    open: (socket) => {
      for (let i = 0; i < 2_000; i++) socket.send("x");
    },
  });
  const { port } = await server.listen(address);
  const queue = new EventQueue(() => 10_000_000);
  let messages = 0;
  const socket = await connect(`ws://127.0.0.1:${port}/`, { message: () => messages++ }, { delivery: queue });
  await eventually(() => queue.heldBytes > 60_000, "the share to fill");
  assert.ok(queue.heldBytes <= 65_536 + 6_000, `${queue.heldBytes} bytes`);
  assert.equal(messages, 0);
  await eventually(() => {
    queue.poll();
    return messages === 2_000;
  }, "all messages");
  socket.terminate();
});

test("connect refuses what is not a way of delivery", async () => {
  const wrong = { delivery: "deferred" } as unknown as { delivery: "immediate" };
  await assert.rejects(connect("ws://127.0.0.1:1/", {}, wrong), TypeError);
});

test("evo: each tick processes the deferred events", async (t) => {
  const server = new HttpServer({ host: "127.0.0.1", pollIntervalMs: 0 });
  const log: string[] = [];
  server.AddRoute("/");
  server.HTTP_REQUEST_FINISHED = (_name, { clientID }) => {
    log.push("request");
    server.SendResponse(clientID, "ok");
  };
  const port = server.StartListening(0);
  const loop = startLoop({ hz: 200, poll: () => server.ProcessDeferredEvents(), step: () => {} });
  t.after(() => {
    loop.stop();
    server.StopListening();
  });
  assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), "ok");
  assert.deepEqual(log, ["request"]);
});

test("daslang: each tick is one of the session", async (t) => {
  class Echo extends daslang.Server {
    override onData(data: Uint8Array): void {
      this.send(data);
    }
  }
  const server = new Echo();
  server.make_server_adapter();
  assert.equal(server.init(0), true);
  const loop = startLoop({ hz: 200, poll: () => server.tick(), step: () => {} });
  const client = createConnection(server.port, "127.0.0.1");
  t.after(() => {
    client.destroy();
    loop.stop();
    server.close();
  });
  client.write("hello");
  const [data] = (await once(client, "data")) as [Buffer];
  assert.equal(data.toString(), "hello");
});
