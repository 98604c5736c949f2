import assert from "node:assert/strict";
import { getEventListeners, once } from "node:events";
import { createServer, connect as dial, type Server as NetServer, type Socket } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { createServer as createTlsServer } from "node:tls";
import { type ConnectOptions, connect } from "../../src/client/client.ts";
import { proxyFor } from "../../src/client/proxy.ts";
import { certificate } from "../support/certificates.ts";
import { harness } from "../support/harness.ts";
import { listenOn } from "../support/places.ts";
import { signal } from "../support/waiting.ts";

interface Proxy {
  readonly url: string;
  readonly heads: string[];
}

/** A proxy that knows CONNECT, as far as a test needs one. @param answer in place of opening the tunnel */
async function proxyServer(t: TestContext, { tls = false, answer = "" } = {}): Promise<Proxy> {
  const heads: string[] = [];
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy()).on("close", () => sockets.delete(socket));
  };
  const serve = (socket: Socket): void => {
    keep(socket);
    socket.once("data", (bytes: Buffer) => {
      const head = bytes.toString("latin1");
      heads.push(head);
      if (answer !== "") {
        socket.end(answer);
        return;
      }
      const [, host = "", port = ""] = /^CONNECT \[?(.*?)\]?:(\d+) /.exec(head) ?? [];
      const onward = dial(Number(port), host === "server.test" ? "127.0.0.1" : host, () => {
        socket.write(
          "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n",
        );
        socket.pipe(onward).pipe(socket);
      });
      keep(onward);
    });
  };
  const server: NetServer = tls ? createTlsServer(certificate("localhost"), serve) : createServer(serve);
  const port = await listenOn(t, server);
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  return { url: `${tls ? "https" : "http"}://127.0.0.1:${port}`, heads };
}

async function echoServer(t: TestContext, tls: boolean): Promise<string> {
  const { server } = harness(t);
  server.websocket("/", { message: (socket, data, binary) => void socket.send(data, { binary }) });
  const secure = tls ? { tls: certificate("localhost") } : {};
  const { port } = await server.listen({ host: "127.0.0.1", ...secure });
  return `${tls ? "wss" : "ws"}://server.test:${port}/`;
}

async function echo(url: string, options: ConnectOptions): Promise<string> {
  const got = signal<string>();
  const socket = await connect(url, { message: (_, data) => got.give(data.toString()) }, options);
  socket.send("through the tunnel");
  const text = await got.wait("the echo");
  socket.terminate();
  return text;
}

const trusting = { rejectUnauthorized: false };

/** Sets variables of the environment for one test. */
function environment(t: TestContext, values: Record<string, string>): void {
  for (const name of ["http_proxy", "https_proxy", "no_proxy"]) {
    for (const each of [name, name.toUpperCase()]) {
      const former = process.env[each];
      t.after(() => {
        if (former === undefined) delete process.env[each];
        else process.env[each] = former;
      });
      delete process.env[each];
    }
  }
  Object.assign(process.env, values);
}

