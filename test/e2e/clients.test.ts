import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { connect as connectTls, createSecureContext } from "node:tls";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Agent, request, WebSocket as UndiciWebSocket } from "undici";
import WebSocket from "ws";
import { connect } from "../../src/client/client.ts";
import type { WebSocketHandlers } from "../../src/exchange/exchange.ts";
import type { Listener } from "../../src/server/listener.ts";
import { Server } from "../../src/server/server.ts";
import { certificate } from "../support/certificates.ts";
import { absent, curl } from "../support/tools.ts";
import { signal } from "../support/waiting.ts";
import { exchanged, nextMessage, opened } from "../support/ws-client.ts";

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "portico-clients-"));
const large = randomBytes(3_000_000);
const largeFile = join(folder, "large");
writeFileSync(largeFile, large);
const authority = fileURLToPath(new URL("../fixtures/localhost.cert.pem", import.meta.url));

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** What all clients are tried against. */
function makeServer(directIo: boolean): Server {
  const server = new Server({ directIo });
  server.get("/hello/:name", (exchange) => {
    exchange.setHeader("X-Query", exchange.query).end(`Hello, ${exchange.params.name}`);
  });
  server.get("/large", (exchange) => {
    exchange.end(large);
  });
  server.get("/chunks", (exchange) => {
    for (let i = 0; i < 5; i++) exchange.write(`chunk ${i}\n`);
    exchange.end();
  });
  server.post("/echo", (exchange) => exchange.stream(exchange.body).then(() => {}));
  server.post("/digest", async (exchange) => {
    exchange.end(digest(await exchange.bytes()));
  });
  const socket: WebSocketHandlers = { message: (ws, data, binary) => ws.send(data, { binary }) };
  server.websocket("/ws", socket, { protocols: ["echo"] });
  server.websocket("/deflate", socket, {
    compression: { contextTakeover: true, clientContextTakeover: true, thresholdBytes: 0 },
  });
  return server;
}

for (const [kind, secure, directIo] of [
  ["TCP", false, true],
  ["TCP with 'data' events", false, false],
  ["TLS", true, true],
] as const) {
  describe(`independent clients over ${kind}`, () => {
    const own = certificate("localhost");
    const server = makeServer(directIo);
    const dispatcher = new Agent({ connect: { ca: own.cert } });
    let listener: Listener;
    let url: string;
    let socketUrl: string;

    before(async () => {
      listener = await server.listen({ host: "127.0.0.1", ...(secure ? { tls: own } : {}) });
      url = `http${secure ? "s" : ""}://localhost:${listener.port}`;
      socketUrl = url.replace("http", "ws");
    });

    after(async () => {
      await dispatcher.close();
      await server.close();
      assert.equal(server.counters.openConnections, 0);
      assert.deepEqual({ ...server.counters.errors }, {});
    });

    it("curl", { skip: absent(curl, "curl") }, async () => {
      const options = ["-sS", "--fail", ...(secure ? ["--cacert", authority] : [])];
      const call = async (...args: string[]): Promise<Buffer> => {
        const how = { encoding: "buffer", maxBuffer: 1e8 } as const;
        return (await run(curl ?? "curl", [...options, ...args], how)).stdout;
      };
      assert.equal(String(await call(`${url}/hello/a%20b?x=1`)), "Hello, a b");
      assert.equal(String(await call("-0", `${url}/chunks`)), String(await call(`${url}/chunks`)));
      assert.match(String(await call("-I", `${url}/large`)), /^content-length: 3000000\r$/im);
      assert.equal(digest(await call(`${url}/large`)), digest(large));
      assert.equal(digest(await call("--data-binary", `@${largeFile}`, `${url}/echo`)), digest(large));
      const chunked = ["-H", "Transfer-Encoding: chunked", "-H", "Expect: 100-continue"];
      const sent = String(await call(...chunked, "--data-binary", `@${largeFile}`, `${url}/digest`));
      assert.equal(sent, digest(large));
    });

    it("undici, pipelining and streaming", async () => {
      const answers = await Promise.all(
        Array.from({ length: 50 }, async (_, i) => {
          const { statusCode, headers, body } = await request(`${url}/hello/${i}?i=${i}`, { dispatcher });
          return [statusCode, headers["x-query"], await body.text()];
        }),
      );
      const expected = Array.from({ length: 50 }, (_, i) => [200, `i=${i}`, `Hello, ${i}`]);
      assert.deepEqual(answers, expected);
      const { body } = await request(`${url}/echo`, { method: "POST", body: large, dispatcher });
      assert.equal(digest(await body.bytes()), digest(large));
    });

    it("Node's fetch", async () => {
      // It takes certificate authorities from the environment only, when its process starts.
      const program = `
        const { readFileSync } = await import("node:fs");
        const body = readFileSync(process.argv[1]);
        const digest = await fetch(process.argv[2] + "/digest", { method: "POST", body });
        const chunks = await fetch(process.argv[2] + "/chunks");
        console.log(await digest.text(), (await chunks.text()).length);`;
      const args = ["--input-type=module", "--eval", program, largeFile, url];
      const env = { ...process.env, NODE_EXTRA_CA_CERTS: authority };
      const { stdout } = await run(process.execPath, args, { env });
      assert.equal(stdout.trim(), `${digest(large)} 40`);
    });

    for (const path of ["/ws", "/deflate"]) {
      it(`ws on ${path}`, async () => {
        const socket = await opened(
          new WebSocket(`${socketUrl}${path}`, path === "/ws" ? ["none", "echo"] : [], { ca: own.cert }),
        );
        assert.equal(socket.protocol, path === "/ws" ? "echo" : "");
        assert.equal(socket.extensions, path === "/ws" ? "" : "permessage-deflate");
        for (const size of [0, 1, 125, 126, 65_535, 65_536, 1_000_000]) {
          const data = path === "/ws" ? large.subarray(0, size) : Buffer.alloc(size, "compressible ");
          socket.send(data);
          const message = await nextMessage(socket);
          assert.ok(message.binary && message.data === data.toString("latin1"), `${size} bytes`);
        }
        socket.send("fragmented ", { fin: false });
        socket.send("text é", { fin: true });
        assert.equal(Buffer.from((await nextMessage(socket)).data, "latin1").toString(), "fragmented text é");
        const pong = once(socket, "pong");
        socket.ping("are you there");
        assert.equal(String((await pong)[0]), "are you there");
        socket.close(3_001, "enough");
        const [code] = await once(socket, "close");
        assert.equal(code, 3_001);
      });

      it(`Portico's own client on ${path}`, async () => {
        let arrived = signal<string>();
        const closed = signal<number>();
        const socket = await connect(
          `${socketUrl}${path}`,
          { message: (_, data) => arrived.give(data.toString()), close: (_, code) => closed.give(code) },
          { compression: { thresholdBytes: 0 }, protocols: ["echo"], tls: { ca: own.cert } },
        );
        assert.equal(socket.compresses, path === "/deflate");
        for (const size of [0, 10, 1_000, 100_000]) {
          const text = "å".repeat(size);
          arrived = signal();
          socket.send(text);
          assert.equal(await arrived.wait("the echo"), text);
        }
        socket.close();
        assert.equal(await closed.wait("the close"), 1_000);
      });
    }

    it("undici's WebSocket", async () => {
      const socket = new UndiciWebSocket(`${socketUrl}/deflate`, { dispatcher });
      await once(socket, "open");
      const answer = once(socket, "message");
      socket.send("x".repeat(100_000));
      assert.equal((await answer)[0].data, "x".repeat(100_000));
      const end = once(socket, "close");
      socket.close(1_000);
      assert.equal((await end)[0].code, 1_000);
    });
  });
}

