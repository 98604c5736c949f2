// Not a server of HTTP: what a socket of Node costs that answers prepared bytes, and reads only the path.
import { createServer } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { BYTES, blobs, greeting, HOST, secure, TEXT, tlsOptions } from "../lib/workload.mjs";

/** @param {string} type @param {Buffer} content */
function answer(type, content) {
  const head = `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nContent-Length: ${content.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), content]);
}

const small = answer(TEXT, Buffer.from(greeting)).toString("latin1");
const large = new Map(Object.entries(blobs).map(([path, blob]) => [path, answer(BYTES, blob)]));
const END = Buffer.from("\r\n\r\n");

/** @param {import("node:net").Socket} socket */
function serve(socket) {
  socket.setNoDelay(true);
  socket.on("data", (/** @type {Buffer} */ bytes) => {
    const blob = large.get(bytes.toString("latin1", 4, bytes.indexOf(" ", 4)));
    if (blob !== undefined) socket.write(blob);
    else {
      let count = 0;
      for (let at = bytes.indexOf(END); at >= 0; at = bytes.indexOf(END, at + END.length)) count++;
      socket.write(small.repeat(count), "latin1");
    }
  });
  socket.on("error", () => {});
}

const server = secure ? createTlsServer(tlsOptions(), serve) : createServer(serve);
server.listen(0, HOST, () => {
  const address = server.address();
  console.log(typeof address === "object" && address !== null ? address.port : 0);
});
