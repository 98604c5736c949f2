import type { Server } from "../../src/engine/server.ts";
import { connect } from "../../src/transport/connect.ts";
import { MemoryTransport } from "../../src/transport/memory-transport.ts";
import type { Transport, TransportSink } from "../../src/transport/transport.ts";

/** How long a test waits for what should come at once, in milliseconds. */
export const PATIENCE_MS = 10_000;

/** A response as it came over the wire. */
export interface Answer {
  /** Status line and field lines, each ended by CRLF. */
  readonly head: string;
  readonly status: number;
  /** The field lines in their order. */
  readonly lines: readonly string[];
  readonly body: Buffer;
  /** The content as text. */
  readonly text: string;
  /** Values of a field by its name in lower case, joined with ", ". */
  header(name: string): string | undefined;
}

/** Rejects when `promise` is not settled in time. */
export async function within<T>(promise: Promise<T>, what: string, ms: number = PATIENCE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`still waiting for ${what} after ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Octets out, octets in: a client that knows as little as possible. */
export class RawClient implements TransportSink {
  readonly transport: Transport;
  /** Sizes of the pieces in which bytes came. */
  readonly deliveries: number[] = [];
  /** The server has ended its half. */
  ended = false;
  /** The connection is gone. */
  closed = false;
  private pieces: Buffer[] = [];
  private waiters: (() => void)[] = [];
  private at = 0;

  constructor(transport: Transport) {
    this.transport = transport;
    transport.sink = this;
  }

  onBytes(bytes: Buffer, start: number, end: number): void {
    this.pieces.push(Buffer.from(bytes.subarray(start, end)));
    this.deliveries.push(end - start);
    this.changed();
  }
  onEnd(): void {
    this.ended = true;
    this.changed();
  }
  onDrain(): void {
    this.changed();
  }
  onClose(): void {
    this.closed = true;
    this.changed();
  }

  /** All bytes that came. */
  get received(): Buffer {
    const all = this.pieces.length === 1 ? (this.pieces[0] ?? Buffer.alloc(0)) : Buffer.concat(this.pieces);
    this.pieces = [all];
    return all;
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

  /** Sends at once. */
  send(data: string | Uint8Array): this {
    if (typeof data === "string") this.transport.writeText(data);
    else this.transport.writeBytes(data);
    this.transport.flush();
    return this;
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
    this.transport.end();
    return this;
  }

  destroy(): void {
    this.transport.destroy();
  }

  pause(): this {
    this.transport.pause();
    return this;
  }

  resume(): this {
    this.transport.resume();
    return this;
  }

  /** Waits for something that changes when bytes, the end or the close come. */
  until(condition: () => boolean, what: string, ms: number = PATIENCE_MS): Promise<void> {
    const wait = async (): Promise<void> => {
      while (!condition()) await new Promise<void>((resolve) => this.waiters.push(resolve));
    };
    return within(wait(), what, ms);
  }

  /** Waits until the server has ended its half or the connection is gone. */
  async over(what = "the server to close"): Promise<void> {
    await this.until(() => this.ended || this.closed, what);
  }

  /**
   * The next response, interim ones included.
   * @param method of the request: HEAD has no content
   */
  async answer(method = "GET", ms: number = PATIENCE_MS): Promise<Answer> {
    let found: Answer | undefined;
    const look = (): boolean => {
      found = this.parse(method);
      return found !== undefined || this.ended || this.closed;
    };
    await this.until(look, `the answer to ${method}`, ms);
    if (found === undefined) throw new Error(`closed without an answer: ${JSON.stringify(this.rest)}`);
    return found;
  }

  private changed(): void {
    const { waiters } = this;
    this.waiters = [];
    for (const resolve of waiters) resolve();
  }

  private parse(method: string): Answer | undefined {
    const bytes = this.received;
    const headEnd = bytes.indexOf("\r\n\r\n", this.at, "latin1");
    if (headEnd < 0) return undefined;
    const head = bytes.toString("latin1", this.at, headEnd + 2);
    const lines = head.split("\r\n").slice(1, -1);
    const header = (name: string): string | undefined => {
      const own = lines.filter((line) => line.toLowerCase().startsWith(`${name}:`));
      return own.length === 0 ? undefined : own.map((line) => line.slice(name.length + 1).trim()).join(", ");
    };
    const status = Number(head.slice(9, 12));
    const from = headEnd + 4;
    const length = header("content-length");
    let content: { body: Buffer; end: number } | undefined;
    if (method === "HEAD" || status < 200 || status === 204 || status === 304) {
      content = { body: Buffer.alloc(0), end: from };
    } else if (header("transfer-encoding") === "chunked") {
      content = dechunk(bytes, from);
    } else if (length !== undefined) {
      const end = from + Number(length);
      if (end <= bytes.length) content = { body: bytes.subarray(from, end), end };
    } else if (this.ended || this.closed) {
      content = { body: bytes.subarray(from), end: bytes.length };
    }
    if (content === undefined) return undefined;
    this.at = content.end;
    const { body } = content;
    return { head, status, lines, body, text: body.toString("utf8"), header };
  }
}

function dechunk(bytes: Buffer, start: number): { body: Buffer; end: number } | undefined {
  const pieces: Buffer[] = [];
  let at = start;
  for (;;) {
    const lineEnd = bytes.indexOf("\r\n", at, "latin1");
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    const next = lineEnd + 2 + size + 2;
    if (next > bytes.length) return undefined;
    pieces.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = next;
    if (size === 0) return { body: Buffer.concat(pieces), end: at };
  }
}

/** A client in memory. */
export function memoryClient(server: Server): RawClient {
  const [near, far] = MemoryTransport.pair();
  server.accept(far);
  return new RawClient(near);
}

/** A client on a real socket. */
export async function tcpClient(port: number): Promise<RawClient> {
  return new RawClient(await connect({ port, host: "127.0.0.1" }));
}
