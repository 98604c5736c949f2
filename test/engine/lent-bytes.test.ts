// Bytes that a handler was lent go out in every way that there is, to slow and fast clients at once: what arrives is what
// the handler saw. A round has up to 16 programs; PORTICO_FUZZ_RUNS=100000 runs about as many for three of the kinds of connections together.
import assert from "node:assert/strict";

import { describe, it, type TestContext } from "node:test";

import fc from "fast-check";
import type { Exchange, WebSocket } from "../../src/exchange/exchange.ts";
import { lazyResponseClass } from "../../src/fetch/lazy-response.ts";
import { Server } from "../../src/server/server.ts";
import type { ServerOptions } from "../../src/server/server-options.ts";
import { certificate } from "../support/certificates.ts";
import { FrameReader } from "../support/frame-reader.ts";
import { BINARY, fragments, piecesOf } from "../support/frames.ts";
import { type RawClient, tcpClient, tlsClient } from "../support/raw-client.ts";
import { turns } from "../support/waiting.ts";
import { handshake } from "../support/web-socket-handshake.ts";

const ROUNDS = Math.max(60, Math.round(Number(process.env["PORTICO_FUZZ_RUNS"] ?? 0) / 60));
const LazyResponse = lazyResponseClass();
const CLIENTS = 8;
const LENT = { lent: true };

/** How a handler sends what it was lent. */
const HTTP_WAYS = [
  "write",
  "write twice",
  "end",
  "tryEnd",
  "stream",
  "to a socket",
  "to all",
  "to a response",
] as const;
const SOCKET_WAYS = [
  "send",
  "send twice",
  "reply",
  "into memory",
  "into memory while others send",
  "ping",
  "to a neighbour",
  "to all",
  "to a response",
] as const;

interface HttpProgram {
  readonly way: (typeof HTTP_WAYS)[number];
  readonly size: number;
  /** 0: Content-Length; otherwise chunks of this size. */
  readonly chunk: number;
  readonly cut: number;
  readonly view: boolean;
}

interface SocketProgram {
  readonly way: (typeof SOCKET_WAYS)[number];
  readonly size: number;
  /** Bytes of a fragment; 0: one frame. */
  readonly fragment: number;
  readonly cut: number;
  readonly view: boolean;
}

interface Round {
  readonly http: readonly (HttpProgram | null)[];
  readonly sockets: readonly (SocketProgram | null)[];
  /** Clients that do not read until all have sent; first those of HTTP. */
  readonly slow: readonly boolean[];
}

const size = fc.oneof(fc.nat(200), fc.integer({ min: 16_000, max: 66_000 }), fc.nat(400_000));
const shared = { size, cut: fc.nat(3), view: fc.boolean() };
const exactly = <T>(count: number, one: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.array(one, { minLength: count, maxLength: count });
const chunk = fc.constantFrom(0, 0, 1_000, 30_000);
const fragment = fc.constantFrom(0, 0, 5_000, 70_000);
const httpProgram = fc.record({ way: fc.constantFrom(...HTTP_WAYS), chunk, ...shared });
const socketProgram = fc.record({ way: fc.constantFrom(...SOCKET_WAYS), fragment, ...shared });
const round: fc.Arbitrary<Round> = fc.record({
  http: exactly(CLIENTS, fc.option(httpProgram)),
  sockets: exactly(CLIENTS, fc.option(socketProgram)),
  slow: exactly(2 * CLIENTS, fc.boolean()),
});

/** Bytes that no other input has: each place depends on the seed. */
function content(length: number, seed: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(length);
  for (let at = 0; at < length; at++) bytes[at] = (at * 31 + (at >>> 8) * 7 + seed * 101) & 255;
  return bytes;
}

/** A part of what was lent, as a Buffer or as a plain array on the same memory. */
function part(data: Buffer, { cut, view }: { cut: number; view: boolean }): Uint8Array {
  const bytes = data.subarray(Math.min(cut, data.length));
  return view ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) : bytes;
}

/** One connection of a client, with a way to take what it has got. */
interface Client {
  readonly raw: RawClient;
  /** The content of the next response, or the data of the next message. */
  next(): Promise<Buffer>;
  /** Whether there is more that was not taken. */
  hasMore(): boolean;
}

function httpClient(raw: RawClient): Client {
  const next = async (): Promise<Buffer> => {
    const answer = await raw.answer();
    assert.equal(answer.status, 200);
    return answer.body;
  };
  return { raw, next, hasMore: () => raw.rest !== "" };
}

