import assert from "node:assert/strict";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { request } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import { describe, it, type TestContext } from "node:test";
import WebSocket from "ws";
import { listOf } from "../support/bytes.ts";
import { put, temporaryFolder } from "../support/places.ts";
import { within } from "../support/waiting.ts";
import { opened } from "../support/ws-client.ts";
import { type Running, start } from "./portico.ts";

const PAGE = "<!doctype html><html><body><p>page</p></body></html>";
const FILES = { "index.html": PAGE, "app.js": `// ${"x".repeat(4_000)}`, "sub/a.txt": "0123456789" };
const TLS = ["key", "cert"].flatMap((kind) => [
  `--tls-${kind}`,
  new URL(`../fixtures/localhost.${kind}.pem`, import.meta.url).pathname,
]);

/** `portico serve` of a folder with some files. */
async function serve(
  t: TestContext,
  ...options: string[]
): Promise<{ url: string; root: string; server: Running }> {
  const root = temporaryFolder(t, FILES);
  const server = start(t, ["serve", root, "--port", "0", ...options]);
  return { url: await server.url(), root, server };
}

describe("portico serve", { concurrency: 2 }, () => {
  it("serves files, their parts, and nothing that is known already; it prints what was asked for", async (t) => {
    const { url, server } = await serve(t);
    const index = await fetch(`${url}/`);
    assert.equal(index.headers.get("content-type"), "text/html; charset=utf-8");
    assert.equal(await index.text(), PAGE);
    const etag = index.headers.get("etag") ?? "";
    assert.equal((await fetch(`${url}/`, { headers: { "If-None-Match": etag } })).status, 304);
    const part = await fetch(`${url}/sub/a.txt`, { headers: { Range: "bytes=2-4" } });
    assert.deepEqual([part.status, await part.text()], [206, "234"]);
    const packed = await fetch(`${url}/app.js`, { headers: { "Accept-Encoding": "gzip" } });
    assert.equal(packed.headers.get("content-encoding"), "gzip");
    assert.equal(await packed.text(), FILES["app.js"]);
    assert.equal((await fetch(`${url}/sub/`)).status, 404);
    assert.equal((await fetch(`${url}/none`)).status, 404);
    assert.equal(index.headers.get("access-control-allow-origin"), null);
    await server.printed(/\d\d:\d\d:\d\d 200 GET \/ \d+ B/);
    await server.printed(/206 GET \/sub\/a\.txt 3 B/);
    await server.printed(/404 GET \/none/);
    const { code, stderr } = await server.stop("SIGINT");
    assert.deepEqual([code, stderr], [130, ""]);
  });

  it("has a page for failures where the client prefers one, and a listing with sizes", async (t) => {
    const { url } = await serve(t, "--listing");
    const ask = (path: string, accept: string): Promise<Response> =>
      fetch(url + path, { headers: { Accept: accept } });
    const page = await ask("/%3Cb%3E", "text/html,*/*;q=0.8");
    assert.deepEqual([page.status, page.headers.get("content-type")], [404, "text/html; charset=utf-8"]);
    const text = await page.text();
    assert.match(text, /<h1>404 Not Found<\/h1>/);
    assert.match(text, /<code>\/&#60;b&#62;<\/code> does not exist here/);
    assert.equal((await ask("/none", "application/json")).headers.get("content-type"), "application/json");
    assert.match((await ask("/none", "*/*")).headers.get("content-type") ?? "", /^text\/plain/);
    assert.match(await (await ask("/sub/", "text/html")).text(), /a\.txt<\/a><small>10 B<\/small>/);
    const plain = await serve(t);
    const folderPage = await fetch(`${plain.url}/sub/`, { headers: { Accept: "text/html" } });
    assert.match(await folderPage.text(), /Start the server with --listing/);
  });

  it("does what its options say", async (t) => {
    const options = "--spa --listing --cors --no-compress --no-log --cache max-age=60";
    const { url, server } = await serve(t, ...options.split(" "));
    const app = await fetch(`${url}/some/route`, { headers: { Accept: "text/html" } });
    assert.deepEqual([app.status, await app.text()], [200, PAGE]);
    assert.match(await (await fetch(`${url}/sub/`)).text(), /a\.txt/);
    const script = await fetch(`${url}/app.js`, {
      headers: { Origin: "http://a.example", "Accept-Encoding": "gzip" },
    });
    assert.equal(script.headers.get("access-control-allow-origin"), "*");
    assert.equal(script.headers.get("content-encoding"), null);
    assert.equal(script.headers.get("cache-control"), "max-age=60");
    const { code, stdout } = await server.stop("SIGTERM");
    assert.equal(code, 143);
    assert.doesNotMatch(stdout, /GET/);
  });

  it("prints JSON for programs, the address first", async (t) => {
    const { url, server } = await serve(t, "--json");
    await (await fetch(`${url}/sub/a.txt?a=b&token=x`)).text();
    await server.printed(/"event":"request"/);
    const { stdout } = await server.stop();
    const [listening, request] = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const address = ["listening", url, Number(new URL(url).port)];
    assert.deepEqual([listening.event, listening.url, listening.port], address);
    const { method, path, query, status, outcome, bytes } = request;
    const exchange = ["GET", "/sub/a.txt", "a=b&token=[redacted]", 200, "complete", 10];
    assert.deepEqual([method, path, query, status, outcome, bytes], exchange);
  });

  it("speaks TLS", async (t) => {
    const { url } = await serve(t, ...TLS);
    assert.match(url, /^https:/);
    const asked = httpsRequest(`${url}/sub/a.txt`, { rejectUnauthorized: false, agent: false }).end();
    const [response] = await once(asked, "response");
    response.setEncoding("utf8");
    assert.equal((await response.toArray()).join(""), "0123456789");
  });

  it("--live: tells pages of changes, also in folders that are new, once for changes at a time", async (t) => {
    const { url, root, server } = await serve(t, "--live");
    const page = await (await fetch(`${url}/`)).text();
    const path = /<script src="([^"]+)" async><\/script><\/body>/.exec(page)?.[1] ?? "";
    const shown = path.split("?")[1] ?? "";
    const script = await fetch(url + path);
    assert.equal(script.headers.get("content-type"), "text/javascript");
    assert.match(await script.text(), /location\.reload/);
    const socket = new WebSocket(`${url.replace("http", "ws")}/.portico/live`);
    const next = async (): Promise<string> => String((await once(socket, "message"))[0]);
    assert.equal(await next(), shown, "it is up to date");
    put(root, "sub/a.txt", "changed");
    put(root, "index.html", PAGE);
    const changed = await next();
    assert.notEqual(changed, shown);
    put(root, "new/deep/b.txt", "new");
    assert.notEqual(await next(), changed);
    // A page of before, whose socket comes late.
    const late = new WebSocket(socket.url);
    assert.notEqual(String((await once(late, "message"))[0]), shown);
    for (const each of [socket, late]) each.close();
    assert.equal((await server.stop()).code, 130);
  });

  it("--live: goes on when the folder is removed and made again", async (t) => {
    const { url, root } = await serve(t, "--live");
    const socket = new WebSocket(`${url.replace("http", "ws")}/.portico/live`);
    await once(socket, "message");
    for (const page of ["one", "two", "three"]) {
      const told = once(socket, "message");
      rmSync(root, { recursive: true });
      put(root, "index.html", page);
      await within(told, "being told of the change");
      assert.match(await (await fetch(url)).text(), new RegExp(`^${page}<script`));
    }
    socket.close();
  });
});

