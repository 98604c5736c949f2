import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Exchange, WebSocket } from "../../src/exchange/exchange.ts";
import { acceptKey } from "../../src/protocol/websocket/handshake.ts";
import { numbers } from "../support/bytes.ts";
import { frame } from "../support/frames.ts";
import { harness, nextAnswers, routed } from "../support/harness.ts";
import { eventually, signal, turns } from "../support/waiting.ts";
import { open, textsOf, WebSocketClient } from "../support/web-socket-client.ts";
import { handshake, KEY } from "../support/web-socket-handshake.ts";
import { webSocketPair } from "../support/web-socket-pair.ts";

describe("the handshake on the wire", () => {
  test("a valid one is answered 101 with the right fields", async (t) => {
    const { server, connect } = harness(t);
    server.websocket("/", {});
    const answer = await connect().send(handshake("/")).answer();
    assert.ok(answer.head.startsWith("HTTP/1.1 101 Switching Protocols\r\n"));
    assert.deepEqual([answer.header("upgrade"), answer.header("connection")], ["websocket", "Upgrade"]);
    assert.equal(answer.header("sec-websocket-accept"), acceptKey(KEY));
    for (const name of ["content-length", "transfer-encoding", "sec-websocket-protocol"]) {
      assert.equal(answer.header(name), undefined, name);
    }
    assert.equal(answer.header("sec-websocket-extensions"), undefined);
  });

  test("names in any case and other options beside it", async (t) => {
    const { server, connect } = harness(t);
    server.websocket("/", {});
    const text = handshake("/")
      .replace("Connection: Upgrade", "CONNECTION: keep-alive, UPGRADE")
      .replace("websocket", "WebSocket");
    assert.equal((await connect().send(text).answer()).status, 101);
  });

  const adding = (line: string) => (text: string) => text.replace("\r\n\r\n", `\r\n${line}\r\n\r\n`);
  const broken: [string, number, (text: string) => string][] = [
    ["another version", 426, (text) => text.replace("Version: 13", "Version: 8")],
    ["no version", 400, (text) => text.replace("Sec-WebSocket-Version: 13\r\n", "")],
    ["no key", 400, (text) => text.replace(/Sec-WebSocket-Key: .*\r\n/, "")],
    ["a key of the wrong size", 400, (text) => text.replace(KEY, "c2hvcnQ=")],
    ["a key that is no base64", 400, (text) => text.replace(KEY, "!".repeat(24))],
    ["two keys", 400, adding(`Sec-WebSocket-Key: ${KEY}`)],
    ["a broken list of protocols", 400, adding("Sec-WebSocket-Protocol: a b")],
    ["a protocol twice", 400, adding("Sec-WebSocket-Protocol: a, a")],
    ["broken extensions", 400, adding("Sec-WebSocket-Extensions: ;;")],
    ["content", 400, adding("Content-Length: 1")],
  ];
  for (const [name, status, change] of broken) {
    for (const asks of [false, true]) {
      test(`${name} is answered ${status}${asks ? " with an upgrade handler, too" : ""}`, async (t) => {
        const { server, connect, reports } = harness(t);
        let opened = 0;
        const open = (): void => void opened++;
        server.websocket("/", asks ? { open, upgrade: () => undefined } : { open });
        const answer = await connect()
          .send(change(handshake("/")))
          .answer();
        assert.equal(answer.status, status);
        if (status === 426) {
          assert.equal(answer.header("sec-websocket-version"), "13");
          assert.equal(answer.header("upgrade"), "websocket");
          assert.match(answer.header("connection") ?? "", /upgrade/i);
        }
        assert.equal(opened, 0);
        assert.deepEqual(reports, []);
      });
    }
  }

  test("another method than GET is answered 405 with Allow: GET", async (t) => {
    const { server, connect } = harness(t);
    server.websocket("/", {});
    const answer = await connect().send(handshake("/").replace("GET", "POST")).answer();
    assert.deepEqual([answer.status, answer.header("allow")], [405, "GET"]);
  });

  test("a request that asks for no WebSocket gets 426, or what the HTTP routes have", async (t) => {
    const { server, connect } = harness(t);
    server.websocket("/only", {});
    server.websocket("/both", {});
    server.get("/both", (exchange) => void exchange.end("page"));
    const client = connect().get("/only").get("/both");
    const only = await client.answer();
    assert.deepEqual([only.status, only.header("sec-websocket-version")], [426, "13"]);
    assert.equal(only.header("upgrade"), "websocket");
    assert.equal((await client.answer()).text, "page");
    assert.equal((await open(client, "/both")).response.status, 101);
  });

  for (const name of ["Sec-WebSocket-Accept", "Sec-WebSocket-Extensions", "Upgrade"]) {
    test(`${name} is decided by the handshake: a program that sets it is told so`, async (t) => {
      const { server, connect, reports } = harness(t);
      server.websocket("/set", { upgrade: (exchange) => void exchange.setHeader(name, "x") });
      server.get("/call", (exchange) => void exchange.setHeader(name, "x").upgrade({}));
      server.get("/option", (exchange) => void exchange.upgrade({}, { headers: { [name]: "x" } }));
      for (const path of ["/set", "/call", "/option"]) {
        assert.equal((await connect().send(handshake(path)).answer()).status, 500, path);
        assert.match(String(reports.pop()?.error), new RegExp(`${name} is decided by the handshake$`));
      }
    });
  }

  test("Sec-WebSocket-Protocol that a program sets is sent to clients that offer it, and to no others", async (t) => {
    const { server, connect } = harness(t);
    const agreed: string[] = [];
    server.websocket("/", {
      upgrade: (exchange) => void exchange.setHeader("Sec-WebSocket-Protocol", "chat"),
      open: (socket) => void agreed.push(socket.protocol),
    });
    const offers = ["Sec-WebSocket-Protocol: news, chat\r\n", "Sec-WebSocket-Protocol: news\r\n", ""];
    for (const offer of offers) {
      const { response } = await open(connect(), "/", offer);
      assert.equal(response.header("sec-websocket-protocol"), agreed.at(-1) || undefined);
    }
    assert.deepEqual(agreed, ["chat", "", ""]);
  });

  test("Sec-WebSocket-Protocol beside the option protocols would be sent twice, and is an error", async (t) => {
    const { server, connect, reports } = harness(t);
    const upgrade = (exchange: Exchange) => void exchange.setHeader("Sec-WebSocket-Protocol", "chat");
    server.websocket("/", { upgrade }, { protocols: ["chat"] });
    assert.equal((await connect().send(handshake("/")).answer()).status, 500);
    assert.match(String(reports[0]?.error), /Sec-WebSocket-Protocol is decided by the handshake/);
  });

  test("an upgrade to something else is served as HTTP", async (t) => {
    const { server, connect } = harness(t);
    server.websocket("/both", {});
    server.get("/both", (exchange) => void exchange.end(String(exchange.wantsUpgrade)));
    const client = connect().get("/both", "Connection: Upgrade\r\nUpgrade: h2c\r\n");
    assert.equal((await client.answer()).text, "true");
  });

  test("a path without a WebSocket route goes to the HTTP routes", async (t) => {
    const { server, connect } = harness(t);
    server.get("/page", (exchange) => void exchange.end("page"));
    const client = connect().send(handshake("/page")).send(handshake("/none"));
    assert.deepEqual(await nextAnswers(client, "text", "status"), ["page", 404]);
  });

  test("frames that come together with the handshake are read, once, also one byte at a time", async (t) => {
    const { server, connect } = harness(t);
    server.websocket("/", { message: (socket, data) => void socket.send(`${data}!`) });
    const bytes = Buffer.concat([Buffer.from(handshake("/"), "latin1"), frame(1, "early"), frame(1, "too")]);
    for (const size of [bytes.length, 1]) {
      const raw = connect();
      for (let at = 0; at < bytes.length; at += size) raw.send(bytes.subarray(at, at + size));
      const client = new WebSocketClient(raw, await raw.answer());
      assert.deepEqual(await textsOf(client, 2), ["early!", "too!"]);
    }
  });

  test("a connection may serve requests first", async (t) => {
    const { server, connect } = routed(harness(t), "get", (exchange) => void exchange.end("page"));
    server.websocket("/ws", { message: (socket, data) => void socket.send(data) });
    const raw = connect().get("/");
    assert.equal((await raw.answer()).text, "page");
    const client = await open(raw, "/ws");
    assert.deepEqual((await client.send("x").next()).type, "message");
  });
});

