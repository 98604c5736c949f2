// No server of HTTP or WebSocket: the least that JavaScript does with Node's undocumented handles, which Portico uses, too.
// One buffer for all reads, and one write for each: of prepared bytes, or of the payloads of frames. Nothing is checked.
import { connect, createServer, Socket } from "node:net";
import { headerAt, keyAt, largeAnswers, smallAnswer, UPGRADE, unmask } from "../lib/prepared.mjs";
import { HOST } from "../lib/workload.mjs";

/**
 * @typedef {object} Handle
 * @property {(request: object | null, text: string) => unknown} writeLatin1String
 * @property {(request: object | null, bytes: Uint8Array) => unknown} writeBuffer
 * @property {(buffer: Uint8Array) => void} useUserBuffer
 * @property {() => number} readStart
 * @property {(isOn: boolean) => number} setNoDelay
 * @property {(callback: () => void) => void} close
 */

const READ_BYTES = 65_536;
const input = Buffer.allocUnsafeSlow(READ_BYTES);
const nothing = () => {};

/** Node's symbols, by name. @type {Map<string | undefined, symbol>} */
const symbols = new Map();
/** What a write takes: a request of this class, or null where the handle makes it. @type {(new () => object) | null} */
let Request = null;
/** What a handle calls when it has read, and where it looks for whom to tell. */
const { onread, owner } = await lookAtSocket();

/** @returns {Promise<{ onread: unknown, owner: symbol }>} */
function lookAtSocket() {
  const options = { onread: { buffer: input, callback: () => true } };
  for (let at = new Socket(options); at !== null; at = Object.getPrototypeOf(at)) {
    for (const key of Object.getOwnPropertySymbols(at)) symbols.set(key.description, key);
  }
  const writeLatin1String = (/** @type {{ constructor: new () => object } | null} */ request) => {
    Request = request?.constructor ?? null;
    return 0;
  };
  const handle = { writeLatin1String, close: nothing };
  new Socket(/** @type {object} */ ({ handle, readable: false })).write(" ", "latin1");
  return new Promise((resolve) => {
    const server = createServer((socket) => {
      const seen = Reflect.get(socket, "_handle");
      const key = Object.getOwnPropertySymbols(seen).find((name) => seen[name] === socket);
      resolve({ onread: seen.onread, owner: key ?? Symbol("none") });
      socket.destroy();
      server.close();
    });
    server.listen(0, HOST, () => connect(portOf(server), HOST).on("error", nothing).resume());
  });
}

/** @type {object | undefined} */
let spare;

/** @param {Handle} handle @param {string | Uint8Array} data @returns {boolean} whether it was done at once */
function write(handle, data) {
  const request = Request === null ? null : (spare ?? Object.assign(new Request(), { oncomplete: nothing }));
  spare = undefined;
  const answer =
    typeof data === "string" ? handle.writeLatin1String(request, data) : handle.writeBuffer(request, data);
  if (request === null) return typeof answer === "number";
  const isDone = Reflect.get(request, "getAsyncId").call(request) < 0;
  if (isDone) spare = request;
  return isDone;
}

/** A part of a read is left for the next one: at most the header of a frame. */
let output = Buffer.allocUnsafeSlow(2 * READ_BYTES);

class Connection {
  destroyed = false;
  _readableState = { endEmitted: false };
  isWebSocket = false;
  /** Of the frame that has begun. */
  key = 0;
  length = 0;
  done = 0;
  /** The beginning of a header. */
  rest = Buffer.alloc(0);

  /** @param {Handle} handle */
  constructor(handle) {
    this.handle = handle;
  }

  /** @param {number} count */
  onRead(count) {
    if (this.isWebSocket) {
      this.echo(this.rest.length === 0 ? input : Buffer.concat([this.rest, input.subarray(0, count)]), count);
      return;
    }
    const text = input.toString("latin1", 0, count);
    const large = largeAnswers.get(text.slice(4, text.indexOf(" ", 4)));
    if (large !== undefined) write(this.handle, large);
    else if (text.includes("Sec-WebSocket-Key")) {
      this.isWebSocket = true;
      write(this.handle, UPGRADE);
    } else {
      let answers = 0;
      for (let at = text.indexOf("\r\n\r\n"); at >= 0; at = text.indexOf("\r\n\r\n", at + 4)) answers++;
      write(this.handle, smallAnswer.repeat(answers));
    }
  }

  /** Sends back what there is of each payload. @param {Buffer} bytes @param {number} count of those that are new */
  echo(bytes, count) {
    const end = this.rest.length + count;
    let at = 0;
    let to = 0;
    this.rest = Buffer.alloc(0);
    while (at < end) {
      if (this.done === this.length) {
        const [size, length] = headerAt(bytes, at);
        if (at + size + 4 > end) break;
        output[to] = bytes[at] ?? 0;
        output[to + 1] = (bytes[at + 1] ?? 0) & 127;
        for (let i = 2; i < size; i++) output[to + i] = bytes[at + i] ?? 0;
        to += size;
        this.key = keyAt(bytes, at + size);
        this.length = length;
        this.done = 0;
        at += size + 4;
      }
      const part = Math.min(this.length - this.done, end - at);
      unmask(bytes, at, at + part, this.key, this.done);
      if (part < 64) for (let i = 0; i < part; i++) output[to + i] = bytes[at + i] ?? 0;
      else output.set(bytes.subarray(at, at + part), to);
      this.done += part;
      at += part;
      to += part;
    }
    if (at < end) this.rest = Buffer.from(bytes.subarray(at, end));
    // Memory of a write that is under way is left to it.
    if (to > 0 && !write(this.handle, output.subarray(0, to)))
      output = Buffer.allocUnsafeSlow(2 * READ_BYTES);
  }

  /** An error. */
  destroy() {
    this.destroyed = true;
    this.handle.close(nothing);
  }

  /** The end. */
  push() {
    this.destroy();
  }

  on() {}
  read() {}
}

Object.defineProperties(Connection.prototype, {
  [symbols.get("kBuffer") ?? ""]: { value: input },
  [symbols.get("kBufferGen") ?? ""]: { value: null },
  [symbols.get("kUpdateTimer") ?? ""]: { value: nothing },
  [symbols.get("kBufferCb") ?? ""]: {
    /** @this {Connection} @param {number} count */
    value(count) {
      this.onRead(count);
      return true;
    },
  },
});

/** @param {import("node:net").Server} server */
function portOf(server) {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

const server = createServer();
server.listen(0, HOST, () => {
  const listening = Reflect.get(server, "_handle");
  listening.onconnection = (/** @type {number} */ status, /** @type {Handle} */ handle) => {
    if (status !== 0) return;
    handle.setNoDelay(true);
    Object.assign(handle, { [owner]: new Connection(handle), onread });
    handle.useUserBuffer(input);
    handle.readStart();
  };
  console.log(portOf(server));
});
