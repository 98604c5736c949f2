import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** A TCP proxy in front of a server, which a test cuts, stalls, delays and disturbs. */
export interface Link {
  readonly port: number;
  /** Ends all connections; new ones are ended at once until {@link mend}. */
  cut(): void;
  /** Keeps all connections open, and passes nothing on until {@link mend}. */
  stall(): void;
  mend(): void;
  /** Loses, or passes on twice, what comes next on each open connection, in one direction or both. */
  disturb(how: "lose" | "duplicate"): void;
  close(): Promise<void>;
}

/** @param delayMs how long all bytes take */
export async function linkTo(port: number, delayMs = 0): Promise<Link> {
  const sockets = new Set<Socket>();
  let isCut = false;
  let isStalled = false;
  const disturbed = new Map<Socket, "lose" | "duplicate">();
  const pass = (from: Socket, to: Socket): void => {
    sockets.add(from);
    if (isStalled) from.pause();
    from.on("data", (bytes) => {
      const how = disturbed.get(from);
      disturbed.delete(from);
      if (how === "lose") return;
      const sent = how === "duplicate" ? Buffer.concat([bytes, bytes]) : bytes;
      if (delayMs === 0) to.write(sent);
      else setTimeout(() => to.write(sent), delayMs);
    });
    from.on("error", () => {});
    from.on("close", () => {
      sockets.delete(from);
      disturbed.delete(from);
      to.destroy();
    });
  };
  const server = createServer((client) => {
    if (isCut) {
      client.destroy();
      return;
    }
    const behind = connect(port, "127.0.0.1");
    pass(client, behind);
    pass(behind, client);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("there is no port");
  return {
    port: address.port,
    cut() {
      isCut = true;
      for (const socket of sockets) socket.destroy();
    },
    stall() {
      isStalled = true;
      for (const socket of sockets) socket.pause();
    },
    mend() {
      isCut = false;
      isStalled = false;
      for (const socket of sockets) socket.resume();
    },
    disturb(how) {
      for (const socket of sockets) disturbed.set(socket, how);
    },
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
}
