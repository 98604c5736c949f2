// What an idle WebSocket connection costs: node bench/idle.mjs [connections]
import { fork } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";

const count = Number(process.argv[2] ?? 10_000);
const BATCH = 200;
const handshake =
  "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/** @typedef {{ clients: number, rss: number, heap: number }} Memory */

/** @param {string} kind a kind of server that idle-server.mjs knows */
async function measure(kind) {
  const server = fork(fileURLToPath(new URL("lib/idle-server.mjs", import.meta.url)), [kind], {
    execArgv: ["--expose-gc"],
  });
  const [port] = await once(server, "message");
  /** @returns {Promise<Memory>} */
  const memory = async () => {
    server.send("measure");
    return (await once(server, "message"))[0];
  };
  const before = await memory();
  /** @type {import("node:net").Socket[]} */
  const sockets = [];
  while (sockets.length < count) {
    /** @type {import("node:net").Socket[]} */
    const batch = Array.from({ length: Math.min(BATCH, count - sockets.length) }, () =>
      connect(port, "127.0.0.1").on("error", () => {}),
    );
    await Promise.all(
      batch.map(async (socket) => {
        socket.write(handshake);
        await once(socket, "data");
      }),
    );
    sockets.push(...batch);
  }
  const after = await memory();
  if (after.clients !== count) throw new Error(`${kind}: ${after.clients} of ${count} clients`);
  const each = (/** @type {"rss" | "heap"} */ key) => Math.round((after[key] - before[key]) / count);
  console.log(
    `${kind.padEnd(10)} ${each("rss").toString().padStart(7)} B resident, ${each("heap")} B of heap`,
  );
  for (const socket of sockets) socket.destroy();
  server.kill();
  await once(server, "exit");
}

console.log(`${count} idle WebSocket connections, for each:`);
for (const kind of ["ws", "portico", "evo"]) await measure(kind);
