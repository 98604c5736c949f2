import assert from "node:assert/strict";
import { channel } from "node:diagnostics_channel";
import { once } from "node:events";
import { connect } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { Server } from "portico";
import { type ConsoleOptions, console as consolePart } from "portico/console";
import WebSocket from "ws";
import type { ConnectionRow } from "../../src/console/messages.ts";
import { listOf } from "../support/bytes.ts";
import { sleep, within } from "../support/waiting.ts";
import { opened } from "../support/ws-client.ts";
import { Viewer } from "./viewer.ts";

const TOKEN = "a token of the tests";
async function start(t: TestContext, options: ConsoleOptions = {}, server = new Server()): Promise<string> {
  t.after(() => server.close({ graceMs: 0 }));
  server.get("/hello", (exchange) => exchange.end("hello"));
  server.websocket("/echo", { message: (socket, data) => socket.reply(data) });
  server.mount(consolePart(options));
  return (await server.listen({ host: "127.0.0.1", port: 0 })).url;
}

/** The same with a page of it that is open. */
async function viewed(t: TestContext, options: ConsoleOptions = {}, server: Server = new Server()) {
  const url = await start(t, options, server);
  const viewer = view(t, url);
  await viewer.next("hello");
  return { url, viewer };
}

const view = (t: TestContext, url: string): Viewer => new Viewer(t, `${url}/console/live`);

/** A WebSocket of the server, other than those of pages, that is open until the test ends. */
async function webSocket(t: TestContext, url: string, path: string): Promise<WebSocket> {
  const socket = await opened(new WebSocket(url.replace("http", "ws") + path));
  t.after(() => socket.terminate());
  return socket;
}