async function webSocketClient(raw: RawClient, target: string): Promise<Client> {
  const { status } = await raw.send(handshake(target)).answer();
  assert.equal(status, 101);
  const reader = new FrameReader();
  const take = (): Buffer | undefined => {
    reader.push(raw.takeRest());
    return reader.next()?.payload;
  };
  const next = async (): Promise<Buffer> => {
    let found: Buffer | undefined;
    const look = (): boolean => {
      found = take();
      return found !== undefined || raw.isOver;
    };
    await raw.until(look, "a message");
    return found ?? assert.fail("closed");
  };
  return { raw, next, hasMore: () => take() !== undefined || reader.isMidway };
}

/** A server with its clients, and what each of them must get. */
class Stage {
  readonly http: Client[] = [];
  readonly sockets: Client[] = [];
  /** Clients whose requests wait for a response that others send. */
  readonly waiting: Client[] = [];
  readonly expected = new Map<Client, Buffer[]>();
  private readonly serverSockets: WebSocket<number>[] = [];
  private readonly pending: (Exchange | undefined)[] = [];
  private readonly fetches: ((response: Response) => void)[] = [];
  private programs: Round | undefined;
  private readonly isDeferred: boolean;
  private readonly server: Server;

  constructor(server: Server, isDeferred: boolean) {
    this.server = server;
    this.isDeferred = isDeferred;
    server.post("/:client", (exchange) => this.post(exchange, Number(exchange.params.client)));
    server.get("/wait/:client", (exchange) => {
      this.pending[Number(exchange.params.client)] = exchange as unknown as Exchange;
    });
    server.fetch(() => new Promise<Response>((resolve) => this.fetches.push(resolve)), "/fetch");
    server.websocket<number>(
      "/socket",
      {
        upgrade: (exchange) => Number(exchange.query),
        open: (socket) => {
          this.serverSockets[socket.data] = socket;
          socket.subscribe("all");
        },
        onEnqueue: (socket, data) => this.message(socket, data),
        message: (socket, data) => {
          // What is the program's own may change at once.
          if (isDeferred) data.fill(0);
          else this.message(socket, data);
        },
      },
      { maxMessageBytes: 2 ** 30, lent: true },
    );
  }

  async open(connect: () => Promise<RawClient>): Promise<void> {
    for (let i = 0; i < CLIENTS; i++) {
      this.http.push(httpClient(await connect()));
      this.waiting.push(httpClient(await connect()));
      this.sockets.push(await webSocketClient(await connect(), `/socket?${i}`));
    }
  }

  get all(): Client[] {
    return [...this.http, ...this.sockets, ...this.waiting];
  }

  /** Runs one round of programs, and compares. @returns how many there were */
  async run(programs: Round, seed: number): Promise<number> {
    this.programs = programs;
    this.expected.clear();
    for (const [index, client] of [...this.http, ...this.sockets].entries()) {
      if (programs.slow[index]) client.raw.pause();
    }
    const inputs = this.inputs(programs, seed);
    await this.offerResponses(programs);
    // In one tick: all are ready together.
    for (const [client, bytes] of inputs) client.raw.send(bytes);
    await turns(6);
    for (const client of this.all) client.raw.resume();
    await this.until(() => this.handled >= inputs.length, "all inputs to be handled");
    for (const [client, expected] of this.expected) {
      for (const wanted of expected) {
        const bytes = await client.next();
        if (!bytes.equals(wanted)) assert.fail(difference(bytes, wanted));
      }
    }
    for (const client of this.all) {
      assert.ok(!client.hasMore(), "more has come than was sent");
      client.raw.forget();
    }
    return inputs.length;
  }

  private inputs(programs: Round, seed: number): [Client, Buffer][] {
    const inputs: [Client, Buffer][] = [];
    for (const [index, program] of programs.http.entries()) {
      if (program === null) continue;
      inputs.push([this.http[index]!, requestOf(program, index, content(program.size, seed + index))]);
    }
    for (const [index, program] of programs.sockets.entries()) {
      if (program === null) continue;
      inputs.push([this.sockets[index]!, framesOf(program, content(program.size, seed + 50 + index))]);
    }
    this.handled = 0;
    return inputs;
  }

  private handled = 0;

