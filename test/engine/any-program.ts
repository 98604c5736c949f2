// A program that calls anything on any exchange and WebSocket of a server, old or new, at any time, as dice say.
import type { Exchange, WebSocket } from "../../src/exchange/exchange.ts";
import { Server } from "../../src/server/server.ts";
import { turns } from "../support/waiting.ts";

/** Body limits by the first segment of a path. */
export const LIMITS: Readonly<Record<string, number>> = { small: 100, middle: 5_000, large: 100_000 };
const limits = { maxQueueBytes: 20_000, maxQueueBytesPerSocket: 9_000, maxBackpressureBytes: 60_000 };
const more = { writeHighWaterBytes: 5_000, maxDiscardBytes: 2_000, handlerTimeoutMs: 1_000 };

/** Each request has a tag, one character, which all of its bytes are. What is of another one is `wrong`. */
export class Program {
  readonly server: Server;
  readonly wrong: string[] = [];
  private readonly exchanges: Exchange[] = [];
  private readonly sockets: WebSocket<string>[] = [];
  private readonly dice: readonly number[];
  private thrown = 0;
  private left = 150;
  private depth = 0;
  private isOver = false;
  /** Those whose content is being read. Old ones must not need it that others call their functions. */
  private readonly readers = new Set<Exchange>();

  constructor(dice: readonly number[], delivery: "immediate" | "deferred") {
    this.dice = dice;
    const server = new Server({ delivery, limits: { ...limits, ...more }, onError: () => this.act() });
    this.server = server;
    server.onRequest((exchange) => {
      exchange.setHeader("X-Tag", tagOf(exchange));
      this.exchanges.push(exchange);
      this.act();
      return this.roll(4) === 0 ? turns(1).then(() => this.act(exchange)) : undefined;
    });
    server.onResponse(() => this.act());
    server.onFailure((exchange) => {
      this.act();
      return tagOf(exchange).repeat(8);
    });
    for (const [name, maxBodyBytes] of Object.entries(LIMITS)) {
      server.any(`/${name}/:tag`, (exchange) => this.handle(exchange, maxBodyBytes), { maxBodyBytes });
    }
  }

  roll(sides: number): number {
    return (this.dice[this.thrown++ % this.dice.length] ?? 0) % sides;
  }

  async handle(exchange: Exchange, limit: number): Promise<void> {
    if ((exchange.contentLength ?? 0) > limit) this.wrong.push(`${exchange.target} has too much content`);
    exchange.answerWithin(this.roll(3) === 0 ? 5 : 0);
    this.act(exchange);
    if (this.roll(2) === 0) await turns(this.roll(4));
    this.act(exchange);
    if (this.isOver) exchange.end();
    if (this.roll(20) === 0) throw new Error("own");
  }

  /** Does one thing, with this exchange or any. */
  act(given?: Exchange): void {
    if (this.left-- <= 0 || this.depth > 3) return;
    this.depth++;
    try {
      const exchange = given ?? this.exchanges[this.roll(this.exchanges.length || 1)];
      const socket = this.sockets[this.roll(this.sockets.length || 1)];
      if (this.roll(8) === 0) this.serve();
      else if (socket !== undefined && this.roll(2) === 0) this.use(socket);
      else if (exchange !== undefined) this.answer(exchange);
    } catch {
      // Wrong calls throw.
    } finally {
      this.depth--;
    }
  }

  private serve(): void {
    const { server } = this;
    const ways = [
      () => server.pause(),
      () => server.resume(),
      () => server.resume(),
      () => server.flush(),
      () => server.poll(this.roll(3)),
      () => this.roll(6) === 0 && server.connections[this.roll(server.connections.length)]?.close(),
    ];
    ways[this.roll(ways.length)]?.();
  }

