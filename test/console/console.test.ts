import assert from "node:assert/strict";
import { channel } from "node:diagnostics_channel";
import { once } from "node:events";
import { describe, it, type TestContext } from "node:test";
import { Server } from "portico";
import { type ConsoleOptions, console as consolePart } from "portico/console";
import WebSocket from "ws";
import type { ConnectionRow, ConsoleMessage, PageMessage } from "../../src/console/messages.ts";
import { within } from "../engine/raw-client.ts";

const TOKEN = "a token of the tests";
/** For what comes once a second. */
const PATIENCE_MS = 5_000;

type Kind = ConsoleMessage["type"];
type Of<Type extends Kind> = Extract<ConsoleMessage, { type: Type }>;

/** What the page does, without a browser. */
class Viewer {
  readonly socket: WebSocket;
  private readonly messages: ConsoleMessage[] = [];
  private look = (): void => {};

  constructor(t: TestContext, url: string, headers: Record<string, string> = {}) {
    this.socket = new WebSocket(url.replace("http", "ws"), { headers });
    t.after(() => this.socket.terminate());
    this.socket.on("message", (data) => {
      this.messages.push(JSON.parse(String(data)));
      this.look();
    });
  }

  send(message: PageMessage): this {
    this.socket.send(JSON.stringify(message));
    return this;
  }

  /** The next message of a kind that fits; those before it are passed over. */
  next<Type extends Kind>(type: Type, fits: (message: Of<Type>) => boolean = () => true): Promise<Of<Type>> {
    const found = new Promise<Of<Type>>((resolve) => {
      this.look = () => {
        for (let message = this.messages.shift(); message !== undefined; message = this.messages.shift()) {
          if (message.type === type && fits(message as Of<Type>)) {
            this.look = () => {};
            resolve(message as Of<Type>);
            return;
          }
        }
      };
      this.look();
    });
    return within(found, `a message ${type}`, PATIENCE_MS);
  }

  async close(): Promise<void> {
    const closed = within(once(this.socket, "close"), "the close");
    this.socket.close();
    await closed;
  }
}

async function start(t: TestContext, options: ConsoleOptions = {}, server = new Server()): Promise<string> {
  t.after(() => server.close({ graceMs: 0 }));
  server.get("/hello", (exchange) => exchange.end("hello"));
  server.websocket("/echo", { message: (socket, data) => socket.reply(data) });
  server.mount(consolePart(options));
  return (await server.listen({ host: "127.0.0.1", port: 0 })).url;
}

/** The status of a handshake that is refused. */
async function refusal(url: string, headers: Record<string, string>): Promise<number> {
  const socket = new WebSocket(url.replace("http", "ws"), { headers });
  socket.on("error", () => {});
  const [request, response] = await within(once(socket, "unexpected-response"), "the refusal");
  request.destroy();
  return response.statusCode;
}

describe("the console", () => {
  it("measures nothing while no page is open", async (t) => {
    const watched = (): boolean => channel("portico:response").hasSubscribers;
    const url = await start(t);
    assert.equal(watched(), false);
    const [one, two] = [new Viewer(t, `${url}/console/live`), new Viewer(t, `${url}/console/live`)];
    await Promise.all([one.next("hello"), two.next("hello")]);
    assert.equal(watched(), true);
    await one.close();
    await two.next("sample", ({ totals }) => totals.consoles === 1);
    assert.equal(watched(), true);
    const server = new Server();
    const other = await start(t, {}, server);
    const last = new Viewer(t, `${other}/console/live`);
    await last.next("hello");
    await two.close();
    const gone = within(once(last.socket, "close"), "the page to be closed");
    await server.close({ graceMs: 0 });
    assert.equal(watched(), false);
    await gone;
  });
});