describe("a Unix socket", () => {
  it("serves HTTP and WebSocket", async () => {
    const path = join(folder, "socket");
    await using server = makeServer(true);
    const listener = await server.listen({ path });
    assert.deepEqual([listener.port, listener.host, listener.url], [0, path, path]);
    const dispatcher = new Agent({ connect: { socketPath: path } });
    const { body } = await request("http://localhost/hello/unix", { dispatcher });
    assert.equal(await body.text(), "Hello, unix");
    await dispatcher.close();
    const socket = await opened(new WebSocket(`ws+unix://${path}:/ws`));
    assert.equal((await exchanged(socket, "over a file")).data, "over a file");
    socket.close();
    await once(socket, "close");
  });
});

describe("TLS certificates", () => {
  it("are chosen by SNI, and replaced while the server runs", async () => {
    const first = certificate("localhost");
    const second = certificate("other.example");
    await using server = makeServer(true);
    const listener = await server.listen({
      host: "127.0.0.1",
      tls: {
        ...first,
        SNICallback: (name, done) =>
          done(null, name === "other.example" ? createSecureContext(second) : undefined),
      },
    });
    const seen = async (servername: string): Promise<string> => {
      const to = { port: listener.port, host: "127.0.0.1", servername, rejectUnauthorized: false };
      const socket = connectTls(to);
      await once(socket, "secureConnect");
      const { subject } = socket.getPeerCertificate();
      socket.destroy();
      return String(subject.CN);
    };
    assert.equal(await seen("localhost"), "localhost");
    assert.equal(await seen("other.example"), "other.example");
    listener.setSecureContext(second);
    assert.equal(await seen("localhost"), "other.example");
  });

  it("a client that speaks no TLS is dropped and counted, and others are served", async () => {
    await using server = makeServer(true);
    const listener = await server.listen({ host: "127.0.0.1", tls: certificate("localhost") });
    const socket = connectTcp(listener.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.end("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await once(socket, "close");
    const dispatcher = new Agent({ connect: { rejectUnauthorized: false } });
    const { statusCode } = await request(`${listener.url}/chunks`, { dispatcher });
    assert.equal(statusCode, 200);
    await dispatcher.close();
    assert.equal(Object.keys(server.counters.errors).length, 1);
  });
});

after(() => rmSync(folder, { recursive: true, force: true }));
