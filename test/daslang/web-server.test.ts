import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import {
  each_param,
  get_cookie,
  get_header,
  get_param,
  JSON as jsonAnswer,
  type NetworkWebServerHolder,
  REDIRECT,
  SERVE_FILE,
  set_content_type,
  set_cookie,
  set_header,
  TEXT_PLAIN,
  type WebChannel,
  WebServer,
  WebSocketClient,
} from "../../src/daslang/index.ts";
import { assertAnswer } from "../support/assert-answer.ts";
import { temporaryFolder } from "../support/places.ts";
import { type RawClient, tcpClient } from "../support/raw-client.ts";
import { eventually, sleep } from "../support/waiting.ts";
import { type WebSocketClient as Client, open } from "../support/web-socket-client.ts";
import { tickUntil } from "./recorder.ts";

/** A server that writes down its callbacks and checks that they run inside of ticks. */
class Recording extends WebServer {
  readonly log: string[] = [];
  readonly channels: WebChannel[] = [];
  inTick = false;
  ticks = 0;
  setUp: (server: this) => void = () => {};

  override onInit(): void {
    this.setUp(this);
  }
  override tick(): void {
    this.inTick = true;
    try {
      super.tick();
    } finally {
      this.inTick = false;
    }
  }
  override onTick(): void {
    this.ticks++;
  }
  override onWsOpen(channel: WebChannel, url: string): void {
    this.channels.push(channel);
    this.note(`open ${url}`);
  }
  override onWsClose(): void {
    this.note("close");
  }
  override onWsMessage(channel: WebChannel, msg: string | Buffer): void {
    this.note(`message ${String(msg)}`);
    this.send(channel, msg);
  }
  override onError(msg: string): void {
    this.log.push(`error ${msg}`);
  }
  note(line: string): void {
    assert.equal(this.inTick, true, `${line} came outside of a tick`);
    this.log.push(line);
  }
}

interface Room {
  readonly server: Recording;
  connect(): Promise<RawClient>;
  socket(target?: string): Promise<Client>;
  /** Ticks until a promise settles. */
  during<T>(promise: Promise<T>, server?: WebServer): Promise<T>;
}

function room(t: TestContext, setUp: (server: Recording) => void = () => {}): Room {
  const server = new Recording({ host: "127.0.0.1" });
  server.setUp = setUp;
  server.init(0);
  assert.equal(server.start(), true);
  const { port } = server;
  const clients: RawClient[] = [];
  t.after(() => {
    for (const client of clients) client.destroy();
    server.cleanup();
  });
  const connect = async (): Promise<RawClient> => {
    const client = await tcpClient(port);
    clients.push(client);
    return client;
  };
  return {
    server,
    connect,
    socket: async (target = "/") => open(await connect(), target, ""),
    async during(promise, ticked = server) {
      const timer = setInterval(() => ticked.tick(), 2);
      try {
        return await promise;
      } finally {
        clearInterval(timer);
      }
    },
  };
}