describe("connect() through a proxy", () => {
  for (const tls of [false, true]) {
    for (const proxyTls of [false, true]) {
      const name = `${tls ? "wss:" : "ws:"} through ${proxyTls ? "https:" : "http:"}`;
      test(`${name}, which looks the name up`, async (t) => {
        const proxy = await proxyServer(t, { tls: proxyTls });
        const url = await echoServer(t, tls);
        const options = { proxy: proxy.url, tls: trusting, proxyTls: trusting };
        assert.equal(await echo(url, options), "through the tunnel");
        const authority = new URL(url).host;
        assert.equal(proxy.heads[0], `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
      });
    }
  }

  test("the certificate of the server is checked inside of the tunnel", async (t) => {
    const proxy = await proxyServer(t);
    const url = await echoServer(t, true);
    await assert.rejects(echo(url, { proxy: proxy.url }), /self-signed|certificate/);
  });

  test("RFC 7617: credentials of the URL go to the proxy, decoded, and into no message", async (t) => {
    const proxy = await proxyServer(t, { answer: "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n" });
    const url = new URL(proxy.url);
    url.username = "me";
    url.password = "sëcret:%25";
    const failed = connect("ws://server.test/", {}, { proxy: url });
    const message =
      /^(?!.*cret).*http:\/\/127\.0\.0\.1:\d+ was asked to connect to server\.test:80 and answered 407 Proxy Auth/s;
    await assert.rejects(failed, { code: "ERR_PROXY", message });
    const [, encoded = ""] = /Proxy-Authorization: Basic (.*)\r/.exec(proxy.heads[0] ?? "") ?? [];
    assert.equal(Buffer.from(encoded, "base64").toString(), "me:sëcret:%");
  });

  const refusals: Record<string, [answer: string, message: RegExp]> = {
    "is no proxy": ["SSH-2.0-OpenSSH\r\n", /does not answer with HTTP\/1/],
    closes: [" ", /closed the connection/],
    "sends more than a head": ["HTTP/1.1 200 OK\r\n\r\nwelcome", /more than a head/],
    "never comes to the end of interim responses": ["HTTP/1.1 102 Wait\r\n\r\n".repeat(20), /interim/],
  };
  for (const [name, [answer, message]] of Object.entries(refusals)) {
    test(`one that ${name}: ERR_PROXY`, async (t) => {
      const proxy = await proxyServer(t, { answer });
      const failed = connect("ws://server.test/", {}, { proxy: proxy.url });
      await assert.rejects(failed, { code: "ERR_PROXY", message });
    });
  }

  test("one that does not listen: the system's error", async () => {
    const failed = connect("ws://server.test/", {}, { proxy: "http://127.0.0.1:1" });
    await assert.rejects(failed, { code: "ECONNREFUSED" });
  });

  test("one that is silent: ERR_TIMEOUT, and an abort before leaves no listener", async (t) => {
    const silent = createServer((socket) => socket.on("error", () => {}));
    const proxy = `http://127.0.0.1:${await listenOn(t, silent)}`;
    const limits = { headTimeoutMs: 50 };
    await assert.rejects(connect("ws://server.test/", {}, { proxy, limits }), { code: "ERR_TIMEOUT" });
    const controller = new AbortController();
    const accepted = once(silent, "connection");
    const attempt = connect("ws://server.test/", {}, { proxy, signal: controller.signal });
    await accepted;
    controller.abort(new Error("enough"));
    await assert.rejects(attempt, /enough/);
    assert.deepEqual(getEventListeners(controller.signal, "abort"), []);
  });

  test("it follows the environment only when asked", async (t) => {
    const proxy = await proxyServer(t);
    const url = (await echoServer(t, false)).replace("server.test", "127.0.0.1");
    environment(t, { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url });
    await echo(url, {});
    assert.equal(proxy.heads.length, 0);
    await echo(url, { proxy: "environment" });
    assert.equal(proxy.heads.length, 1);
    process.env["NO_PROXY"] = "127.0.0.1";
    await echo(url, { proxy: "environment" });
    assert.equal(proxy.heads.length, 1);
  });
});

describe("which proxy", () => {
  test("HTTPS_PROXY and HTTP_PROXY by the scheme, the lower-case names first, with or without http:", (t) => {
    environment(t, {
      HTTPS_PROXY: "https://secure.test",
      HTTP_PROXY: "upper.test:1",
      http_proxy: "lower.test:3128",
    });
    assert.equal(proxyFor("environment", true, "a.test", 443)?.href, "https://secure.test/");
    assert.equal(proxyFor("environment", false, "a.test", 80)?.href, "http://lower.test:3128/");
    assert.equal(proxyFor(undefined, false, "a.test", 80), undefined);
  });

  test("NO_PROXY", (t) => {
    environment(t, { HTTP_PROXY: "http://proxy.test" });
    const cases: [list: string, hostname: string, port: number, isExcluded: boolean][] = [
      ["", "a.test", 80, false],
      ["*", "a.test", 80, true],
      ["a.test", "a.test", 80, true],
      ["a.test", "b.a.test", 80, true],
      ["a.test", "ba.test", 80, false],
      [".a.test", "b.a.test", 80, true],
      ["*.a.test", "b.a.test", 80, true],
      ["A.TEST", "a.test", 80, true],
      ["x.test, a.test:8080 y.test", "a.test", 80, false],
      ["x.test, a.test:8080 y.test", "a.test", 8080, true],
      ["127.0.0.1,::1", "127.0.0.1", 80, true],
      ["127.0.0.1,::1", "[::1]", 80, true],
      ["[::1]", "[::1]", 80, true],
      [",,", "a.test", 80, false],
    ];
    for (const [list, hostname, port, isExcluded] of cases) {
      process.env["NO_PROXY"] = list;
      const proxy = proxyFor("environment", false, hostname, port);
      assert.equal(proxy === undefined, isExcluded, `${list}: ${hostname}`);
    }
  });

  test("one that cannot be used is a TypeError without its password", () => {
    for (const place of [
      "socks5://me:secret@proxy.test",
      "http://me:secret@",
      "ftp://me:secret@proxy.test",
    ]) {
      const isSafe = (error: unknown) => error instanceof TypeError && !error.message.includes("secret");
      assert.throws(() => proxyFor(place, false, "a.test", 80), isSafe);
    }
  });
});