  /** Polls, where that is needed, until a condition holds. */
  private async until(condition: () => boolean, what: string): Promise<void> {
    const end = performance.now() + 10_000;
    while (!condition()) {
      assert.ok(performance.now() < end, `${what}: ${this.handled} inputs were handled`);
      if (this.isDeferred) this.server.poll();
      await turns(1);
    }
  }

  /** Each program that answers another client's request finds one. */
  private async offerResponses({ http, sockets }: Round): Promise<void> {
    for (const [index, client] of this.waiting.entries()) {
      const isWanted = [http[index], sockets[index]].some((program) => program?.way === "to a response");
      if (!isWanted) continue;
      const isFetch = index % 2 === 1;
      const fetches = this.fetches.length;
      client.raw.send(`GET ${isFetch ? "/fetch" : `/wait/${index}`} HTTP/1.1\r\nHost: h\r\n\r\n`);
      const hasCome = () => (isFetch ? this.fetches.length > fetches : this.pending[index] !== undefined);
      await this.until(hasCome, "the request to arrive");
      if (isFetch) this.fetchOf.set(index, this.fetches.pop()!);
    }
  }

  private readonly fetchOf = new Map<number, (response: Response) => void>();

  /** Notes what a client must get: the bytes as they are now. */
  private expect(client: Client | undefined, bytes: Uint8Array): void {
    if (client === undefined) return;
    const list = this.expected.get(client) ?? [];
    list.push(Buffer.from(bytes));
    this.expected.set(client, list);
  }

  private post(exchange: Exchange<{ client: string }>, index: number): void {
    const program = this.programs?.http[index];
    assert.ok(program);
    const client = this.http[index];
    const sent: Buffer[] = [];
    const write = (bytes: Uint8Array): void => {
      sent.push(Buffer.from(bytes));
      exchange.write(bytes);
    };
    exchange.onBody((chunk, last) => {
      const bytes = part(chunk, program);
      if (!last) {
        if (program.way === "write" || program.way === "write twice") write(bytes);
        if (program.way === "write twice") write(bytes);
        return;
      }
      this.handled++;
      switch (program.way) {
        case "tryEnd": {
          const copy = Buffer.from(bytes);
          this.expect(client, copy);
          exchange.onWritable(() => exchange.tryEnd(copy.subarray(exchange.offset), copy.length));
          exchange.tryEnd(bytes, bytes.length);
          return;
        }
        case "stream":
          this.expect(client, Buffer.concat([bytes, bytes]));
          void exchange.stream([bytes, bytes]);
          return;
        case "to a socket":
          this.expect(this.sockets[index], bytes);
          this.serverSockets[index]?.send(bytes, { binary: true });
          break;
        case "to all":
          for (const socket of this.sockets) this.expect(socket, bytes);
          this.server.publish("all", bytes, { binary: true });
          break;
        case "to a response":
          this.respond(index, bytes);
          break;
        default:
      }
      if (program.way === "write") write(bytes);
      this.expect(client, Buffer.concat([...sent, bytes]));
      exchange.end(bytes);
    }, LENT);
  }

  /** Answers the request of another client, if that has not been done. */
  private respond(index: number, bytes: Uint8Array): void {
    const fetch = this.fetchOf.get(index);
    const exchange = this.pending[index];
    this.fetchOf.delete(index);
    this.pending[index] = undefined;
    if (fetch === undefined && exchange === undefined) return;
    this.expect(this.waiting[index], bytes);
    fetch?.(new LazyResponse(bytes as Uint8Array<ArrayBuffer>));
    exchange?.end(bytes);
  }

  private message(socket: WebSocket<number>, data: Buffer): void {
    const index = socket.data;
    const program = this.programs?.sockets[index];
    assert.ok(program);
    const bytes = part(data, program);
    const client = this.sockets[index];
    const neighbour = (index + 1) % CLIENTS;
    this.handled++;
    switch (program.way) {
      case "send":
      case "send twice":
        for (let times = program.way === "send" ? 1 : 2; times > 0; times--) {
          this.expect(client, bytes);
          socket.send(bytes, { binary: true });
        }
        break;
      case "reply":
        this.expect(client, bytes);
        socket.reply(bytes, { binary: true });
        break;
      case "into memory":
        this.expect(client, bytes);
        // Room for more than is written, so that the header can be shorter, too.
        socket.sendInto(bytes.length + 130, (memory) => {
          memory.set(bytes);
          return bytes.length;
        });
        break;
      case "into memory while others send":
        this.sendMeanwhile(index, bytes);
        break;
      case "ping":
        this.expect(client, bytes.subarray(0, 125));
        socket.ping(bytes.subarray(0, 125));
        break;
      case "to a neighbour":
        this.expect(this.sockets[neighbour], bytes);
        this.serverSockets[neighbour]?.send(bytes, { binary: true });
        break;
      case "to all":
        for (const each of this.sockets) this.expect(each, bytes);
        this.server.publish("all", bytes, { binary: true });
        break;
      default:
        this.respond(index, bytes);
    }
  }