describe("the upgrade handler", () => {
  test("gives the data, typed, at once or later", async (t) => {
    const { server, connect } = harness(t);
    server.websocket<{ name: string }>("/now/:name", {
      upgrade: (exchange) => ({ name: exchange.params["name"] ?? "" }),
      open(socket) {
        const name: string = socket.data.name;
        socket.send(name);
        socket.data = { name: "changed" };
      },
    });
    server.websocket<number>("/later", {
      async upgrade() {
        await turns(3);
        return 7;
      },
      open: (socket) => void socket.send(String(socket.data + 1)),
    });
    server.websocket<string>(
      "/option",
      { open: (socket) => void socket.send(socket.data) },
      { data: "given" },
    );
    assert.equal(await (await open(connect(), "/now/ada")).text(), "ada");
    assert.equal(await (await open(connect(), "/later")).text(), "8");
    assert.equal(await (await open(connect(), "/option")).text(), "given");
  });

  test("sees the request, which the socket keeps", async (t) => {
    const { server, connect } = harness(t);
    server.websocket("/:room", {
      upgrade: (exchange) => assert.equal(exchange.query, "a=1"),
      open: (socket) =>
        void socket.send(`${socket.request?.params["room"]} ${socket.request?.header("x-a")}`),
    });
    assert.equal(await (await open(connect(), "/r1?a=1", "X-A: b\r\n")).text(), "r1 b");
  });

  test("sets fields and cookies of the answer", async (t) => {
    const { server, connect } = harness(t);
    server.websocket("/", {
      upgrade(exchange) {
        exchange.setHeader("X-Own", "1").appendHeader("Set-Cookie", "a=1").appendHeader("Set-Cookie", "b=2");
      },
    });
    const { response } = await open(connect(), "/");
    assert.deepEqual([response.header("x-own"), response.header("set-cookie")], ["1", "a=1, b=2"]);
  });

  test("frames that come while it takes its time are delivered after open", async (t) => {
    const { server, connect } = harness(t);
    const proceed = signal();
    const log: string[] = [];
    server.websocket("/", {
      upgrade: () => proceed.promise.then(() => undefined),
      open: () => void log.push("open"),
      message: (_, data) => void log.push(data.toString()),
    });
    const raw = connect().send(handshake("/"));
    const texts = numbers(50).map((i) => `${i}${"x".repeat(1_000)}`);
    for (const text of texts) raw.send(frame(1, text));
    await turns();
    proceed.give();
    await eventually(() => log.length === 51, "all messages");
    assert.deepEqual(log, ["open", ...texts]);
  });

  test("a peer that goes meanwhile opens nothing", async (t) => {
    const { server, connect, reports } = harness(t);
    const proceed = signal();
    const gone = signal();
    let opened = 0;
    server.websocket("/", {
      upgrade(exchange) {
        exchange.onAbort(() => gone.give());
        return proceed.promise.then(() => undefined);
      },
      open: () => void opened++,
    });
    const raw = connect().send(handshake("/"));
    await turns();
    raw.destroy();
    await gone.wait("the abort");
    proceed.give();
    await turns();
    assert.equal(opened, 0);
    assert.equal(server.counters.openWebSockets, 0);
    assert.deepEqual(reports, []);
  });

  test("exchange.upgrade makes a WebSocket of an ordinary route's request", async (t) => {
    const { server, connect } = routed(harness(t), "get", (exchange) => {
      if (!exchange.wantsUpgrade) return void exchange.end("page");
      const handlers = { open: (socket: WebSocket<string>) => void socket.send(socket.data) };
      assert.equal(exchange.upgrade(handlers, { data: "hi" }), true);
      assert.equal(exchange.finished, true);
      assert.equal(exchange.upgrade({}), false);
      assert.equal(exchange.end("no"), false);
    });
    server.get("/begun", (exchange) => {
      exchange.write("begun");
      exchange.end(String(exchange.upgrade({})));
    });
    const raw = connect().get("/").send(handshake("/begun"));
    assert.deepEqual(await nextAnswers(raw, "text", "text"), ["page", "begunfalse"]);
    assert.equal(await (await open(raw, "/")).text(), "hi");
    const plain = connect();
    server.get("/plain", (exchange) => void assert.equal(exchange.upgrade({}), false));
    assert.ok([400, 426].includes((await plain.get("/plain").answer()).status));
  });
});

