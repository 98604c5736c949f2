// One sample without sockets, in its own process: `in-memory.mjs PEER CELL SECONDS TREE` prints the least time of an
// exchange in nanoseconds. Neither the system nor a load takes part. The fastest of hundreds of short stretches counts.
import { Server as HttpServer } from "node:http";
import { Duplex } from "node:stream";
import { pathToFileURL } from "node:url";
import { cellNamed, isWebSocket } from "./cells.mjs";
import { httpExchanges } from "./http-exchanges.mjs";
import { handshakeRequest, webSocketExchanges } from "./websocket-exchanges.mjs";

/** The client's end of a connection. @typedef {{ send(bytes: Buffer): void, received: (count: number) => void }} Client */

const CONNECTIONS = 8;
/** Exchanges of one stretch, at least. */
const EXCHANGES = 256;
const WARM_SECONDS = 0.7;

const [peer = "", cellName = "", seconds = "1", tree = ""] = process.argv.slice(2);
const cell = cellNamed(cellName);
/** In flight on each connection, so that the cost of the stand-in for a socket is small beside theirs. */
const DEPTH = 16;
const treeFile = (/** @type {string} */ path) => pathToFileURL(`${tree}/${path}`).href;

/** What a server of node:http takes for a socket. */
class Wire extends Duplex {
  /** @type {Client} */
  client = { send: (bytes) => void this.push(bytes), received: () => {} };
  /** @override */
  _read() {}
  /** @override @param {Buffer} chunk @param {string} _encoding @param {() => void} done */
  _write(chunk, _encoding, done) {
    this.client.received(chunk.length);
    done();
  }
  /** @override @param {readonly { chunk: Buffer }[]} chunks @param {() => void} done */
  _writev(chunks, done) {
    let count = 0;
    for (const { chunk } of chunks) count += chunk.length;
    this.client.received(count);
    done();
  }
  setTimeout() {}
  setNoDelay() {}
  setKeepAlive() {}
}

/** Starts the peer's program, which then serves what is connected here instead of a port. @returns {Promise<() => Client>} */
async function startPeer() {
  if (peer === "node-http" || peer === "ws") {
    /** @type {HttpServer | undefined} */
    let server;
    HttpServer.prototype.listen = function () {
      server = this;
      return this;
    };
    await import(`../servers/${peer}.mjs`);
    return () => {
      const wire = new Wire();
      server?.emit("connection", wire);
      return wire.client;
    };
  }
  const { Server, MemoryTransport } = await import(treeFile("dist/index.js"));
  /** @type {import("../../dist/index.js").Server | undefined} */
  let server;
  Server.prototype.listen = function () {
    server = this;
    return { port: 0 };
  };
  const { log } = console;
  console.log = () => {};
  await import(treeFile(`bench/servers/${peer}.mjs`));
  console.log = log;
  return () => {
    const [here, there] = MemoryTransport.pair();
    /** @type {Client} */
    const client = { send: (bytes) => here.writeBytes(bytes), received: () => {} };
    const ignore = () => {};
    here.sink = {
      onBytes: (/** @type {Buffer} */ _bytes, /** @type {number} */ start, /** @type {number} */ end) =>
        client.received(end - start),
      ...{ onEnd: ignore, onDrain: ignore, onClose: ignore },
    };
    server?.accept(there);
    return client;
  };
}

/** The requests or messages that are in flight together on one connection, again and again. */
function batches() {
  const all = isWebSocket(cell) ? webSocketExchanges(cell) : httpExchanges(cell.request ?? "plain");
  const count = Math.min(16, Math.ceil(all.length / DEPTH));
  return Array.from({ length: count }, (_, batch) =>
    Buffer.concat(
      Array.from({ length: DEPTH }, (__, at) => {
        const exchange = all[(batch * DEPTH + at) % all.length];
        return exchange?.request ?? Buffer.alloc(0);
      }),
    ),
  );
}

/** Sends bytes and waits until nothing more comes back. @param {Client} client @param {Buffer} bytes */
async function answered(client, bytes) {
  let count = 0;
  client.received = (length) => (count += length);
  client.send(bytes);
  for (let quiet = 0, before = 0; quiet < 20; quiet = count > before ? 0 : quiet + 1, before = count) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (count === 0) throw new Error(`${peer} does not answer`);
  return count;
}

const open = await startPeer();
const sent = batches();
const clients = Array.from({ length: CONNECTIONS }, open);
if (isWebSocket(cell)) {
  for (const client of clients) await answered(client, Buffer.from(handshakeRequest(cell)));
}
/** How many bytes answer each batch. @type {number[]} */
const lengths = [];
for (const batch of sent) lengths.push(await answered(/** @type {Client} */ (clients[0]), batch));

/** All connections make so many rounds, each at the same time. @param {number} rounds @returns {Promise<number>} nanoseconds */
function stretch(rounds) {
  return new Promise((resolve) => {
    let [round, awaited] = [0, 0];
    const started = process.hrtime.bigint();
    const next = () => {
      if (round === rounds) {
        resolve(Number(process.hrtime.bigint() - started));
        return;
      }
      const at = round++ % sent.length;
      awaited = (lengths[at] ?? 0) * clients.length;
      for (const client of clients) client.send(/** @type {Buffer} */ (sent[at]));
    };
    for (const client of clients) {
      client.received = (count) => {
        awaited -= count;
        if (awaited === 0) setImmediate(next);
      };
    }
    next();
  });
}

const rounds = Math.ceil(EXCHANGES / (CONNECTIONS * DEPTH * sent.length)) * sent.length;
for (const end = performance.now() + WARM_SECONDS * 1000; performance.now() < end; ) await stretch(rounds);
let least = Number.POSITIVE_INFINITY;
for (const end = performance.now() + Number(seconds) * 1000; performance.now() < end; ) {
  least = Math.min(least, (await stretch(rounds)) / (rounds * CONNECTIONS * DEPTH));
}
console.log(least.toFixed(1));
process.exit(0);