  /** While a message is written, its socket and another one send. */
  private sendMeanwhile(index: number, bytes: Uint8Array): void {
    const [socket, client] = [this.serverSockets[index], this.sockets[index]];
    const neighbour = (index + 1) % CLIENTS;
    const before = bytes.subarray(bytes.length >> 1);
    this.expect(client, before);
    this.expect(client, bytes);
    this.expect(this.sockets[neighbour], bytes);
    this.expect(this.sockets[neighbour], before);
    socket?.sendInto(bytes.length, (memory) => {
      memory.set(bytes);
      this.serverSockets[neighbour]?.send(memory, { binary: true });
      socket.send(memory.subarray(bytes.length >> 1), { binary: true });
      this.serverSockets[neighbour]?.sendInto(before.length, (inner) => void inner.set(before));
      if (bytes.length % 2 === 1) this.server.flush();
      return undefined;
    });
  }
}

function difference(got: Buffer, wanted: Buffer): string {
  let at = 0;
  while (at < got.length && got[at] === wanted[at]) at++;
  const around = (bytes: Buffer): string => bytes.toString("hex", at, at + 16);
  return `${got.length} bytes for ${wanted.length}, wrong from ${at} on: ${around(got)} in place of ${around(wanted)}`;
}

function requestOf({ chunk }: HttpProgram, index: number, body: Buffer): Buffer {
  const head = `POST /${index} HTTP/1.1\r\nHost: h\r\n`;
  if (chunk === 0 && body.length > 0) {
    return Buffer.concat([Buffer.from(`${head}Content-Length: ${body.length}\r\n\r\n`), body]);
  }
  const pieces: Buffer[] = [Buffer.from(`${head}Transfer-Encoding: chunked\r\n\r\n`)];
  const most = chunk || 1_000;
  for (let at = 0; at < body.length; at += most) {
    const piece = body.subarray(at, at + most);
    pieces.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from("\r\n"));
  }
  return Buffer.concat([...pieces, Buffer.from("0\r\n\r\n")]);
}

function framesOf({ fragment }: SocketProgram, payload: Buffer): Buffer {
  return Buffer.concat(fragments(BINARY, piecesOf(payload, fragment || Math.max(1, payload.length))));
}

const kinds: [name: string, options: ServerOptions, secure: boolean][] = [
  ["TCP", {}, false],
  ["TCP by streams", { directIo: false }, false],
  ["TLS", {}, true],
  ["TLS by streams", { directIo: false }, true],
  ["TCP, deferred", { delivery: "deferred" }, false],
];

async function staged(t: TestContext, options: ServerOptions, secure: boolean): Promise<Stage> {
  const limits = { maxBackpressureBytes: 2 ** 30, maxQueueBytes: 2 ** 30 };
  const server = new Server({ ...options, limits });
  const tls = secure ? { tls: certificate("localhost") } : {};
  const { port } = await server.listen({ port: 0, host: "127.0.0.1", ...tls });
  const stage = new Stage(server, options.delivery === "deferred");
  // A response that is sent in parts goes on when it is told so.
  const polling = setInterval(() => options.delivery === "deferred" && server.poll(), 2);
  t.after(async () => {
    clearInterval(polling);
    for (const { raw } of stage.all) raw.destroy();
    await server.close({ graceMs: 0 });
  });
  await stage.open(() => (secure ? tlsClient : tcpClient)(port));
  return stage;
}

describe("bytes that a handler was lent arrive as it saw them", () => {
  for (const [name, options, secure] of kinds) {
    it(`over ${name}`, async (t) => {
      const stage = await staged(t, options, secure);
      let programs = 0;
      let seed = 0;
      await fc.assert(
        fc.asyncProperty(round, async (each) => {
          seed += 100;
          programs += await stage.run(each, seed);
        }),
        { numRuns: ROUNDS, endOnFailure: true },
      );
      t.diagnostic(`${programs} programs`);
    });
  }
});