describe('class WebServer (the document promises an "HTTP client/server" with "callbacks for handling connections, requests, and responses")', () => {
  it("serves routes inside of ticks only", async (t) => {
    const { server, connect, during } = room(t, (own) => {
      for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"] as const) {
        own[method]("/items/:name", (req, resp) => {
          own.note(`${req.method} ${req.url} ${req.body}`);
          return TEXT_PLAIN(resp, `${method} ${get_param(req, "name")} ${req.body}`, 201);
        });
      }
      own.ANY("/any", (req, resp) => TEXT_PLAIN(resp, req.method));
    });
    const client = await connect();
    const first = client.get("/items/one?x=1").answer();
    await sleep(50);
    assert.deepEqual(server.log, []);
    const got = await during(first);
    assert.equal(got.status, 201);
    assert.equal(got.text, "GET one ");
    assert.equal(got.header("content-type"), "text/plain; charset=utf-8");
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
      const bytes = `${method} /items/two HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc`;
      assert.equal((await during(client.send(bytes).answer(method))).text, `${method} two abc`);
    }
    const any = client.send("OPTIONS /any HTTP/1.1\r\nHost: h\r\n\r\n").answer("OPTIONS");
    assert.equal((await during(any)).text, "OPTIONS");
    assert.equal((await client.get("/missing").answer()).status, 404);
    assert.ok(server.ticks > 0);
  });

  it("parameters come from the path, the query and a form, and headers and cookies are read and set", async (t) => {
    const seen: string[] = [];
    const { connect, during } = room(t, (own) => {
      own.POST("/:name", (req, resp) => {
        each_param(req, (name, value) => seen.push(`${name}=${value}`));
        seen.push(`${get_param(req, "name")} ${get_param(req, "missing")}`);
        seen.push(`${get_cookie(req, "id")} ${get_header(req, "X-ANY")}`);
        set_header(resp, "X-Own", 1);
        set_cookie(resp, "id", "2");
        set_content_type(resp, "text/x-own");
        resp.body = Buffer.from([0xff]);
        return 202;
      });
    });
    const body = "a=form+text&b=%C3%A9";
    const lines = `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\nCookie: id=1\r\nX-Any: y\r\n`;
    const client = (await connect()).send(`POST /path?q=1 HTTP/1.1\r\nHost: h\r\n${lines}\r\n${body}`);
    const got = await during(client.answer("POST"));
    assert.deepEqual(seen, ["name=path", "q=1", "a=form text", "b=é", "path undefined", "1 y"]);
    assertAnswer(got, { status: 202, fields: { "x-own": "1" } });
    assert.match(got.header("set-cookie") ?? "", /^id=2;/);
    assert.equal(got.header("content-type"), "text/x-own");
    assert.deepEqual(got.body, Buffer.from([0xff]));
  });

  it("JSON, REDIRECT, SERVE_FILE, STATIC and streamed answers", async (t) => {
    const files = temporaryFolder(t);
    writeFileSync(join(files, "page.html"), "<p>file");
    let stream: Parameters<Parameters<WebServer["GET"]>[1]>[1] | undefined;
    const { connect, during } = room(t, (own) => {
      own.GET("/json", (_, resp) => jsonAnswer(resp, '{"a":1}'));
      own.GET("/old", (_, resp) => REDIRECT(resp, "/new", 301));
      own.GET("/file", (_, resp) => SERVE_FILE(resp, join(files, "page.html")));
      own.GET("/no-file", (_, resp) => SERVE_FILE(resp, join(files, "missing")));
      own.STATIC("/static", files);
      own.GET("/stream", (_, resp) => {
        stream = resp;
        resp.write("one, ");
        return 200;
      });
    });
    const client = await connect();
    const ask = (path: string): ReturnType<RawClient["answer"]> => during(client.get(path).answer());
    const json = await ask("/json");
    assert.deepEqual([json.text, json.header("content-type")], ['{"a":1}', "application/json"]);
    const old = await ask("/old");
    assert.deepEqual([old.status, old.header("location")], [301, "/new"]);
    const file = await ask("/file");
    assert.deepEqual([file.text, file.header("content-type")], ["<p>file", "text/html; charset=utf-8"]);
    assert.equal((await ask("/no-file")).status, 404);
    assert.equal((await ask("/static/page.html")).text, "<p>file");
    assert.equal((await ask("/static/missing")).status, 404);
    const streamed = ask("/stream");
    await eventually(() => stream !== undefined, "the handler");
    assert.equal(stream?.is_open, true);
    stream?.end("two");
    assert.equal((await streamed).text, "one, two");
  });

  it("SSE sends events, and allow_cors lets other origins read", async (t) => {
    const { connect, during } = room(t, (own) => {
      own.allow_cors();
      own.SSE("/events", (_, stream) => {
        stream.send({ data: "first" });
        stream.close();
      });
    });
    const client = (await connect()).get("/events", "Origin: http://other.example\r\n");
    const got = await during(client.answer());
    assert.equal(got.header("content-type"), "text/event-stream");
    assert.equal(got.header("access-control-allow-origin"), "*");
    assert.equal(got.text, "data: first\n\n");
  });

  it("a handler that throws is answered with 500 and reported by onError inside a tick", async (t) => {
    const { server, connect, during } = room(t, (own) => {
      own.GET("/throws", () => {
        throw new Error("a mistake");
      });
      own.GET("/rejects", () => Promise.reject(new Error("a late mistake")));
    });
    const client = await connect();
    assert.equal((await during(client.get("/throws").answer())).status, 500);
    assert.equal((await during(client.get("/rejects").answer())).status, 500);
    server.tick();
    assert.deepEqual(server.log, ["error a mistake", "error a late mistake"]);
  });

  it("WebSockets open on every path, and onWsOpen, onWsMessage and onWsClose run inside of ticks", async (t) => {
    const { server, socket } = room(t, (own) => own.GET("/page", (_, resp) => TEXT_PLAIN(resp, "page")));
    const one = await socket("/page?x=1");
    const two = await socket("/other");
    one.send("hello");
    two.send(Buffer.from("bytes"));
    await sleep(50);
    assert.deepEqual(server.log, []);
    server.tick();
    assert.deepEqual(server.log.sort(), ["message bytes", "message hello", "open /other", "open /page?x=1"]);
    assert.equal(await one.text(), "hello");
    const back = await two.next();
    assert.ok(back.type === "message");
    assert.deepEqual([back.text, back.binary], ["bytes", true]);
    const [channel] = server.channels;
    assert.ok(channel !== undefined);
    assert.equal(server.send(channel, "in ", 1, false), true);
    assert.equal(server.send(channel, "parts", 1, true), true);
    assert.equal(await one.text(), "in parts");
    one.close(1000);
    await tickUntil(server, () => server.log.includes("close"), "onWsClose");
    assert.equal(server.send(channel, "late"), false);
  });

  it("save and restore keep HTTP and WebSocket clients, and the new script serves what waits", async (t) => {
    const version = (name: string) => (own: Recording) => {
      own.GET("/", (req, resp) => TEXT_PLAIN(resp, `${name} ${req.url}`));
      if (name === "old") own.GET("/gone", (_, resp) => TEXT_PLAIN(resp, "old"));
    };
    const { server: old, connect, socket, during } = room(t, version("old"));
    const client = await connect();
    assert.equal((await during(client.get("/").answer())).text, "old /");
    const gone = await connect();
    const browser = await socket("/chat");
    await tickUntil(old, () => old.channels.length === 1, "the WebSocket");
    // These wait while no script is there.
    client.get("/?waits");
    gone.get("/gone");
    const orphan: NetworkWebServerHolder = { current: null };
    old.save(orphan);
    browser.send("typed meanwhile");
    assert.deepEqual([old.has_session(), old.is_open(), old.port], [false, false, 0]);
    await sleep(50);
    old.tick();
    const fresh = new Recording();
    fresh.setUp = version("fresh");
    fresh.restore(orphan);
    t.after(() => fresh.cleanup());
    assert.equal(orphan.current, null);
    assert.equal(fresh.is_open(), true);
    assert.equal((await during(client.answer(), fresh)).text, "fresh /?waits");
    assert.equal((await during(gone.answer(), fresh)).status, 404);
    assert.equal(await browser.text(), "typed meanwhile");
    assert.deepEqual(fresh.log, ["message typed meanwhile"]);
    assert.equal((await during(client.get("/again").answer(), fresh)).status, 404);
    const [channel] = old.channels;
    assert.ok(channel !== undefined);
    assert.equal(fresh.send(channel, "same channel"), true);
    assert.equal(await browser.text(), "same channel");
  });

  it("a restore whose onInit throws leaves the session in the holder", async (t) => {
    const { server: old } = room(t);
    const orphan: NetworkWebServerHolder = { current: null };
    old.save(orphan);
    const fresh = new Recording();
    fresh.setUp = () => {
      throw new Error("a mistake in the script");
    };
    assert.throws(() => fresh.restore(orphan), /a mistake in the script/);
    assert.ok(orphan.current !== null);
    old.restore(orphan);
    assert.equal(old.is_open(), true);
  });

  it("start says whether the port could be bound, and stop ends all clients", async (t) => {
    const { server, connect, socket, during } = room(t, (own) =>
      own.GET("/", (_, resp) => TEXT_PLAIN(resp, "ok")),
    );
    assert.equal(server.start(), false, "it listens already");
    const other = new Recording({ host: "127.0.0.1" });
    other.init(server.port);
    assert.equal(other.start(), false);
    assert.deepEqual(other.log, ["error can't bind"]);
    const browser = await socket();
    await tickUntil(server, () => server.channels.length === 1, "the WebSocket");
    server.stop();
    assert.equal((await browser.closeFrame()).code, 1001);
    await tickUntil(server, () => server.log.includes("close"), "onWsClose");
    assert.equal(server.is_open(), false);
    assert.equal(server.start(), true);
    const client = await tcpClient(server.port);
    assert.equal((await during(client.get("/").answer())).text, "ok");
    client.destroy();
    void connect;
  });
});

