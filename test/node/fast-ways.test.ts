// Connections at work: on every version of Node that Portico supports, nothing of what a server reads or writes may pass
// through the stream of a socket.
import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { connect, Socket } from "node:net";
import { Readable } from "node:stream";
import { describe, it, type TestContext } from "node:test";
import { connect as connectTls } from "node:tls";
import { Server } from "../../src/index.ts";
import type { TransportAddress } from "../../src/transport/listen.ts";
import { certificate } from "../support/certificates.ts";
import { BINARY, frameHead } from "../support/frames.ts";
import { eventually } from "../support/waiting.ts";
import { handshake } from "../support/web-socket-handshake.ts";

const CONTENT = "x".repeat(100_000);

/** What passes through the streams of sockets, but for those of the test and of its process. */
interface Streams {
  reads: number;
  writes: number;
  /** Sockets that Node has made for accepted connections. */
  accepted: number;
  readonly others: Set<unknown>;
}

/** Looks at what Node's own sockets do when bytes come from the handle or go to it. */
function watchStreams(t: TestContext): Streams {
  const seen: Streams = {
    reads: 0,
    writes: 0,
    accepted: 0,
    others: new Set([process.stdout, process.stderr]),
  };
  const onSocket = (): void => {
    seen.accepted++;
  };
  subscribe("net.server.socket", onSocket);
  t.after(() => unsubscribe("net.server.socket", onSocket));
  const methods: object = Socket.prototype;
  for (const name of ["_write", "_writev"]) {
    const original: unknown = Reflect.get(methods, name);
    assert.ok(typeof original === "function");
    const write = function (this: Socket, ...args: unknown[]): unknown {
      if (!seen.others.has(this)) seen.writes++;
      return Reflect.apply(original, this, args);
    };
    t.after(() => Reflect.set(methods, name, original));
    Reflect.set(methods, name, write);
  }
  const { push } = Readable.prototype;
  t.mock.method(Readable.prototype, "push", function (this: Readable, chunk: unknown, encoding?: "utf8") {
    if (this instanceof Socket && !seen.others.has(this) && chunk !== null) seen.reads++;
    return push.call(this, chunk, encoding);
  });
  return seen;
}

/** A GET, a POST whose content comes back, and a WebSocket message that comes back. */
async function talk(client: Socket): Promise<void> {
  let answer = "";
  client.setEncoding("latin1").on("data", (text: string) => {
    answer += text;
  });
  const exchange = async (request: string | Buffer, end: string): Promise<void> => {
    answer = "";
    client.write(request);
    await eventually(() => answer.endsWith(end), end.slice(-20));
  };
  await exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "hello");
  await exchange(
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${CONTENT.length}\r\n\r\n${CONTENT}`,
    `\r\n\r\n${CONTENT}`,
  );
  await exchange(handshake("/echo"), "\r\n\r\n");
  const mask: [number, number, number, number] = [0, 0, 0, 0];
  await exchange(Buffer.concat([frameHead(BINARY, 4, { mask }), Buffer.from("ping")]), "ping");
}

async function served(t: TestContext, address: TransportAddress, directIo: boolean): Promise<Streams> {
  const server = new Server({ directIo });
  t.after(() => server.close({ graceMs: 0 }));
  server.get("/", (exchange) => exchange.end("hello"));
  server.post("/", async (exchange) => exchange.end(await exchange.bytes()));
  server.websocket("/echo", { message: (socket, data, binary) => socket.send(data, { binary }) });
  const { port } = await server.listen(address);
  const streams = watchStreams(t);
  const target = address.path === undefined ? { port, host: "127.0.0.1" } : { path: address.path };
  const client = address.tls ? connectTls({ ...target, rejectUnauthorized: false }) : connect(target);
  streams.others.add(client);
  t.after(() => client.destroy());
  await talk(client);
  return streams;
}

const isLinux = process.platform === "linux";
const kinds: [name: string, address: TransportAddress, skip: boolean][] = [
  ["TCP", { host: "127.0.0.1" }, false],
  ["a Unix socket", { path: `\0portico-fast-ways-${process.pid}` }, !isLinux],
  ["TLS", { host: "127.0.0.1", tls: certificate("localhost") }, false],
];

for (const [kind, address, skip] of kinds) {
  describe(`a connection over ${kind}`, { skip }, () => {
    it("is read into the shared buffer, and written to its handle, without a socket where that is possible", async (t) => {
      const { reads, writes, accepted } = await served(t, address, true);
      assert.deepEqual(
        { reads, writes, accepted },
        { reads: 0, writes: 0, accepted: address.tls === undefined ? 0 : 1 },
      );
    });

    it("is seen here when it uses the stream", async (t) => {
      const { reads, writes, accepted } = await served(t, address, false);
      assert.ok(reads >= 4 && writes >= 4, `${reads} reads, ${writes} writes`);
      assert.equal(accepted, 1);
    });
  });
}