describe("subprotocols", () => {
  test("the server's first that the client offers, or none", async (t) => {
    const { server, connect } = harness(t);
    const seen: string[] = [];
    server.websocket("/", { open: (socket) => void seen.push(socket.protocol) }, { protocols: ["b", "a"] });
    for (const [list, chosen] of [["a, b", "b"], ["x,a", "a"], ["x"], []]) {
      const lines = list === undefined ? "" : `Sec-WebSocket-Protocol: ${list}\r\n`;
      const { response } = await open(connect(), "/", lines);
      assert.equal(response.header("sec-websocket-protocol"), chosen);
    }
    assert.deepEqual(seen, ["b", "a", "", ""]);
  });

  test("a function chooses one of those that are offered", async (t) => {
    const { server, connect } = harness(t);
    server.websocket(
      "/:want",
      {},
      {
        protocols: (offered, exchange) => {
          assert.deepEqual(offered, ["a", "b"]);
          return exchange.params["want"];
        },
      },
    );
    const lines = "Sec-WebSocket-Protocol: a, b\r\n";
    assert.equal((await open(connect(), "/b", lines)).response.header("sec-websocket-protocol"), "b");
    assert.equal((await open(connect(), "/x", lines)).response.header("sec-websocket-protocol"), undefined);
  });

  for (const [when, wait] of [
    ["at once", false],
    ["later", true],
  ] as const) {
    test(`a function that answers instead refuses, ${when}`, async (t) => {
      const { server, connect } = harness(t);
      const results: unknown[] = [];
      server.get("/", async (exchange) => {
        if (wait) await turns(1);
        const protocols = (offered: readonly string[]): string | undefined => {
          exchange.refuse(403, "no");
          return offered[0];
        };
        results.push(exchange.upgrade({}, { protocols }));
      });
      const client = connect().send(handshake("/", "Sec-WebSocket-Protocol: a\r\n"));
      assert.equal((await client.answer()).status, 403);
      await turns();
      assert.equal(client.rest, "");
      assert.deepEqual(results, [false]);
      assert.equal(server.webSockets.length, 0);
      client.get("/");
      assert.equal((await client.answer()).status, 400);
    });
  }
});

