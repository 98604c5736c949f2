import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import WebSocket from "ws";
import { type HttpRequest, HttpResponse, Websocket, websocket_upgrade } from "../../src/facil/index.ts";
import { frame } from "../support/frames.ts";
import type { Answer } from "../support/http-response.ts";
import { eventually, signal, sleep } from "../support/waiting.ts";
import { open } from "../support/web-socket-client.ts";
import { handshake, KEY } from "../support/web-socket-handshake.ts";
import { exchanged, opened } from "../support/ws-client.ts";
import { answer, echo, heldRequest, type Settings, serve, serveSockets, type Ws } from "./helpers.ts";

const HEAD = "GET / HTTP/1.1\r\nHost: h\r\n";
const KEY_LINE = `Sec-WebSocket-Key: ${KEY}\r\n`;
const VERSION = "Sec-WebSocket-Version: 13\r\n";
const UPGRADE = "Upgrade: websocket\r\nConnection: Upgrade\r\n";

interface Refusal {
  readonly got: Answer;
  readonly result: number;
  readonly log: string[];
}

/** Sends a head that is no handshake, and has it upgraded all the same. */
async function refused(t: TestContext, head: string): Promise<Refusal> {
  const log: string[] = [];
  let result = 1;
  const { connect } = await serve(t, (request) => {
    result = websocket_upgrade({
      request,
      on_message: () => void log.push("message"),
      on_open: () => void log.push("open"),
      on_shutdown: () => void log.push("shutdown"),
      on_close: () => void log.push("close"),
    });
  });
  const client = await connect();
  const got = await client.send(head).answer();
  await eventually(() => log.includes("close"), "on_close");
  await sleep(20);
  return { got, result, log };
}