/** The status that a request gets which asks for a host, at a port of this machine. */
async function statusFor(port: string, host: string, options: RequestOptions = {}): Promise<number> {
  const begin = options.rejectUnauthorized === undefined ? request : httpsRequest;
  const asked = begin({ host: "127.0.0.1", port, agent: false, ...options, headers: { Host: host } });
  const [response] = await once(asked.end(), "response");
  response.destroy();
  return response.statusCode;
}

describe("what listens only to this machine", { concurrency: 2 }, () => {
  const own = ["127.0.0.1:80", "127.9.9.9", "localhost", "LocalHost:80", "app.localhost:80", "[::1]:80"];
  const foreign = listOf("rebound.example¦127.0.0.1.rebound.example¦localhost.rebound.example:80¦192.0.2.1");

  /** Opens a WebSocket that asks for a host, and expects that it is refused. */
  async function refused(url: string, host: string): Promise<void> {
    await assert.rejects(opened(new WebSocket(url, { headers: { Host: host } })), /421/);
  }

  it("serve: answers to names of this machine only, also about changes (DNS rebinding)", async (t) => {
    const { url, server } = await serve(t, "--live", "--cors", "--json");
    for (const host of own) assert.equal(await statusFor(new URL(url).port, host), 200, host);
    for (const host of foreign) {
      assert.equal(await statusFor(new URL(url).port, host), 421, host);
      await refused(`${url.replace("http", "ws")}/.portico/live`, host);
    }
    await server.printed(/"status":421/);
  });

  it("echo: the same", async (t) => {
    const url = await start(t, ["echo", "--port", "0"]).url();
    for (const host of own) (await opened(new WebSocket(url, { headers: { Host: host } }))).terminate();
    for (const host of foreign) await refused(url, host);
  });

  it("answers to all names where it was told to listen to others, and with a certificate", async (t) => {
    const all = start(t, ["serve", temporaryFolder(t, FILES), "--port", "0", "--host", "0.0.0.0", "--json"]);
    assert.equal(await statusFor(await all.printed(/"port":(\d+)/), "name.example"), 200);
    const { url } = await serve(t, ...TLS);
    assert.equal(await statusFor(new URL(url).port, "name.example", { rejectUnauthorized: false }), 200);
  });

  it("run: leaves names to the program", async (t) => {
    const text = 'export const routes = { "/": (exchange) => exchange.end() };';
    const server = start(t, ["run", "app.mjs", "--port", "0"], temporaryFolder(t, { "app.mjs": text }));
    assert.equal(await statusFor(new URL(await server.url()).port, "name.example"), 200);
  });
});

