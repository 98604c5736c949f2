// No server of HTTP or WebSocket: what a socket of Node costs that answers prepared bytes, and reads only the path; or that
// sends the payload of each frame back, and looks at nothing else.
import { createServer } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { headerAt, keyAt, largeAnswers, smallAnswer, UPGRADE, unmask } from "../lib/prepared.mjs";
import { HOST, secure, tlsOptions } from "../lib/workload.mjs";

const END = Buffer.from("\r\n\r\n");

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
    const large = largeAnswers.get(bytes.toString("latin1", 4, bytes.indexOf(" ", 4)));
    if (large !== undefined) socket.write(large);
    else {
      let count = 0;
      for (let at = bytes.indexOf(END); at >= 0; at = bytes.indexOf(END, at + END.length)) count++;
      socket.write(smallAnswer.repeat(count), "latin1");
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
      const [size, length] = headerAt(all, at);
      const start = at + size + 4;
      to = start + length;
      wanted = to - at;
      if (to > all.length) break;
      unmask(all, start, to, keyAt(all, start - 4), 0);
      // The header without the mask goes where the key was.
      all[at + 1] = (all[at + 1] ?? 0) & 127;
      all.copy(all, at + 4, at, at + size);
      socket.write(all.subarray(at + 4, to));
      wanted = 0;
    }
    socket.uncork();
    parts = at < all.length ? [all.subarray(at)] : [];
    held = all.length - at;
  };
}

const server = secure ? createTlsServer(tlsOptions(), serve) : createServer(serve);
server.listen(0, HOST, () => {
  const address = server.address();
  console.log(typeof address === "object" && address !== null ? address.port : 0);
});