async function text(url: string): Promise<string> {
  return (await fetch(url)).text();
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
  it("measures no request while no page is open", async (t) => {
    const watched = (): boolean => channel("portico:response").hasSubscribers;
    const url = await start(t);
    assert.equal(watched(), false);
    const [one, two] = [view(t, url), view(t, url)];
    await Promise.all([one.next("hello"), two.next("hello")]);
    assert.equal(watched(), true);
    await one.close();
    await two.next("sample", ({ totals }) => totals.consoles === 1);
    assert.equal(watched(), true);
    const server = new Server();
    const other = await start(t, {}, server);
    const last = view(t, other);
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
    const { url, viewer } = await viewed(t);
    await text(`${url}/console/console.css`);
    const { requests, messagesIn, messagesOut, webSockets, p50 } = (await viewer.next("sample")).sample;
    assert.deepEqual([requests, messagesIn, messagesOut, webSockets, p50], [0, 0, 0, 0, null]);
    const echo = await webSocket(t, url, "/echo");
    echo.send("x");
    await within(once(echo, "message"), "the echo");
    await text(`${url}/hello`);
    const { sample } = await viewer.next("sample", ({ sample }) => sample.requests > 0);
    assert.ok((sample.p50 ?? 0) > 0 && (sample.p99 ?? 0) >= (sample.p50 ?? 0));
    assert.equal(sample.webSockets, 1);
    const { totals } = await viewer.next("sample", ({ totals }) => totals.messagesSent === 1);
    assert.equal(totals.messagesReceived, 1);
  });

  it("shows what the server runs on, and which ways are slower than they could be", async (t) => {
    const url = await start(t, {}, new Server({ directIo: false }));
    const { runtime } = await view(t, url).next("hello");
    assert.equal(runtime.title, `Node ${process.versions.node}, ${process.platform} ${process.arch}`);
    const lesser = runtime.lines.filter(({ isBest }) => !isBest).map(({ name }) => name);
    assert.deepEqual(lesser.slice(0, 2), ["reads", "writes"]);
  });

  it("shows the connections that contain a text, and closes one", async (t) => {
    const url = await start(t);
    const echo = await webSocket(t, url, "/echo");
    const viewer = view(t, url);
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
    assert.equal((await viewer.next("refused")).text, "That connection is already closed.");
  });

  it("tells the events of its own server, without queries", async (t) => {
    const url = await start(t);
    const stranger = await start(t);
    const viewer = view(t, url);
    await viewer.next("hello");
    await text(`${stranger}/hello?stranger`);
    await text(`${url}/console/theme.js`);
    await text(`${url}/hello?secret=1`);
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

  it("shows every error of the program with its stack and route, also those before the page was opened", async (t) => {
    const server = new Server({ onError() {} });
    const url = await start(t, {}, server);
    server.get("/fails/:id", () => {
      throw new TypeError("a mistake");
    });
    server.get("/nothing", () => {
      throw Object.create(null);
    });
    await text(`${url}/fails/1`);
    const viewer = view(t, url);
    const [early, ...others] = (await viewer.next("hello")).errors;
    const kept = [early?.text, early?.where, early?.count, others];
    assert.deepEqual(kept, ["TypeError: a mistake", "GET /fails/:id", 1, []]);
    assert.match(early?.stack ?? "", /console\.test\.ts/);
    await Promise.all(Array.from({ length: 40 }, (_, id) => text(`${url}/fails/${id}`)));
    assert.equal((await viewer.next("errors", ({ rows }) => rows[0]?.count === 41)).rows[0]?.id, early?.id);
    assert.equal((await fetch(`${url}/nothing`)).status, 500);
    const { rows } = await viewer.next("errors", (errors) =>
      errors.rows.some(({ where }) => where === "GET /nothing"),
    );
    assert.equal(rows.at(-1)?.text, "something that has no text");
    const { totals } = await viewer.next("sample", (sample) => sample.totals.errors === 42);
    assert.deepEqual([totals.disconnects, totals.errorCodes], [0, { HANDLER: 42 }]);
  });

  it("does not count a client that disconnects as an error of the program", async (t) => {
    const server = new Server();
    server.get("/slow", () => {});
    const { url, viewer } = await viewed(t, {}, server);
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    socket.write("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
    await viewer.next("connections", ({ rows }) => rows.some(({ serves }) => serves === "GET /slow"));
    socket.resetAndDestroy();
    const { totals } = await viewer.next("sample", (sample) => sample.totals.disconnects === 1);
    assert.deepEqual([totals.errors, totals.clientMistakes], [0, 0]);
  });

  it("shows a sample of the events when there are too many", async (t) => {
    const server = new Server();
    const { viewer } = await viewed(t, {}, server);
    const publish = channel("portico:request");
    const exchange = { method: "GET", path: "/x" };
    for (let i = 0; i < 1_000; i++) publish.publish({ server, exchange });
    const many = await viewer.next("events", ({ skipped }) => skipped > 0);
    assert.equal(many.rows.length, 100);
    assert.ok(many.skipped >= 900);
  });

  it("begins with the figures of before it was opened, unless the option history is false", async (t) => {
    const server = new Server();
    const [url, without] = [await start(t, {}, server), await start(t, { history: false })];
    await text(`${url}/hello`);
    const first = view(t, url);
    await first.next("hello");
    await first.next("sample", ({ sample }) => sample.requests >= 0);
    await first.close();
    // Nobody looks on for more than a second.
    await text(`${url}/hello`);
    await sleep(1_300);
    const { history } = await view(t, url).next("history");
    assert.ok(history.at.length >= 2, `${history.at.length} samples`);
    assert.ok(history.requests.some((rate) => (rate ?? 0) > 0));
    assert.deepEqual([history.p50.at(-1), history.at.length], [null, history.rss.length]);
    assert.deepEqual((await view(t, without).next("history")).history.at, []);
  });

  it("has tables of routes, topics with their subscribers, and limits", async (t) => {
    const server = new Server({ limits: { maxConnections: 20 } });
    const url = await start(t, {}, server);
    server.websocket("/lobby", { open: (socket) => void socket.subscribe("lobby") });
    for (let i = 0; i < 2; i++) await webSocket(t, url, "/lobby");
    const viewer = view(t, url);
    await viewer.next("hello");
    await text(`${url}/hello`);
    await text(`${url}/missing`);
    const { routes, topics, topicCount, limits } = await viewer.next(
      "tables",
      (tables) => tables.routes.length === 2,
    );
    assert.deepEqual(
      routes.map(({ route, count }) => [route, count]),
      [
        ["GET /hello", 1],
        ["GET (no route)", 1],
      ],
    );
    assert.deepEqual([topics, topicCount], [[{ name: "lobby", members: 2, workers: [[0, 2]] }], 1]);
    const used = limits.find(({ name }) => name === "maxConnections");
    assert.deepEqual([used?.limit, used?.isDefault], [20, false]);
    assert.ok((used?.now ?? 0) >= 3);
    const members = await viewer.send({ type: "topic", text: "lobby" }).next("members");
    assert.deepEqual([members.rows.length, members.total], [2, 2]);
    assert.match(members.rows[0] ?? "", /^127\.0\.0\.1:\d+ \/lobby$/);
  });

  it("sorts connections, and shows how old a request is", async (t) => {
    const server = new Server();
    server.get("/slow", () => {});
    const { url, viewer } = await viewed(t, {}, server);
    const slow = new AbortController();
    t.after(() => slow.abort());
    fetch(`${url}/slow`, { signal: slow.signal }).catch(() => {});
    const { rows } = await viewer
      .send({ type: "sort", text: "-requestAgeMs" })
      .next("connections", (message) => (message.rows[0]?.requestAgeMs ?? 0) > 500);
    const seen = [rows[0]?.serves, rows[0]?.requestIsOlder, rows[1]?.requestAgeMs];
    assert.deepEqual(seen, ["GET /slow", false, null]);
  });

  it("shows the program's own panels and runs their actions", async (t) => {
    let score = 1;
    const url = await start(t, {
      panels: [
        {
          title: "Arena",
          figures: () => ({ score }),
          actions: {
            Reset: () => {
              score = 0;
            },
            Save: async () => {
              throw new Error("the disk is full");
            },
          },
        },
      ],
    });
    const viewer = view(t, url);
    const { panels } = await viewer.next("tables");
    const shown = [panels[0]?.title, panels[0]?.figures, panels[0]?.actions];
    assert.deepEqual(shown, ["Arena", [["score", 1]], ["Reset", "Save"]]);
    viewer.send({ type: "action", name: "Arena", text: "Reset" });
    await viewer.next("tables", (tables) => tables.panels[0]?.figures[0]?.[1] === 0);
    viewer.send({ type: "action", name: "Arena", text: "Save" });
    assert.equal((await viewer.next("refused")).text, "Save failed: Error: the disk is full");
    assert.throws(() => consolePart({ panels: [{ title: "" }] }), TypeError);
  });

  it("is a chat for all pages, as text, with its last lines for a new one", async (t) => {
    const url = await start(t);
    const [one, two] = [view(t, url), view(t, url)];
    const [{ name }] = await Promise.all([one.next("hello"), two.next("hello")]);
    one.send({ type: "chat", text: "  " }).send({ type: "chat", text: "<i>hello</i>" });
    assert.deepEqual((await two.next("chat")).line, { name, text: "<i>hello</i>" });
    const third = view(t, url);
    assert.deepEqual((await third.next("hello")).chat, [{ name, text: "<i>hello</i>" }]);
  });

  it("bounds what a page may send, and how many pages there are", async (t) => {
    const { url, viewer } = await viewed(t);
    viewer.socket.send("nonsense");
    assert.equal((await viewer.next("refused")).text, "The console did not understand the page.");
    for (let i = 0; i < 100; i++) viewer.send({ type: "chat", text: String(i) });
    assert.equal((await viewer.next("refused")).text, "Too many messages in one second.");
    const others = Array.from({ length: 31 }, () => view(t, url));
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
    const viewer = view(t, url);
    await viewer.next("hello");
  });
});

describe("who may use the console", () => {
  it("needs a path and a token that are some", () => {
    for (const path of ["console", "/a/", "/a//b", "/:x", "/*", "/a b", ""]) {
      assert.throws(() => consolePart({ path }), /RangeError: .* is not a path for a console/, path);
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
    assert.equal((await fetch(`${page}base.css`)).status, 200);
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
    const rules = listOf("default-src 'none'¦frame-ancestors 'none'¦base-uri 'none'¦script-src 'self'");
    for (const rule of rules) assert.ok(policy.split("; ").includes(rule), rule);
    assert.equal(headers.get("referrer-policy"), "same-origin");
    const moved = await fetch(`${url}/console?x=1`, { redirect: "manual" });
    assert.equal(new URL(moved.headers.get("location") ?? "", `${url}/console`).href, `${url}/console/?x=1`);
  });
});