describe("portico echo", { concurrency: 2 }, () => {
  it("sends everything back, compressed where that is agreed", async (t) => {
    const options = "--port 0 --deflate contextTakeover,thresholdBytes=0 --max-message 1000";
    const server = start(t, ["echo", ...options.split(" ")]);
    const socket = await opened(new WebSocket(`${await server.url()}/any/path`, { perMessageDeflate: true }));
    assert.match(socket.extensions, /permessage-deflate/);
    const echoed = async (data: string | Buffer): Promise<unknown[]> => {
      const next = once(socket, "message");
      socket.send(data);
      return next;
    };
    assert.deepEqual(await echoed("text"), [Buffer.from("text"), false]);
    assert.deepEqual(await echoed(Buffer.from([0, 255])), [Buffer.from([0, 255]), true]);
    const closed = once(socket, "close");
    socket.send("x".repeat(1_001));
    assert.equal((await closed)[0], 1009);
    assert.equal((await server.stop()).code, 130);
  });

  it("offers no compression unless it is told to", async (t) => {
    const server = start(t, ["echo", "--port", "0", "--json"]);
    assert.match(await server.url(), /^ws:/);
    const socket = await opened(new WebSocket(await server.url(), { perMessageDeflate: true }));
    assert.equal(socket.extensions, "");
    const closed = once(socket, "close");
    assert.equal((await server.stop("SIGTERM")).code, 143);
    assert.equal((await closed)[0], 1001);
  });
});
