import { once } from "node:events";
import { connect, type NetConnectOpts, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Server } from "../../src/server/server.ts";
import { MemoryTransport } from "../../src/transport/memory-transport.ts";
import { type Answer, readResponse } from "./http-response.ts";
import { PATIENCE_MS, within } from "./waiting.ts";

/** What a client is told of its connection. */
interface WireEvents {
  onBytes(bytes: Buffer): void;
  onEnd(): void;
  onClose(error?: Error): void;
}

/** A two-way stream of bytes, whatever it is made of. */
export interface Wire {
  /** Sent, and not taken by the other side or the system yet. */
  readonly waitingBytes: number;
  listen(events: WireEvents): void;
  send(bytes: Uint8Array): void;
  /** Resolves when the system has taken all that was sent. */
  sent(): Promise<unknown>;
  end(): void;
  destroy(): void;
  reset(): void;
  pause(): void;
  resume(): void;
}

/** A socket of Node, perhaps over another one, which knows nothing of the library. */
export function socketWire(socket: Socket, lowest: Socket = socket): Wire {
  let error: Error | null | undefined;
  let taken: Promise<Error | null | undefined> = Promise.resolve(undefined);
  return {
    get waitingBytes() {
      return socket.writableLength;
    },
    listen(events) {
      socket.setNoDelay();
      socket.on("data", (bytes: Buffer) => events.onBytes(bytes));
      socket.on("end", () => events.onEnd());
      socket.on("error", (cause) => {
        error = cause;
      });
      socket.on("close", () => events.onClose(error ?? undefined));
    },
    send(bytes) {
      const isOpen = !socket.destroyed && !socket.writableEnded;
      taken = isOpen
        ? new Promise((resolve) => void socket.write(bytes, resolve))
        : Promise.resolve(new Error("sent on a connection that is gone"));
    },
    async sent() {
      error = (await taken) ?? error;
      if (socket.writableEnded && !socket.writableFinished) await once(socket, "finish");
      if (error) throw error;
    },
    end: () => void socket.end(),
    destroy: () => void socket.destroy(),
    reset: () => void lowest.resetAndDestroy(),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
  };
}

function memoryWire(transport: MemoryTransport): Wire {
  return {
    get waitingBytes() {
      return transport.bufferedBytes;
    },
    listen(events) {
      transport.sink = {
        onBytes: (bytes, start, end) => events.onBytes(Buffer.from(bytes.subarray(start, end))),
        onEnd: () => events.onEnd(),
        onDrain() {},
        onClose: (error) => events.onClose(error),
      };
    },
    send(bytes) {
      transport.writeBytes(bytes);
      transport.flush();
    },
    sent: () => Promise.resolve(),
    end: () => transport.end(),
    destroy: () => transport.destroy(),
    reset: () => transport.destroy(),
    pause: () => transport.pause(),
    resume: () => transport.resume(),
  };
}

/** Octets out, octets in: a client that knows as little as possible. */
export class RawClient {
  readonly wire: Wire;
  /** Sizes of the pieces in which bytes came. */
  readonly deliveries: number[] = [];
  /** How many bytes came. */
  length = 0;
  /** How many bytes were sent; some of them may wait in the wire. */
  sentBytes = 0;
  /** The server has ended its half. */
  ended = false;
  /** The connection is gone. */
  closed = false;
  error: Error | undefined;
  /** Called behind each piece that came. */
  onPiece: (() => void) | undefined;
  /** All bytes that came lie at its begin; it grows by doubling, since `received` is asked for after each piece. */
  private memory: Buffer = Buffer.alloc(0);
  private filled = 0;
  private waiters: (() => void)[] = [];
  private at = 0;

  constructor(wire: Wire) {
    this.wire = wire;
    wire.listen({
      onBytes: (bytes) => {
        this.keep(bytes);
        this.deliveries.push(bytes.length);
        this.length += bytes.length;
        this.changed();
        this.onPiece?.();
      },
      onEnd: () => {
        this.ended = true;
        this.changed();
      },
      onClose: (error) => {
        this.error = error;
        this.closed = true;
        this.changed();
      },
    });
  }

  /** All bytes that came. */
  get received(): Buffer {
    return this.memory.subarray(0, this.filled);
  }

  /** The same as latin1. */
  get text(): string {
    return this.received.toString("latin1");
  }

  /** The server has ended its half, or the connection is gone. */
  get isOver(): boolean {
    return this.ended || this.closed;
  }

  /** What came and was not read as an answer, as latin1. */
  get rest(): string {
    return this.received.toString("latin1", this.at);
  }

  /** Takes what came and was not read as an answer. */
  takeRest(): Buffer {
    const rest = this.received.subarray(this.at);
    this.at += rest.length;
    return rest;
  }

  /** Forgets what came, so that a long test needs no memory for it. */
  forget(): this {
    this.memory = Buffer.alloc(0);
    this.filled = 0;
    this.deliveries.length = 0;
    this.at = 0;
    return this;
  }

