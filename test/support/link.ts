import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** "up" is towards the server. */
type Direction = "up" | "down";

/** A TCP proxy in front of a server, which a test cuts, stalls, delays, and makes drop and repeat bytes. */
export interface Link {
  readonly port: number;
  /** Ends all connections; new ones are ended at once until {@link mend}. */
  cut(): void;
  /** Keeps all connections open, and passes nothing on until {@link mend}. */
  stall(): void;
  /** Sets how long bytes take from now on, in milliseconds. They stay in order. */
  delay(ms: number): void;
  /** Drops, or repeats, the next bytes that go in a direction. @returns when it has */
  spoil(how: "drop" | "repeat", direction: Direction): Promise<void>;
  /** Ends what {@link cut} and {@link stall} have begun. */
  mend(): void;
  close(): Promise<void>;
}

/** What happens to the next bytes of a direction. */
interface Spoiling {
  readonly how: "drop" | "repeat";
  readonly done: () => void;
}

/** @param delayMs how long all bytes take at the beginning */
export async function linkTo(port: number, delayMs = 0): Promise<Link> {
  const sockets = new Set<Socket>();
  const spoiling = new Map<Direction, Spoiling>();
  let isCut = false;
  let isStalled = false;
  let takesMs = delayMs;

  const pass = (from: Socket, to: Socket, direction: Direction): void => {
    sockets.add(from);
    if (isStalled) from.pause();
    let last: Promise<unknown> = Promise.resolve();
    from.on("data", (bytes) => {
      const spoiled = spoiling.get(direction);
      spoiling.delete(direction);
      spoiled?.done();
      if (spoiled?.how === "drop") return;
      const passed = spoiled?.how === "repeat" ? Buffer.concat([bytes, bytes]) : bytes;
      const due = takesMs === 0 ? undefined : sleep(takesMs);
      last = Promise.all([last, due]).then(() => to.write(passed));
    });
    from.on("error", () => {});
    from.on("close", () => {
      sockets.delete(from);
      to.destroy();
    });
  };
  const server = createServer((client) => {
    if (isCut) {
      client.destroy();
      return;
    }
    const behind = connect(port, "127.0.0.1");
    pass(client, behind, "up");
    pass(behind, client, "down");
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
    delay(ms) {
      takesMs = ms;
    },
    spoil: (how, direction) => new Promise((done) => spoiling.set(direction, { how, done })),
    mend() {
      isCut = false;
      isStalled = false;
      for (const socket of sockets) socket.resume();
    },
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
}