  private answer(exchange: Exchange): void {
    const tag = tagOf(exchange);
    const again = (): void => this.act(this.roll(2) === 0 ? exchange : undefined);
    const see = (bytes: Uint8Array): void => this.see(tag, bytes);
    const read = <Result>(result: Result): Result => {
      this.readers.add(exchange);
      return result;
    };
    const some = tag.repeat([8, 100, 4_000, 20_000][this.roll(4)] ?? 8);
    const hush = (result: Promise<unknown>): void => void result.catch(() => {}).then(again);
    const end = (): unknown => exchange.end(some);
    const ways = [
      end,
      end,
      end,
      () => exchange.write(some),
      () => exchange.tryEnd(Buffer.alloc(Math.max(0, 20_000 - exchange.offset), tag), 20_000),
      () => hush(exchange.stream(this.pieces(some))),
      () => exchange.status(200 + this.roll(200)).setHeader("X-Own", tag),
      () => exchange.refuse(403, some),
      () => this.roll(3) === 0 && exchange.abort(),
      () => read(hush(exchange.bytes().then(see))),
      () => read(hush(exchange.text(50))),
      () => read(exchange.onBody((chunk) => [see(chunk), again()], { lent: this.roll(2) === 0 })),
      () => read(hush(this.loop(exchange, see))),
      () => exchange.pauseBody(),
      () => exchange.resumeBody(),
      () => exchange.wantBody(),
      () => exchange.answerWithin(this.roll(4) * 2),
      () => exchange.onAbort(again),
      () => exchange.onWritable(again),
      () => hush(exchange.drained()),
      () => exchange.id.length + exchange.bufferedBytes + exchange.pendingBytes,
      () => this.server.find(exchange.id),
      () => hush(Promise.resolve(this.open(exchange, tag))),
    ];
    const isUpgrade = exchange.wantsUpgrade && this.roll(3) > 0;
    ways[isUpgrade ? ways.length - 1 : this.roll(ways.length)]?.();
  }

  private open(exchange: Exchange, tag: string): unknown {
    const upgrade = (): string | Promise<string> => {
      this.act();
      return this.roll(2) === 0
        ? tag
        : turns(this.roll(3)).then(() => [this.act(exchange), tag][1] as string);
    };
    const handlers = {
      ...(this.roll(2) === 0 ? { upgrade } : {}),
      open: (socket: WebSocket<string>) => [this.sockets.push(socket), this.act()],
      message: (_socket: WebSocket<string>, data: Buffer) => [this.see(tag, data), this.act()],
      drain: () => this.act(),
      close: () => this.act(),
    };
    const options = { data: tag, lent: this.roll(4) === 0 };
    return exchange.upgrade<string>(handlers, { ...options, headers: { "X-Late": tag } });
  }

  private use(socket: WebSocket<string>): void {
    const own = socket.request as Exchange;
    const tag = tagOf(own);
    const some = tag.repeat([1, 100, 20_000][this.roll(3)] ?? 1);
    const ways = [
      () => socket.send(some),
      () => socket.reply(Buffer.from(some)),
      () => socket.sendLatest("key", some),
      () => socket.ping(tag),
      () => socket.pause(),
      () => socket.resume(),
      () => socket.resumeDespiteFullQueue(),
      () => socket.pauseUntilDrain(),
      () => socket.cork(() => this.act()),
      () => this.roll(6) === 0 && socket.close(),
      () => this.roll(6) === 0 && (this.roll(2) === 0 ? socket.closeNow(1000) : socket.terminate()),
      () => socket.resume(),
      () => void socket.drained().then(() => this.act()),
      () => own.end("no") && this.wrong.push("an answer of a WebSocket's request"),
      () => own.pauseBody(),
      () => own.abort(),
      () => own.path.split("/")[2] === tag || this.wrong.push(`${own.path} for ${tag}`),
      () => own.header("X-Tag") === tag || this.wrong.push(`${own.rawHeaders} for ${tag}`),
    ];
    ways[this.roll(ways.length)]?.();
  }

  private see(tag: string, bytes: Uint8Array): void {
    if (Buffer.from(bytes).some((byte) => byte !== tag.charCodeAt(0)))
      this.wrong.push(`${tag} got ${Buffer.from(bytes).toString("latin1", 0, 100)}`);
  }

  private async *pieces(piece: string): AsyncGenerator<string> {
    for (let i = this.roll(4); i > 0; i--) {
      if (this.roll(2) === 0) await turns(1);
      yield piece;
    }
  }

  private async loop(exchange: Exchange, see: (bytes: Buffer) => void): Promise<void> {
    for await (const chunk of exchange.body) {
      see(chunk);
      if (this.roll(4) === 0) break;
      if (this.roll(2) === 0) await turns(1);
    }
  }

  /** Ends what waits, as far as a program can. */
  finish(): void {
    this.left = 0;
    this.isOver = true;
    this.server.resume();
    for (const socket of this.sockets) socket.resume();
    for (const exchange of this.exchanges) {
      if (!exchange.finished || this.readers.has(exchange)) exchange.resumeBody();
      exchange.end();
    }
  }
}

/** From what the client has sent, whatever reads it. */
function tagOf(exchange: Exchange): string {
  return exchange.target.slice(-1);
}
