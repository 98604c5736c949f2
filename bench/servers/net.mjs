// No server of HTTP or WebSocket: what a socket of Node costs that answers prepared bytes, and reads only the path; or that
// sends the payload of each frame back, and looks at nothing else.
import { createServer } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { BYTES, blobs, greeting, HOST, secure, TEXT, tlsOptions } from "../lib/workload.mjs";

const UPGRADE =
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
  "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
const END = Buffer.from("\r\n\r\n");

/** @param {string} type @param {Buffer} content */
function answer(type, content) {
  const head = `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nContent-Length: ${content.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), content]);
}

const small = answer(TEXT, Buffer.from(greeting)).toString("latin1");
const large = new Map(Object.entries(blobs).map(([path, blob]) => [path, answer(BYTES, blob)]));

/** @param {import("node:net").Socket} socket */
function serve(socket) {
  socket.setNoDelay(true);
  socket.on("data", first);
  socket.on("error", () => {});

  /** @param {Buffer} bytes */
  function first(bytes) {
    socket.off("data", first);
    if (bytes.includes("Sec-WebSocket-Key")) {
      socket.write(UPGRADE, "latin1");
      socket.on("data", echo(socket));
    } else {
      socket.on("data", respond);
      respond(bytes);
    }
  }

  /** @param {Buffer} bytes */
  function respond(bytes) {
    const blob = large.get(bytes.toString("latin1", 4, bytes.indexOf(" ", 4)));
    if (blob !== undefined) socket.write(blob);
    else {
      let count = 0;
      for (let at = bytes.indexOf(END); at >= 0; at = bytes.indexOf(END, at + END.length)) count++;
      socket.write(small.repeat(count), "latin1");
    }
  }
}

/** @param {import("node:net").Socket} socket */
function echo(socket) {
  /** @type {Buffer[]} */
  let parts = [];
  let held = 0;
  let wanted = 0;
  return (/** @type {Buffer} */ bytes) => {
    parts.push(bytes);
    held += bytes.length;
    if (held < wanted) return;
    const all = parts.length === 1 ? bytes : Buffer.concat(parts);
    let at = 0;
    let to = 0;
    socket.cork();
    for (; at < all.length; at = to) {
      const short = (all[at + 1] ?? 0) & 127;
      const size = short < 126 ? 2 : short === 126 ? 4 : 10;
      const length =
        short < 126 ? short : short === 126 ? all.readUInt16BE(at + 2) : all.readUInt32BE(at + 6);
      const start = at + size + 4;
      to = start + length;
      wanted = to - at;
      if (to > all.length) break;
      unmask(all, start, to);
      // The header without the mask goes where the key was.
      all.copy(all, at + 4, at, at + size);
      all[at + 5] = short;
      socket.write(all.subarray(at + 4, to));
      wanted = 0;
    }
    socket.uncork();
    parts = at < all.length ? [all.subarray(at)] : [];
    held = all.length - at;
  };
}

/** @param {Buffer} bytes @param {number} start of the payload, behind its key @param {number} end */
function unmask(bytes, start, end) {
  const [k0 = 0, k1 = 0, k2 = 0, k3 = 0] = bytes.subarray(start - 4, start);
  let at = start;
  for (; at + 3 < end; at += 4) {
    bytes[at] = (bytes[at] ?? 0) ^ k0;
    bytes[at + 1] = (bytes[at + 1] ?? 0) ^ k1;
    bytes[at + 2] = (bytes[at + 2] ?? 0) ^ k2;
    bytes[at + 3] = (bytes[at + 3] ?? 0) ^ k3;
  }
  for (const key of [k0, k1, k2]) if (at < end) bytes[at] = (bytes[at++] ?? 0) ^ key;
}

const server = secure ? createTlsServer(tlsOptions(), serve) : createServer(serve);
server.listen(0, HOST, () => {
  const address = server.address();
  console.log(typeof address === "object" && address !== null ? address.port : 0);
});