  /** Sends at once; text as latin1. */
  send(data: string | Uint8Array): this {
    const bytes = typeof data === "string" ? Buffer.from(data, "latin1") : data;
    this.sentBytes += bytes.length;
    this.wire.send(bytes);
    return this;
  }

  /** Resolves when the system has taken all that was sent, and the end when that was sent; rejects when it cannot. */
  async sent(): Promise<void> {
    await within(this.wire.sent(), "the system to take what a client sent", 2 * PATIENCE_MS);
  }

  /** Sends a GET, with more field lines (each ended by CRLF). */
  get(target: string, lines = ""): this {
    return this.send(`GET ${target} HTTP/1.1\r\nHost: h\r\n${lines}\r\n`);
  }

  /** Sends a POST with content. */
  post(target: string, content: string, lines = ""): this {
    const length = `Content-Length: ${content.length}\r\n`;
    return this.send(`POST ${target} HTTP/1.1\r\nHost: h\r\n${length}${lines}\r\n${content}`);
  }

  /** Ends the client's half. */
  end(): this {
    this.wire.end();
    return this;
  }

  destroy(): void {
    this.wire.destroy();
  }

  /** Breaks the connection off with a reset. */
  reset(): void {
    this.wire.reset();
  }

  pause(): this {
    this.wire.pause();
    return this;
  }

  resume(): this {
    this.wire.resume();
    return this;
  }

  /** Waits for something that changes when bytes, the end or the close come. */
  until(condition: () => boolean, what: string, ms: number = PATIENCE_MS): Promise<void> {
    const wait = async (): Promise<void> => {
      while (!condition()) await new Promise<void>((resolve) => this.waiters.push(resolve));
    };
    return within(wait(), what, ms);
  }

  /** Waits until what came contains this. */
  async untilText(text: string, ms: number = PATIENCE_MS): Promise<this> {
    const come = (): boolean => this.text.includes(text);
    await this.until(() => come() || this.isOver, JSON.stringify(text), ms);
    if (!come()) throw new Error(`over before ${JSON.stringify(text)}: ${JSON.stringify(this.text)}`);
    return this;
  }

  /** Waits until the server has ended its half or the connection is gone. */
  async over(what = "the server to close", ms: number = PATIENCE_MS): Promise<void> {
    await this.until(() => this.isOver, what, ms);
  }

  /** The next head, without a look at what it says; undefined when the server has closed without one. */
  async head(ms: number = PATIENCE_MS): Promise<string | undefined> {
    const end = (): number => this.received.indexOf("\r\n\r\n", this.at, "latin1");
    await this.until(() => end() >= 0 || this.isOver, "a head", ms);
    if (end() < 0) return undefined;
    const head = this.received.toString("latin1", this.at, end());
    this.at = end() + 4;
    return head;
  }

  /**
   * The next response, interim ones included.
   * @param method of the request: HEAD has no content
   */
  async answer(method = "GET", ms: number = PATIENCE_MS): Promise<Answer> {
    let found: ReturnType<typeof readResponse>;
    const look = (): boolean => {
      found = readResponse(this.received, this.at, method, this.isOver);
      return found !== undefined || this.isOver;
    };
    await this.until(look, `the answer to ${method}`, ms);
    if (found === undefined) throw new Error(`closed without an answer: ${JSON.stringify(this.rest)}`);
    this.at = found.next;
    return found.response;
  }

  protected keep(bytes: Buffer): void {
    const end = this.filled + bytes.length;
    if (end > this.memory.length) {
      const larger = Buffer.allocUnsafe(Math.max(2 * this.memory.length, end));
      this.memory.copy(larger, 0, 0, this.filled);
      this.memory = larger;
    }
    bytes.copy(this.memory, this.filled);
    this.filled = end;
  }

  private changed(): void {
    const { waiters } = this;
    this.waiters = [];
    for (const resolve of waiters) resolve();
  }
}

/** A client in memory. */
export function memoryClient(server: Server): RawClient {
  const [near, far] = MemoryTransport.pair();
  server.accept(far);
  return new RawClient(memoryWire(near));
}

/** A client on a socket, which has connected. */
export async function tcpClient(where: number | NetConnectOpts): Promise<RawClient> {
  const to = typeof where === "number" ? { port: where, host: "127.0.0.1" } : where;
  const socket = connect({ allowHalfOpen: true, ...to });
  await within(once(socket, "connect"), "a client to connect");
  return new RawClient(socketWire(socket));
}

/** A client over TLS, whose handshake is done. */
export async function tlsClient(port: number): Promise<RawClient> {
  const below = connect({ port, host: "127.0.0.1" });
  const socket = connectTls({ socket: below, rejectUnauthorized: false });
  socket.allowHalfOpen = true;
  await within(once(socket, "secureConnect"), "the handshake of a client");
  return new RawClient(socketWire(socket, below));
}