describe("websocket_upgrade({ request, on_message, on_open?, on_shutdown?, on_close?, response?, udata? }), same as Websocket.upgrade(settings)", () => {
  for (const [name, upgrade] of [
    ["websocket_upgrade", (settings: Settings) => websocket_upgrade(settings)],
    ["Websocket.upgrade", (settings: Settings) => Websocket.upgrade(settings)],
  ] as const) {
    it(`${name} answers 101, and 0 to the program`, async (t) => {
      let result = 1;
      const { connect } = await serve(t, (request) => {
        result = upgrade({
          request,
          on_message: echo,
        });
      });
      // `open` checks Sec-WebSocket-Accept.
      const client = await open(await connect(), "/");
      assert.equal(result, 0);
      assert.match(client.response.head, /^HTTP\/1\.1 101 /);
      client.send("there and back");
      assert.equal(await client.text(), "there and back");
    });
  }

  it("serves a client that others have written", async (t) => {
    const { port } = await serveSockets(t, {
      on_message: echo,
    });
    const client = await opened(new WebSocket(`ws://127.0.0.1:${port}/`));
    assert.deepEqual(await exchanged(client, "text"), { data: "text", binary: false });
    assert.deepEqual(await exchanged(client, Buffer.from([1, 2])), { data: "\x01\x02", binary: true });
    client.terminate();
  });

  it("only on_message is needed", async (t) => {
    const { connect } = await serve(t, (request) => websocket_upgrade({ request, on_message() {} }));
    const client = await open(await connect(), "/");
    client.close(1000);
    assert.equal((await client.closeFrame()).code, 1000);
  });

  it("answers with the headers and cookies of the response", async (t) => {
    const { connect } = await serve(t, (request) => {
      const response = HttpResponse.create(request);
      HttpResponse.write_header(response, "X-Own", "value");
      HttpResponse.set_cookie(response, { name: "a", value: "1", http_only: true });
      HttpResponse.set_cookie(response, { name: "b", value: "2" });
      assert.equal(websocket_upgrade({ request, response, on_message() {} }), 0);
    });
    const { response } = await open(await connect(), "/");
    assert.equal(response.header("x-own"), "value");
    const cookies = response.lines.filter((line) => /^set-cookie:/i.test(line));
    assert.equal(cookies.length, 2);
    assert.match(cookies[0] ?? "", /: a=1;.*httponly/i);
    assert.match(cookies[1] ?? "", /: b=2/);
  });

  it("the subprotocol may come with the headers of the response", async (t) => {
    const { port } = await serve(t, (request) => {
      const response = HttpResponse.create(request);
      HttpResponse.write_header(response, "Sec-WebSocket-Protocol", "chat");
      websocket_upgrade({ request, response, on_message() {} });
    });
    const client = await opened(new WebSocket(`ws://127.0.0.1:${port}/`, ["news", "chat"]));
    assert.equal(client.protocol, "chat");
    client.terminate();
  });

  it("a response that was used for an upgrade sends nothing when it is destroyed", async (t) => {
    const { connect } = await serve(t, (request) => {
      const response = HttpResponse.create(request);
      HttpResponse.write_body(response, "not for a WebSocket");
      websocket_upgrade({
        request,
        response,
        on_message: (ws) => void Websocket.write(ws, "only this", 9, 1),
      });
      assert.equal(HttpResponse.send(response), -1);
      HttpResponse.destroy(response);
    });
    const client = await open(await connect(), "/");
    client.send("");
    assert.equal(await client.text(), "only this");
  });

  const faults: [what: string, head: string][] = [
    ["a request that asks for no upgrade", HEAD],
    ["a handshake without a key", HEAD + UPGRADE + VERSION],
    [
      "a handshake with a key of the wrong length",
      `${HEAD}${UPGRADE}${VERSION}Sec-WebSocket-Key: c2hvcnQ=\r\n`,
    ],
    [
      "a handshake with a key that is no base64",
      `${HEAD}${UPGRADE}${VERSION}Sec-WebSocket-Key: ${"!".repeat(24)}\r\n`,
    ],
    ["a handshake without a version", HEAD + UPGRADE + KEY_LINE],
    ["a handshake without Connection: Upgrade", `${HEAD}Upgrade: websocket\r\n${KEY_LINE}${VERSION}`],
    [
      "a handshake for another protocol",
      `${HEAD}Upgrade: other\r\nConnection: Upgrade\r\n${KEY_LINE}${VERSION}`,
    ],
    [
      "a handshake by POST",
      `POST / HTTP/1.1\r\nHost: h\r\n${UPGRADE}${KEY_LINE}${VERSION}Content-Length: 0\r\n`,
    ],
    ["a handshake by HTTP/1.0", `GET / HTTP/1.0\r\nHost: h\r\n${UPGRADE}${KEY_LINE}${VERSION}`],
  ];
  for (const [what, head] of faults) {
    it(`${what} gets 400 and on_close is called`, async (t) => {
      const { got, result, log } = await refused(t, `${head}\r\n`);
      assert.equal(got.status, 400);
      assert.equal(result, -1);
      assert.deepEqual(log, ["close"]);
    });
  }

  it("a handshake of another version is refused, told the right one, and on_close is called", async (t) => {
    const head = `${HEAD}${UPGRADE}${KEY_LINE}Sec-WebSocket-Version: 8\r\n\r\n`;
    const { got, result, log } = await refused(t, head);
    // RFC 6455 §4.4 has 426 for it, the row 400 for every handshake that is not valid.
    assert.ok(got.status === 400 || got.status === 426, String(got.status));
    assert.equal(got.header("sec-websocket-version"), "13");
    assert.equal(result, -1);
    assert.deepEqual(log, ["close"]);
  });

  it("on_close finds the udata of an upgrade that failed", async (t) => {
    const udata = { to: "free" };
    const closed = signal<unknown>();
    const { connect } = await serve(t, (request) =>
      websocket_upgrade({
        request,
        udata,
        on_message() {},
        on_close: (ws) => closed.give(Websocket.get_udata(ws)),
      }),
    );
    assert.equal((await (await connect()).get("/").answer()).status, 400);
    assert.equal(await closed.wait("on_close"), udata);
  });

  it("a WebSocket that was not established is not counted, and cannot be written to", async (t) => {
    const closed = signal<number[]>();
    const { connect } = await serve(t, (request) =>
      websocket_upgrade({
        request,
        on_message() {},
        on_close: (ws) => closed.give([Websocket.count(), Websocket.write(ws, "x", 1, 1)]),
      }),
    );
    await (await connect()).get("/").answer();
    assert.deepEqual(await closed.wait("on_close"), [0, -1]);
  });

  it("udata of the settings is the connection's", async (t) => {
    let next = 0;
    const { connect } = await serve(t, (request) =>
      websocket_upgrade({
        request,
        udata: { number: next++ },
        on_message(ws) {
          const { number } = Websocket.get_udata(ws) as { number: number };
          Websocket.write(ws, String(number), 1, 1);
        },
      }),
    );
    for (const expected of ["0", "1"]) {
      const client = await open(await connect(), "/");
      client.send("?");
      assert.equal(await client.text(), expected);
    }
  });

  it("a request is upgraded once, and not after its response", async (t) => {
    const results: number[] = [];
    let closed = 0;
    const settings = (request: HttpRequest): Settings => ({
      request,
      on_message() {},
      on_close: () => void closed++,
    });
    const { connect } = await serve(t, (request) => {
      if (request.path === "/answered") answer(request, "already");
      results.push(websocket_upgrade(settings(request)), websocket_upgrade(settings(request)));
    });
    await open(await connect(), "/");
    assert.deepEqual(results.splice(0), [0, -1]);
    await eventually(() => closed === 1, "on_close of the one that was refused");
    const got = await (await connect()).send(handshake("/answered")).answer();
    assert.equal(got.text, "already");
    assert.deepEqual(results, [-1, -1]);
    await eventually(() => closed === 3, "on_close of those that were refused");
  });

  it("may be called later than on_request", async (t) => {
    const { connect } = await serve(t, async (request) => {
      await sleep(20);
      websocket_upgrade({
        request,
        on_message: echo,
      });
    });
    const client = await open(await connect(), "/");
    client.send("late");
    assert.equal(await client.text(), "late");
  });

  it("on_close is called where the client has gone before the upgrade", async (t) => {
    const { client, request } = await heldRequest(t, (one) => one.send(handshake("/")));
    client.destroy();
    await sleep(50);
    const log: string[] = [];
    const result = websocket_upgrade({
      request,
      on_message() {},
      on_open: () => void log.push("open"),
      on_close: () => void log.push("close"),
    });
    assert.equal(result, -1);
    await eventually(() => log.length > 0, "on_close");
    assert.deepEqual(log, ["close"]);
  });

  it("a program may answer a handshake without upgrading", async (t) => {
    const { connect } = await serve(t, (request) => {
      const response = HttpResponse.create(request);
      response.status = 403;
      HttpResponse.destroy(response);
    });
    assert.equal((await (await connect()).send(handshake("/")).answer()).status, 403);
  });

  it("a message that came with the handshake follows on_open", async (t) => {
    const log: string[] = [];
    const { connect } = await serveSockets(t, {
      on_open: (ws: Ws) => {
        log.push("open");
        Websocket.write(ws, "welcome", 7, 1);
      },
      on_message: (_ws, _data, size) => void log.push(`message ${size}`),
    });
    const client = await connect();
    client.send(Buffer.concat([Buffer.from(handshake("/")), frame(1, "first")]));
    assert.equal((await client.answer()).status, 101);
    await eventually(() => log.length === 2, "the message");
    assert.deepEqual(log, ["open", "message 5"]);
    await client.until(() => client.rest.includes("welcome"), "what on_open wrote");
  });
});
