import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { describe, it, type TestContext } from "node:test";
import { connect as connectTls, type TLSSocket } from "node:tls";
import type { ServerOptions } from "../../src/server/server-options.ts";
import type { TransportAddress } from "../../src/transport/listen.ts";
import { certificate } from "../support/certificates.ts";
import { type Harness, harness } from "../support/harness.ts";
import { eventually, within } from "../support/waiting.ts";
import { binaryHeader } from "./proxy-headers.ts";

const LINE = "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n";
const GET = "GET /who HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

interface Proxied extends Harness {
  /** A connection of the "proxy". */
  dial(): Promise<Socket>;
}

async function proxied(
  t: TestContext,
  proxyProtocol: TransportAddress["proxyProtocol"],
  options: ServerOptions = {},
  tls?: TransportAddress["tls"],
): Promise<Proxied> {
  const made = harness(t, options);
  made.server.get("/who", (exchange) => exchange.end(`${exchange.remoteAddress} ${exchange.remotePort}`));
  made.server.get("/held", () => {});
  const { port } = await made.server.listen({
    host: "127.0.0.1",
    ...(proxyProtocol === undefined ? {} : { proxyProtocol }),
    ...(tls === undefined ? {} : { tls }),
  });
  return {
    ...made,
    async dial() {
      const socket = connect(port, "127.0.0.1");
      t.after(() => socket.destroy());
      socket.on("error", () => {});
      await within(once(socket, "connect"), "the connection");
      return socket;
    },
  };
}

/** Everything that comes until the other side has closed. */
async function textOf(socket: Socket | TLSSocket): Promise<string> {
  let text = "";
  socket.on("data", (bytes) => {
    text += bytes.toString("latin1");
  });
  await within(Promise.race([once(socket, "end"), once(socket, "close")]), "the end");
  return text;
}

