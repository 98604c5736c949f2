import { once } from "node:events";
import { connect, type Socket, type TcpNetConnectOpts } from "node:net";
import { Duplex } from "node:stream";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { closeOf, FrameReader } from "../support/frame-reader.ts";
import { CLOSE } from "../support/frames.ts";
import { RawClient, socketWire } from "../support/raw-client.ts";
import { sleep, within } from "../support/waiting.ts";
import { agreedDeflate, handshake, parseResponse } from "../support/web-socket-handshake.ts";

const KEPT_BYTES = 4_096;

export interface PeerOptions {
  /** Read what comes; default true. */
  readonly reads?: boolean;
  /** The address to come from. */
  readonly from?: string;
}

/** One connection of somebody who means no good. Only the beginning of what comes is kept. */
export class Peer extends RawClient {
  readonly socket: Socket;
  /** The TCP socket, below TLS. */
  readonly below: Socket;
  /** Settled when it is over. */
  readonly gone: Promise<void>;

  constructor(socket: Socket, below: Socket = socket) {
    super(socketWire(socket));
    this.socket = socket;
    this.below = below;
    this.gone = new Promise((resolve) => {
      socket.once("end", resolve).once("close", () => resolve());
    });
  }

  /** The status of the first final response; 0 when none came. */
  get status(): number {
    return Number(/^(?:HTTP\/1\.1 100 Continue\r\n\r\n)?HTTP\/1\.1 (\d{3})/.exec(this.text)?.[1] ?? 0);
  }

  /** The code of the close frame at the end of what came, when that was short; 0 when none came. */
  get closeCode(): number {
    const end = this.text.indexOf("\r\n\r\n");
    const reader = new FrameReader(agreedDeflate(parseResponse(this.text.slice(0, end))));
    reader.push(this.received.subarray(end + 4));
    for (let found = reader.next(); found !== undefined; found = reader.next()) {
      if (found.opcode === CLOSE) return closeOf(found.payload).code;
    }
    return 0;
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
      const late = sleep(end - performance.now(), undefined, stop).catch(() => {});
      await Promise.race([drained, this.gone, late]);
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

  override reset(): void {
    this.below.resetAndDestroy();
    this.socket.destroy();
  }

  protected override keep(bytes: Buffer): void {
    if (this.length < KEPT_BYTES) super.keep(bytes.subarray(0, KEPT_BYTES - this.length));
  }
}

/** A connection; one that is turned away at once counts, too. */
export async function connectPeer(port: number, options: PeerOptions = {}): Promise<Peer> {
  const where: TcpNetConnectOpts = { port, host: "127.0.0.1", allowHalfOpen: true };
  const socket = connect(options.from === undefined ? where : { ...where, localAddress: options.from });
  const peer = new Peer(socket);
  await within(Promise.race([once(socket, "connect"), peer.gone]), "a connection");
  if (options.reads === false) peer.pause();
  return peer;
}

export async function connectTlsPeer(port: number, options: ConnectionOptions = {}): Promise<Peer> {
  const below = connect(port, "127.0.0.1");
  below.on("error", () => {});
  // As a stream: a socket would hand its handle over, and could be neither written to nor reset any more.
  const stream = Duplex.from({ readable: below, writable: below }).on("error", () => {});
  const socket = connectTls({ socket: stream, rejectUnauthorized: false, ...options });
  const peer = new Peer(socket, below);
  await within(Promise.race([once(socket, "secureConnect"), peer.gone]), "a handshake");
  return peer;
}

/** The head of a request for a WebSocket. */
export function webSocketHead(target: string, extensions = ""): string {
  return handshake(target, extensions === "" ? "" : `Sec-WebSocket-Extensions: ${extensions}\r\n`);
}
