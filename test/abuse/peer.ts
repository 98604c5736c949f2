import { once } from "node:events";
import { connect, type Socket, type TcpNetConnectOpts } from "node:net";
import { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { FIN } from "../../src/websocket/opcodes.ts";
import { within } from "../engine/raw-client.ts";
import { handshake, masked } from "../engine/web-socket-client.ts";

const KEPT_CHARACTERS = 4_096;
const CONNECT_PATIENCE_MS = 10_000;

export interface PeerOptions {
  /** Read what comes; default true. */
  readonly reads?: boolean;
  /** The address to come from. */
  readonly from?: string;
}

/** One connection of somebody who means no good. */
export class Peer {
  readonly socket: Socket;
  /** The beginning of what came, as latin1. */
  text = "";
  bytesReceived = 0;
  /** Settled when the server has ended its half, or the connection is gone. */
  readonly over: Promise<void>;
  isOver = false;
  /** The TCP socket, below TLS. */
  readonly below: Socket;

  constructor(socket: Socket, reads = true, below: Socket = socket) {
    this.socket = socket;
    this.below = below;
    socket.setNoDelay();
    socket.on("error", () => {});
    this.over = new Promise((resolve) => {
      const end = (): void => {
        this.isOver = true;
        resolve();
      };
      socket.once("end", end);
      socket.once("close", end);
    });
    if (!reads) return;
    socket.on("data", (bytes: Buffer) => {
      this.bytesReceived += bytes.length;
      if (this.text.length < KEPT_CHARACTERS) {
        this.text += bytes.toString("latin1", 0, KEPT_CHARACTERS - this.text.length);
      }
    });
  }

  /** The status of the first response; 0 when none came. */
  get status(): number {
    return Number(/^HTTP\/1\.1 (\d{3})/.exec(this.text)?.[1] ?? 0);
  }

  /** The code of the close frame at the end of what came, when that was short; 0 when none came. */
  get closeCode(): number {
    const frames = Buffer.from(this.text.slice(this.text.indexOf("\r\n\r\n") + 4), "latin1");
    let at = 0;
    while (at + 4 <= frames.length) {
      const length = (frames[at + 1] as number) & 0x7f;
      if (frames[at] === 0x88) return frames.readUInt16BE(at + 2);
      at += 2 + length + (length === 126 ? 2 + frames.readUInt16BE(at + 2) - 126 : 0);
    }
    return 0;
  }

  send(data: string | Uint8Array): this {
    if (!this.socket.destroyed) this.socket.write(data, "latin1");
    return this;
  }

  /** Sends the same again and again, as fast as it is taken. @returns how many bytes, when it is over or time is up */
  async flood(data: string | Uint8Array, totalBytes: number, ms = 350): Promise<number> {
    const bytes = typeof data === "string" ? Buffer.from(data, "latin1") : data;
    const end = performance.now() + ms;
    let sent = 0;
    while (sent < totalBytes && !this.isOver && performance.now() < end) {
      sent += bytes.length;
      if (this.socket.write(bytes)) continue;
      const stop = new AbortController();
      const drained = once(this.socket, "drain", { signal: stop.signal }).catch(() => {});
      await Promise.race([
        drained,
        this.over,
        sleep(end - performance.now(), undefined, stop).catch(() => {}),
      ]);
      stop.abort();
    }
    return sent;
  }

  /** Sends one byte at a time for as long as the server lets it, at most so long. */
  async dribble(data: string | Uint8Array, everyMs: number, ms: number): Promise<void> {
    const bytes = Buffer.from(data);
    const end = performance.now() + ms;
    for (let i = 0; !this.isOver && performance.now() < end; i++) {
      this.send(bytes.subarray(i % bytes.length, (i % bytes.length) + 1));
      await sleep(everyMs);
    }
  }

  /** Waits until what came contains this. */
  async until(text: string): Promise<this> {
    const look = async (): Promise<void> => {
      while (!this.text.includes(text)) {
        if (this.isOver) throw new Error(`over before ${JSON.stringify(text)}: ${JSON.stringify(this.text)}`);
        await Promise.race([once(this.socket, "data"), this.over]);
      }
    };
    await within(look(), JSON.stringify(text), CONNECT_PATIENCE_MS);
    return this;
  }

  reset(): void {
    this.below.resetAndDestroy();
    this.socket.destroy();
  }
}

/** A connection; one that is turned away at once counts, too. */
export async function connectPeer(port: number, options: PeerOptions = {}): Promise<Peer> {
  const where: TcpNetConnectOpts = { port, host: "127.0.0.1", allowHalfOpen: true };
  const socket = connect(options.from === undefined ? where : { ...where, localAddress: options.from });
  const peer = new Peer(socket, options.reads);
  await within(Promise.race([once(socket, "connect"), peer.over]), "a connection", CONNECT_PATIENCE_MS);
  return peer;
}

export async function connectTlsPeer(port: number, options: ConnectionOptions = {}): Promise<Peer> {
  const below = connect(port, "127.0.0.1");
  below.on("error", () => {});
  // As a stream: a socket would hand its handle over, and could be neither written to nor reset any more.
  const stream = Duplex.from({ readable: below, writable: below }).on("error", () => {});
  const socket = connectTls({ socket: stream, rejectUnauthorized: false, ...options });
  const peer = new Peer(socket, true, below);
  await within(Promise.race([once(socket, "secureConnect"), peer.over]), "a handshake", CONNECT_PATIENCE_MS);
  return peer;
}

/** A masked frame, whose first bits may be wrong. */
export function frame(opcode: number, payload: string | Uint8Array, first: number = FIN | opcode): Buffer {
  const bytes = masked(opcode, payload);
  bytes[0] = first;
  return bytes;
}

/** The head of a request for a WebSocket. */
export function webSocketHead(target: string, extensions = ""): string {
  return handshake(target, extensions === "" ? "" : `Sec-WebSocket-Extensions: ${extensions}\r\n`);
}
