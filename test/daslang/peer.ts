import { once } from "node:events";
import { connect, type Socket, type TcpNetConnectOpts } from "node:net";
import type { TestContext } from "node:test";
import { within } from "../engine/raw-client.ts";

/** How long a test waits for something that takes a while, in milliseconds. */
export const LONG_MS = 20_000;

/** The other end: a socket of Node that knows nothing of the library. */
export class Peer {
  readonly socket: Socket;
  /** The server has ended its half. */
  ended = false;
  /** The connection is gone. */
  closed = false;
  error: Error | undefined;
  /** How many bytes came. */
  length = 0;
  private pieces: Buffer[] = [];
  private waiters: (() => void)[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (piece: Buffer) => {
      this.pieces.push(piece);
      this.length += piece.length;
      this.changed();
    });
    socket.on("end", () => {
      this.ended = true;
      this.changed();
    });
    socket.on("error", (error) => {
      this.error = error;
      this.changed();
    });
    socket.on("close", () => {
      this.closed = true;
      this.changed();
    });
  }

  /** All bytes that came. */
  get received(): Buffer {
    if (this.pieces.length > 1) this.pieces = [Buffer.concat(this.pieces)];
    return this.pieces[0] ?? Buffer.alloc(0);
  }

  get text(): string {
    return this.received.toString("latin1");
  }

  /** Resolves when the system has taken the bytes. */
  async send(data: string | Uint8Array): Promise<void> {
    const taken = new Promise<void>((resolve, reject) => {
      this.socket.write(data, (error) => (error == null ? resolve() : reject(error)));
    });
    await within(taken, "the system to take what a client sent", LONG_MS);
  }

  /** Ends this half. */
  async end(): Promise<void> {
    this.socket.end();
    if (!this.socket.writableFinished) await within(once(this.socket, "finish"), "a client's end to be sent");
  }

  /** Breaks the connection off with a reset. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Waits for something that changes when bytes, the end or the close come. */
  async until(condition: () => boolean, what: string, ms = 3_000): Promise<void> {
    const wait = async (): Promise<void> => {
      while (!condition()) await new Promise<void>((resolve) => this.waiters.push(resolve));
    };
    await within(wait(), what, ms);
  }

  private changed(): void {
    const { waiters } = this;
    this.waiters = [];
    for (const resolve of waiters) resolve();
  }
}

/** Connects, and destroys the connection after the test. */
export async function connectPeer(
  t: TestContext,
  port: number,
  options: Partial<TcpNetConnectOpts> = {},
): Promise<Peer> {
  const socket = connect({ port, host: "127.0.0.1", ...options });
  t.after(() => {
    socket.destroy();
  });
  await within(once(socket, "connect"), "a client to connect");
  return new Peer(socket);
}

/** A stretch of an endless stream of 32-bit numbers that count up: no two places look alike. */
export function pattern(length: number, from = 0): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) {
    const at = from + i;
    bytes[i] = (at >>> 2) >>> (24 - 8 * (at & 3));
  }
  return bytes;
}