/** Gives the bytes one by one, each when the one before has left. */
async function drip(socket: Socket, bytes: Buffer): Promise<void> {
  socket.setNoDelay(true);
  for (const byte of bytes) {
    await new Promise((resolve) => socket.write(Buffer.from([byte]), resolve));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A stream on a socket whose first write has a header before it, in the same piece. */
function prefixed(socket: Socket, header: string): Duplex {
  let before = Buffer.from(header);
  const stream = new Duplex({
    read: () => {},
    write(chunk, _encoding, callback) {
      socket.write(Buffer.concat([before, chunk]), callback);
      before = Buffer.alloc(0);
    },
  });
  socket.on("data", (bytes) => stream.push(bytes)).on("end", () => stream.push(null));
  return stream;
}

describe("listen with proxyProtocol", () => {
  for (const directIo of [true, false]) {
    const how = directIo ? "read directly" : "read as a stream";

    it(`gives the exchange the peer that the header names, ${how}`, async (t) => {
      const { dial, server } = await proxied(t, true, { directIo });
      const socket = await dial();
      socket.write(LINE + GET);
      assert.match(await textOf(socket), /^HTTP\/1\.1 200 OK\r\n.*\r\n\r\n192\.0\.2\.1 56324$/s);
      assert.deepEqual({ ...server.counters.errors }, {});
    });

    it(`takes header and request apart wherever they are cut, ${how}`, async (t) => {
      const { dial } = await proxied(t, true, { directIo });
      const [dripped, cut] = [await dial(), await dial()];
      await drip(dripped, Buffer.from(LINE + GET));
      assert.match(await textOf(dripped), /192\.0\.2\.1 56324$/);
      cut.write(LINE.slice(0, 20));
      await new Promise((resolve) => setImmediate(resolve));
      cut.write(LINE.slice(20) + GET.slice(0, 10));
      await new Promise((resolve) => setImmediate(resolve));
      cut.write(GET.slice(10));
      assert.match(await textOf(cut), /192\.0\.2\.1 56324$/);
    });

    it(`goes on with further requests on the same connection, ${how}`, async (t) => {
      const { dial } = await proxied(t, true, { directIo });
      const socket = await dial();
      const text = textOf(socket);
      socket.write(LINE + GET.replace("close", "keep-alive"));
      await within(once(socket, "data"), "the first answer");
      socket.write(GET);
      assert.equal((await text).match(/192\.0\.2\.1 56324/g)?.length, 2);
    });
  }

  for (const [name, header] of [
    ["UNKNOWN", Buffer.from("PROXY UNKNOWN\r\n")],
    ["LOCAL", binaryHeader(0x20, 0)],
  ] as const) {
    it(`keeps the socket's own peer for ${name}`, async (t) => {
      const { dial } = await proxied(t, true);
      const socket = await dial();
      const { localPort } = socket;
      socket.write(Buffer.concat([header, Buffer.from(GET)]));
      assert.match(await textOf(socket), new RegExp(`127\\.0\\.0\\.1 ${localPort}$`));
    });
  }

  for (const [name, bytes, errors] of [
    ["a request without a header", GET, { PROXY_HEADER: 1 }],
    ["half a header and the end", LINE.slice(0, 20), { PROXY_HEADER: 1 }],
    ["the end at once", "", {}],
  ] as const) {
    it(`closes after ${name}`, async (t) => {
      const { dial, server } = await proxied(t, true);
      const socket = await dial();
      socket.end(bytes);
      assert.equal(await textOf(socket), "");
      await eventually(
        () => Object.keys(server.counters.errors).length === Object.keys(errors).length,
        "count",
      );
      assert.deepEqual({ ...server.counters.errors }, errors);
      assert.equal(server.counters.connections, 0);
    });
  }

  it("closes when the header does not come in time", async (t) => {
    const { dial, server } = await proxied(t, { timeoutMs: 30 });
    const socket = await dial();
    socket.write(LINE.slice(0, 20));
    assert.equal(await textOf(socket), "");
    await eventually(() => server.counters.errors["PROXY_TIMEOUT"] === 1, "the count");
  });

  it("turns away who is not among the proxies", async (t) => {
    const { dial, server } = await proxied(t, { from: ["10.0.0.0/8"] });
    const socket = await dial();
    socket.write(LINE + GET);
    assert.equal(await textOf(socket), "");
    await eventually(() => server.counters.errors["PROXY_PEER"] === 1, "the count");
    const friendly = await proxied(t, { from: ["10.0.0.0/8", "loopback"] });
    const known = await friendly.dial();
    known.write(LINE + GET);
    assert.match(await textOf(known), /192\.0\.2\.1 56324$/);
  });

  it("holds limits to the peer that the header names, and counts who waits", async (t) => {
    const { dial, server } = await proxied(t, true, {
      limits: { maxConnectionsPerAddress: 1, maxConnections: 3 },
    });
    const first = await dial();
    first.write(`${LINE}GET /held HTTP/1.1\r\nHost: h\r\n\r\n`);
    await eventually(() => server.counters.requests === 1, "the request");
    const same = await dial();
    same.write(LINE + GET);
    assert.equal(await textOf(same), "", "the second of one address");
    const other = await dial();
    other.write(LINE.replace("192.0.2.1", "192.0.2.2") + GET);
    assert.match(await textOf(other), /192\.0\.2\.2 56324$/, "another address behind the same proxy");
    assert.equal(server.counters.refusedConnections, 1);
    await eventually(() => server.counters.openConnections === 1, "the other to be gone");
    // Two that say nothing, and there is no room left.
    await Promise.all([dial(), dial()]);
    assert.equal(await textOf(await dial()), "");
    assert.equal(server.counters.refusedConnections, 2);
  });

  it("closes connections that wait when the server closes", async (t) => {
    const { dial, server } = await proxied(t, true);
    const socket = await dial();
    const text = textOf(socket);
    await drip(socket, Buffer.from("PROX"));
    await within(server.close({ graceMs: 0 }), "the server to close");
    assert.equal(await text, "");
  });

  it("takes the header in clear before a TLS handshake", async (t) => {
    const { dial, server } = await proxied(t, true, {}, certificate("localhost"));
    for (const together of [true, false]) {
      const socket = await dial();
      if (!together) socket.write(LINE);
      const below = together ? prefixed(socket, LINE) : socket;
      const secure = connectTls({ socket: below, rejectUnauthorized: false });
      secure.write(GET);
      assert.match(await textOf(secure), /192\.0\.2\.1 56324$/);
    }
    const bare = connectTls({ socket: await dial(), rejectUnauthorized: false }).on("error", () => {});
    assert.equal(await textOf(bare), "");
    await eventually(() => server.counters.errors["PROXY_HEADER"] === 1, "the count");
    assert.equal(server.counters.connections, 2);
  });

  it("renews the certificate behind it, too", async (t) => {
    const { server } = harness(t);
    const listener = await server.listen({
      host: "127.0.0.1",
      tls: certificate("localhost"),
      proxyProtocol: true,
    });
    listener.setSecureContext(certificate("other.example"));
    assert.match(listener.url, /^https:/);
    const socket = connect(listener.port, "127.0.0.1");
    t.after(() => socket.destroy());
    socket.write(LINE);
    const secure = connectTls({ socket, rejectUnauthorized: false });
    await within(once(secure, "secureConnect"), "the handshake");
    assert.equal(secure.getPeerCertificate().subject.CN, "other.example");
    secure.destroy();
  });

  it("refuses options that make no sense", async (t) => {
    const { server } = harness(t);
    const listen = (proxyProtocol: TransportAddress["proxyProtocol"]) =>
      server.listen({ host: "127.0.0.1", proxyProtocol: proxyProtocol! });
    await assert.rejects(listen({ from: ["nobody"] }), RangeError);
    await assert.rejects(listen({ timeoutMs: Number.NaN }), RangeError);
    assert.throws(() => server.listenNow({ proxyProtocol: { from: ["10.0.0.0/33"] } }), RangeError);
  });
});