// Most of the time they wait for what comes once a second.
describe("a page of the console", { concurrency: 4 }, () => {
  it("counts requests, messages and connections, but not what it causes itself", async (t) => {
    const url = await start(t);
    const viewer = new Viewer(t, `${url}/console/live`);
    await viewer.next("hello");
    await (await fetch(`${url}/console/console.css`)).text();
    const first = await viewer.next("sample");
    assert.deepEqual(
      [first.sample.requests, first.sample.messagesIn, first.sample.messagesOut, first.sample.webSockets],
      [0, 0, 0, 0],
    );
    assert.equal(first.sample.p50, null);
    const echo = new WebSocket(`${url.replace("http", "ws")}/echo`);
    t.after(() => echo.terminate());
    await within(once(echo, "open"), "the handshake");
    echo.send("x");
    await within(once(echo, "message"), "the echo");
    await (await fetch(`${url}/hello`)).text();
    const { sample } = await viewer.next("sample", ({ sample }) => sample.requests > 0);
    assert.ok((sample.p50 ?? 0) > 0 && (sample.p99 ?? 0) >= (sample.p50 ?? 0));
    assert.equal(sample.webSockets, 1);
    const { totals } = await viewer.next("sample", ({ totals }) => totals.messagesSent === 1);
    assert.equal(totals.messagesReceived, 1);
  });

  it("shows the connections that contain a text, and closes one", async (t) => {
    const url = await start(t);
    const echo = new WebSocket(`${url.replace("http", "ws")}/echo`);
    await within(once(echo, "open"), "the handshake");
    const viewer = new Viewer(t, `${url}/console/live`);
    const isEcho = ({ serves }: ConnectionRow): boolean => serves === "GET /echo";
    const all = await viewer.next("connections", ({ rows }) => rows.length === 2);
    assert.deepEqual(
      all.rows.map(({ kind, own, serves }) => [kind, own, serves]),
      [
        ["websocket", false, "GET /echo"],
        ["websocket", true, "GET /console/live"],
      ],
    );
    const { matching, total, rows } = await viewer
      .send({ type: "filter", text: " /ECHO" })
      .next("connections", (message) => message.matching === 1);
    assert.deepEqual([matching, total, rows.length], [1, 2, 1]);
    const [row] = rows.filter(isEcho);
    assert.ok(row && row.bytesReceived > 0 && row.ageMs >= 0 && /^127\.0\.0\.1:\d+$/.test(row.remote));
    const closed = within(once(echo, "close"), "the close");
    viewer.send({ type: "close", id: row.id });
    const [code] = await closed;
    assert.equal(code, 1001);
    viewer.send({ type: "filter", text: "" });
    await viewer.next("connections", (message) => !message.rows.some(isEcho));
    viewer.send({ type: "close", id: row.id });
    assert.equal((await viewer.next("refused")).text, "That connection is gone already.");
  });

  it("tells the events of its own server, without queries", async (t) => {
    const url = await start(t);
    const stranger = await start(t);
    const viewer = new Viewer(t, `${url}/console/live`);
    await viewer.next("hello");
    await (await fetch(`${stranger}/hello?stranger`)).text();
    await (await fetch(`${url}/console/theme.js`)).text();
    await (await fetch(`${url}/hello?secret=1`)).text();
    const texts: string[] = [];
    await viewer.next("events", ({ rows }) => {
      const exchanges = rows.filter(({ kind }) => kind === "request" || kind === "response");
      texts.push(...exchanges.map(({ text }) => text));
      return exchanges.some(({ kind }) => kind === "response");
    });
    assert.equal(texts[0], "GET /hello");
    assert.match(texts[1] ?? "", /^GET \/hello: 200, complete, \d+\.\d\d ms$/);
    assert.equal(texts.length, 2);
  });

  it("tells of errors, and shows some when there are too many events", async (t) => {
    const server = new Server({ onError: () => {} });
    const url = await start(t, {}, server);
    server.get("/fails", () => {
      throw new TypeError("a mistake");
    });
    const viewer = new Viewer(t, `${url}/console/live`);
    await viewer.next("hello");
    await (await fetch(`${url}/fails`)).text();
    const { rows } = await viewer.next("events", (message) =>
      message.rows.some(({ kind }) => kind === "error"),
    );
    assert.equal(rows.find(({ kind }) => kind === "error")?.text, "TypeError: a mistake, at GET /fails");
    const { totals } = await viewer.next("sample");
    assert.deepEqual([totals.errors, totals.errorCodes], [1, { HANDLER: 1 }]);
    const publish = channel("portico:error");
    for (let i = 0; i < 1_000; i++)
      publish.publish({ server, error: new Error(String(i)), where: undefined });
    const many = await viewer.next("events", ({ skipped }) => skipped > 0);
    assert.equal(many.rows.length, 25);
    assert.ok(many.skipped >= 975);
  });

  it("shows what a handler has thrown, whatever that is", async (t) => {
    const server = new Server({ onError() {} });
    const url = await start(t, {}, server);
    server.get("/nothing", () => {
      throw Object.create(null);
    });
    const viewer = new Viewer(t, `${url}/console/live`);
    await viewer.next("hello");
    assert.equal((await fetch(`${url}/nothing`)).status, 500);
    const { rows } = await viewer.next("events", (events) =>
      events.rows.some(({ kind }) => kind === "error"),
    );
    assert.match(rows.find(({ kind }) => kind === "error")?.text ?? "", /has no text, at GET \/nothing/);
  });

  it("is a chat for all pages, as text, with its last lines for a new one", async (t) => {
    const url = await start(t);
    const [one, two] = [new Viewer(t, `${url}/console/live`), new Viewer(t, `${url}/console/live`)];
    const [{ name }] = await Promise.all([one.next("hello"), two.next("hello")]);
    one.send({ type: "chat", text: "  " }).send({ type: "chat", text: "<i>hello</i>" });
    assert.deepEqual((await two.next("chat")).line, { name, text: "<i>hello</i>" });
    const third = new Viewer(t, `${url}/console/live`);
    assert.deepEqual((await third.next("hello")).chat, [{ name, text: "<i>hello</i>" }]);
  });

  it("bounds what a page may send, and how many pages there are", async (t) => {
    const url = await start(t);
    const viewer = new Viewer(t, `${url}/console/live`);
    await viewer.next("hello");
    viewer.socket.send("nonsense");
    assert.equal((await viewer.next("refused")).text, "That was not understood.");
    for (let i = 0; i < 100; i++) viewer.send({ type: "chat", text: String(i) });
    assert.equal((await viewer.next("refused")).text, "That was too much in one second.");
    const others = Array.from({ length: 31 }, () => new Viewer(t, `${url}/console/live`));
    await Promise.all(others.map((other) => other.next("hello")));
    assert.equal(await refusal(`${url}/console/live`, {}), 503);
    const closed = within(once(viewer.socket, "close"), "the close");
    viewer.socket.send("x".repeat(10_000));
    assert.equal((await closed)[0], 1009);
  });

  it("serves a program that polls", async (t) => {
    const server = new Server({ delivery: "deferred" });
    const url = await start(t, {}, server);
    const loop = setInterval(() => server.poll(), 10);
    t.after(() => clearInterval(loop));
    assert.equal((await fetch(`${url}/console/`)).status, 200);
    const viewer = new Viewer(t, `${url}/console/live`);
    await viewer.next("hello");
  });
});

