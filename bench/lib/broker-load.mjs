// Fan-out over two processes: one client publishes, all clients of both receive. In JavaScript, because socket.io has frames
// of its own; to cost little it counts bytes, after it has seen one message of each client whole.
import { once } from "node:events";
import { connect } from "node:net";

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const IN_FLIGHT = 4;
const SETTLE_MS = 300;
const TEXT = "x".repeat(64);

/** @typedef {{ path: string, joins: boolean, message: string }} Dialect */

/** What clients send and get. @type {Readonly<Record<string, Dialect>>} */
const dialects = {
  plain: { path: "/", joins: false, message: TEXT },
  "socket.io": {
    path: "/socket.io/?EIO=4&transport=websocket",
    joins: true,
    message: `42${JSON.stringify(["m", TEXT])}`,
  },
};

/** A short text frame with a mask of zeros. @param {string} text */
function clientFrame(text) {
  return Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]);
}

/** @param {number} ms */
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** @param {number} port @param {Dialect} dialect */
async function openClient(port, { path, joins }) {
  const socket = connect(port, "127.0.0.1").setNoDelay(true);
  socket.on("error", () => {});
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n\r\n`,
  );
  let text = "";
  /** @param {string} end */
  const upTo = async (end) => {
    while (!text.includes(end)) text += (await once(socket, "data"))[0].toString("latin1");
  };
  await upTo("\r\n\r\n");
  if (joins) {
    socket.write(clientFrame("40"));
    await upTo('40{"sid"');
  }
  return socket;
}

/** Clients on all ports, which publish and receive. */
export class Crowd {
  /** @param {readonly number[]} ports @param {string} dialect @param {number} count @returns {Promise<Crowd>} */
  static async open(ports, dialect, count) {
    const spoken = dialects[dialect];
    if (spoken === undefined) throw new Error(`unknown dialect ${dialect}`);
    const sockets = [];
    for (let index = 0; index < count; index++) {
      sockets.push(await openClient(ports[index % ports.length] ?? 0, spoken));
    }
    await sleep(SETTLE_MS);
    return new Crowd(sockets, spoken);
  }

  /** @param {import("node:net").Socket[]} sockets @param {Dialect} dialect */
  constructor(sockets, dialect) {
    this.sockets = sockets;
    this.frame = clientFrame(dialect.message);
    /** The server's frame has no mask. */
    this.length = this.frame.length - 4;
    this.expected = dialect.message;
    this.delivered = 0;
    /** @type {number[]} */
    this.times = [];
    /** @type {number[]} */
    this.sentAt = [];
    /** @type {number[]} */
    this.arrived = [];
    this.isOpen = false;
    for (const socket of sockets) this.count(socket);
  }

  /** @param {import("node:net").Socket} socket */
  count(socket) {
    let bytes = 0;
    let first = "";
    let messages = 0;
    socket.on("data", (chunk) => {
      if (first.length < this.length) first += chunk.toString("latin1");
      bytes += chunk.length;
      for (const now = performance.now(); messages < Math.floor(bytes / this.length); messages++) {
        if (messages === 0 && first.slice(2, this.length) !== this.expected) {
          throw new Error(`a client got ${JSON.stringify(first.slice(0, 100))}`);
        }
        this.delivered++;
        this.times.push(now - (this.sentAt[messages] ?? Number.NaN));
        const arrived = (this.arrived[messages] ?? 0) + 1;
        this.arrived[messages] = arrived;
        if (arrived === this.sockets.length) this.publish();
      }
    });
  }

  publish() {
    if (!this.isOpen) return;
    this.sentAt.push(performance.now());
    this.sockets[0]?.write(this.frame);
  }

  /**
   * Measures for a while, and ends when everything has been delivered.
   * @param {number} ms
   * @param {() => number} processorTime of the servers, in milliseconds
   */
  async measure(ms, processorTime) {
    const [from, began, used] = [this.delivered, performance.now(), processorTime()];
    this.times = [];
    this.isOpen = true;
    for (let count = 0; count < IN_FLIGHT; count++) this.publish();
    await sleep(ms);
    this.isOpen = false;
    const all = this.sentAt.length * this.sockets.length;
    while (this.delivered < all) await sleep(1);
    const deliveries = this.delivered - from;
    const seconds = (performance.now() - began) / 1_000;
    if (deliveries === 0) throw new Error("nothing was delivered");
    const sorted = Float64Array.from(this.times).sort();
    return {
      deliveries,
      rate: deliveries / seconds,
      p99: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN,
      microseconds: ((processorTime() - used) * 1_000) / deliveries,
    };
  }

  close() {
    this.isOpen = false;
    for (const socket of this.sockets) socket.destroy();
  }
}