test("open comes once, first, and messages in order; close comes once, last", async (t) => {
  const log: string[] = [];
  const closed = signal();
  let socket: WebSocket | undefined;
  const { client } = await webSocketPair(t, {
    open(opened) {
      socket = opened as WebSocket;
      log.push("open");
    },
    message: (_, data, binary) => void log.push(`${binary} ${data}`),
    close(_, code, reason) {
      log.push(`close ${code} ${reason}`);
      closed.give();
    },
  });
  client.send("1").send(Buffer.from("2")).close(4000, "bye");
  await closed.wait("the close");
  await turns();
  assert.deepEqual(log, ["open", "false 1", "true 2", "close 4000 bye"]);
  assert.equal(socket?.readyState, "closed");
});

describe("what happens while a connection becomes a WebSocket", () => {
  test("server.pause() holds for it, too", async (t) => {
    const { server, connect } = harness(t);
    const decided = signal();
    const got: string[] = [];
    server.websocket("/", {
      upgrade: () => decided.promise,
      message: (_, data) => void got.push(data.toString()),
    });
    const raw = connect().send(handshake("/"));
    await turns();
    server.pause();
    decided.give();
    const client = new WebSocketClient(raw, await raw.answer());
    client.send("while it holds");
    await turns(30);
    assert.deepEqual(got, []);
    server.resume();
    await eventually(() => got.length === 1, "the message");
  });

  test("server.pause() holds for frames that came with the handshake", async (t) => {
    const { server, connect } = harness(t);
    const got: string[] = [];
    server.websocket("/", {
      open: () => server.pause(),
      message: (_, data) => void got.push(data.toString()),
    });
    connect().send(Buffer.concat([Buffer.from(handshake("/")), frame(1, "early")]));
    await turns(30);
    assert.deepEqual(got, []);
    server.resume();
    await eventually(() => got.length === 1, "the message");
  });

  test("server.pause() in the hook that is told of it stops the reading", async (t) => {
    const { server, connectTcp } = harness(t);
    server.onResponse(() => server.pause());
    server.websocket("/", {});
    const raw = await connectTcp();
    const client = await open(raw, "/");
    const { bytesReceived } = server.counters;
    for (let i = 0; i < 20; i++) client.send("x".repeat(60_000));
    await turns(50);
    assert.ok(server.counters.bytesReceived - bytesReceived <= 65_536);
    server.resume();
    await eventually(() => server.counters.messagesReceived === 20, "the messages");
  });

  test("the hook that is told of it may close the server", async (t) => {
    const { server, connect } = harness(t);
    const log: string[] = [];
    let closed: Promise<void> | undefined;
    server.onResponse((_, { outcome }) => {
      log.push(outcome);
      closed = server.close({ graceMs: 10_000 });
      void closed.then(() => log.push("server closed"));
    });
    server.websocket("/", {
      open: (socket) => void log.push(`open ${socket.readyState}`),
      message: () => void log.push("message"),
      close: (_, code) => void log.push(`close ${code}`),
    });
    const client = await open(connect(), "/");
    client.send("too late");
    assert.deepEqual(await client.closeFrame(), { code: 1001, reason: "" });
    await client.raw.over();
    client.raw.end();
    await closed;
    assert.deepEqual(log, ["upgraded", "open closing", "close 1001", "server closed"]);
    assert.equal(server.counters.openWebSockets, 0);
  });

  test("the hook that is told of it may end the WebSocket, whose handlers are told nothing then", async (t) => {
    const { server, connect } = harness(t);
    const log: string[] = [];
    server.onResponse(() => {
      for (const socket of server.webSockets) socket.terminate();
    });
    server.websocket("/", { open: () => void log.push("open"), close: () => void log.push("close") });
    await connect().send(handshake("/")).over();
    await eventually(() => server.counters.openConnections === 0, "the end");
    assert.deepEqual(log, []);
    assert.equal(server.counters.openWebSockets, 0);
  });
});