describe("who may use the console", () => {
  it("needs a path and a token that are some", () => {
    for (const path of ["console", "/a/", "/a//b", "/:x", "/*", "/a b", ""]) {
      assert.throws(() => consolePart({ path }), /RangeError: .* is no path for a console/, path);
    }
    assert.throws(() => consolePart({ token: "short" }), RangeError);
  });

  it("is this machine, without a token", async (t) => {
    const url = await start(t);
    const { port } = new URL(url);
    assert.equal((await fetch(`http://localhost:${port}/console/`)).status, 200);
    const rebound = { host: `rebound.example:${port}`, origin: `http://rebound.example:${port}` };
    assert.equal(await refusal(`${url}/console/live`, rebound), 403);
    assert.equal(await refusal(`${url}/console/live`, { origin: "https://other.example" }), 403);
    const proxied = await fetch(`${url}/console/`, { headers: { "x-forwarded-for": "192.0.2.1" } });
    assert.equal(proxied.status, 403);
    assert.match(await proxied.text(), /its own machine only/);
    for (const file of ["main.js", "uPlot.iife.min.js"]) {
      const headers = { "x-forwarded-for": "192.0.2.1" };
      assert.equal((await fetch(`${url}/console/${file}`, { headers })).status, 403, file);
    }
  });

  it("is who has given the token", async (t) => {
    const url = await start(t, { token: TOKEN, path: "/a/console" });
    const page = `${url}/a/console/`;
    const live = `${url}/a/console/live`;
    const asked = await fetch(page);
    assert.equal(asked.status, 403);
    assert.match(await asked.text(), /<input name="token" type="password"/);
    assert.equal((await fetch(`${page}main.js`)).status, 403);
    assert.equal((await fetch(`${page}console.css`)).status, 200);
    assert.equal(await refusal(live, {}), 403);

    const wrong = await fetch(`${page}?token=wrong`);
    assert.deepEqual([wrong.status, wrong.headers.get("set-cookie")], [403, null]);
    assert.match(await wrong.text(), /That is not the token/);

    const form = (token: string, headers = {}): Promise<Response> =>
      fetch(page, { method: "POST", body: new URLSearchParams({ token }), redirect: "manual", headers });
    assert.equal((await form("wrong")).status, 403);
    assert.equal((await form(TOKEN, { origin: "https://other.example" })).status, 403);
    assert.equal((await form("x".repeat(5_000))).status, 413);
    const given = await form(TOKEN);
    assert.deepEqual([given.status, given.headers.get("location")], [303, "./"]);
    const cookie = given.headers.get("set-cookie") ?? "";
    assert.match(cookie, /^portico_console=[\w-]+; Path=\/a\/console; HttpOnly; SameSite=Strict$/);

    const linked = await fetch(`${page}?token=${encodeURIComponent(TOKEN)}`);
    assert.equal(linked.headers.get("set-cookie"), cookie);
    assert.match(await linked.text(), /http-equiv="refresh" content="0; url=\.\/"/);

    const headers = { cookie: cookie.split(";")[0] ?? "" };
    assert.match(await (await fetch(page, { headers })).text(), /<title>Portico console<\/title>/);
    assert.equal(await refusal(live, { ...headers, origin: "https://other.example" }), 403);
    await new Viewer(t, live, { ...headers, origin: url }).next("hello");
  });

  it("gets pages that run nothing inline and stand in nobody's frame", async (t) => {
    const url = await start(t);
    const { headers } = await fetch(`${url}/console/`);
    assert.equal(headers.get("x-frame-options"), "DENY");
    const policy = headers.get("content-security-policy") ?? "";
    assert.ok(!policy.includes("unsafe"));
    for (const rule of [
      "default-src 'none'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
      "script-src 'self'",
    ]) {
      assert.ok(policy.split("; ").includes(rule), rule);
    }
    assert.equal(headers.get("referrer-policy"), "same-origin");
    const moved = await fetch(`${url}/console?x=1`, { redirect: "manual" });
    assert.equal(new URL(moved.headers.get("location") ?? "", `${url}/console`).href, `${url}/console/?x=1`);
  });
});