describe("class WebSocketClient", () => {
  class Calling extends WebSocketClient {
    readonly log: string[] = [];
    tick(): void {
      this.process_event_que();
    }
    override onOpen(): void {
      this.log.push("open");
    }
    override onClose(): void {
      this.log.push("close");
    }
    override onMessage(msg: string | Buffer): void {
      this.log.push(`message ${String(msg)}`);
    }
    override onMessageFrame(_: string | Buffer, byte_count: number, opcode: number): void {
      this.log.push(`frame ${byte_count} ${opcode}`);
    }
    override onError(): void {
      this.log.push("error");
    }
  }

  it("talks to a WebServer in one loop; callbacks come in process_event_que only", async (t) => {
    const { server } = room(t);
    const client = new Calling();
    assert.equal(client.init(`ws://127.0.0.1:${server.port}/`), true);
    assert.equal(client.init("ws://127.0.0.1:1/"), false);
    await tickUntil(server, () => server.log.length > 0, "the server's onWsOpen");
    assert.deepEqual(client.log, []);
    await tickUntil(client, () => client.is_connected(), "onOpen");
    assert.equal(client.send("é"), true);
    assert.equal(client.send(Buffer.from([1, 2, 3])), true);
    await tickUntil([server, client], () => client.log.length >= 5, "the messages");
    client.close();
    await tickUntil(client, () => client.log.includes("close"), "onClose");
    assert.deepEqual(client.log, [
      "open",
      "frame 2 1",
      "message é",
      "frame 3 2",
      "message \x01\x02\x03",
      "close",
    ]);
    assert.equal(client.send("late"), false);
  });

  it("tells when it cannot connect, and can try again", async (t) => {
    const { server } = room(t);
    const client = new Calling();
    client.init("ws://127.0.0.1:1/");
    await tickUntil(client, () => client.log.length === 2, "the failure");
    assert.deepEqual(client.log, ["error", "close"]);
    client.init(`ws://127.0.0.1:${server.port}/`);
    await tickUntil(client, () => client.is_connected(), "onOpen");
    client.close();
    await tickUntil([server, client], () => !client.is_connected(), "onClose");
  });
});
