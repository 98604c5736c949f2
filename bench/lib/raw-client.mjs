// A connection on which whole answers can be awaited, plain or over TLS.
import { once } from "node:events";
import { connect } from "node:net";
import { connect as connectSecurely } from "node:tls";
import { HOST } from "./workload.mjs";

const TIMEOUT_MS = 5_000;

export class RawClient {
  /** @param {import("node:net").Socket} socket */
  constructor(socket) {
    this.socket = socket;
    this.chunks = socket[Symbol.asyncIterator]();
    this.buffered = Buffer.alloc(0);
  }

  /**
   * @param {number} port
   * @param {boolean} [secure]
   */
  static async open(port, secure = false) {
    const socket = secure
      ? connectSecurely({ port, host: HOST, rejectUnauthorized: false })
      : connect({ port, host: HOST });
    await once(socket, secure ? "secureConnect" : "connect");
    // Errors come out of the iteration.
    socket.on("error", () => {});
    socket.setNoDelay(true).setTimeout(TIMEOUT_MS, () => socket.destroy(new Error("no answer within 5 s")));
    return new RawClient(socket);
  }

  /** @param {string | Buffer} bytes */
  write(bytes) {
    this.socket.write(bytes);
  }

  /**
   * The next whole answer.
   * @param {(bytes: Buffer) => number} lengthOf the length of the answer that bytes begin with, 0 while it is unknown
   * @returns {Promise<Buffer>}
   */
  async take(lengthOf) {
    let length = lengthOf(this.buffered);
    while (length === 0 || this.buffered.length < length) {
      const { value, done } = await this.chunks.next();
      if (done) throw new Error("the server closed a connection");
      this.buffered = Buffer.concat([this.buffered, value]);
      length = lengthOf(this.buffered);
    }
    const taken = this.buffered.subarray(0, length);
    this.buffered = this.buffered.subarray(length);
    return taken;
  }

  close() {
    this.socket.destroy();
  }
}

/** For {@link RawClient.take}: a head, to its empty line. @param {Buffer} bytes */
export function headLength(bytes) {
  const end = bytes.indexOf("\r\n\r\n");
  return end < 0 ? 0 : end + 4;
}
