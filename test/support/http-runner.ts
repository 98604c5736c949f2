import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import type { Exchange } from "../../src/exchange/exchange.ts";
import type { Limits } from "../../src/limits/limits.ts";
import type { HttpLimits } from "../../src/protocol/http1/http-limits.ts";
import { Server } from "../../src/server/server.ts";
import { type FeedEvent, feedEveryWay, type HeadView, limitsWith } from "./feed.ts";
import { type Case, type Outcome, type Seen, saw, type Table } from "./http-case.ts";
import { type ResponseStream, readStream, valuesOf } from "./http-response.ts";
import { Random } from "./random.ts";
import { memoryClient, type RawClient, tcpClient } from "./raw-client.ts";
import { turns, within } from "./waiting.ts";

const BEFORE = "GET /before HTTP/1.1\r\nHost: h\r\n\r\n";
const AFTER = "GET /after HTTP/1.1\r\nHost: h\r\n\r\n";
const SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";

/** What a handler was given, and whether it got all of the content. */
interface Told {
  readonly exchange: Exchange;
  readonly method: string;
  readonly target: string;
  readonly authority: string | undefined;
  readonly version: string;
  body: string | undefined;
  trailers: Readonly<Record<string, string>>;
}

/** A server whose one handler writes down what it is given. */
class Witness {
  told: Told[] = [];
  readonly reports: unknown[] = [];
  readonly server: Server;
  private readonly defaults: Limits;
  private port: number | undefined;

  constructor(delivery: "immediate" | "deferred") {
    this.server = new Server({ delivery, onError: (error) => this.reports.push(error) });
    this.defaults = { ...this.server.limits };
    this.server.any("/*", (exchange) => this.answer(exchange));
    this.server.websocket("/ws", {});
    if (delivery === "deferred") void this.runEvents();
  }

  /** Forgets what it was told before. */
  begin(limits: Partial<Limits>): void {
    Object.assign(this.server.limits, this.defaults, limits);
    this.told = [];
  }

  async connectTcp(): Promise<RawClient> {
    this.port ??= (await this.server.listen({ port: 0, host: "127.0.0.1" })).port;
    return tcpClient(this.port);
  }

  close(): Promise<void> {
    return within(this.server.close({ graceMs: 0 }), "the server to close");
  }

  private async runEvents(): Promise<void> {
    for await (const event of this.server.events()) this.server.run(event);
  }

  private async answer(exchange: Exchange): Promise<void> {
    const told: Told = {
      exchange,
      method: exchange.method,
      target: exchange.target,
      authority: exchange.authority,
      version: exchange.httpVersion,
      body: undefined,
      trailers: {},
    };
    this.told.push(told);
    told.body = (await exchange.bytes()).toString("latin1");
    told.trailers = exchange.trailers;
    exchange.end(`${exchange.method} ${exchange.target}`);
  }
}

/** One way in which the bytes of a case reach a server. */
interface Way {
  readonly name: string;
  readonly deferred?: boolean;
  readonly tcp?: boolean;
  /** A good request comes first on the same connection. */
  readonly preceded?: boolean;
  /** Lengths of the pieces; without it everything is sent at once. */
  readonly pieces?: (input: string) => number[];
}

/** Octet by octet; what is long is sent in larger pieces between its first and its last octets. */
function octets(input: string): number[] {
  const { length } = input;
  if (length <= 600) return new Array<number>(length).fill(1);
  const ends = new Array<number>(200).fill(1);
  const middle = new Array<number>(Math.floor((length - 400) / 97)).fill(97);
  return [...ends, ...middle, (length - 400) % 97, ...ends];
}

/** A few pieces, not always the same in all cases but always the same for one. */
function cuts(seed: number): (input: string) => number[] {
  return (input) => {
    const random = new Random(seed + input.length * 31);
    const marks = Array.from({ length: 4 }, () => 1 + random.below(input.length)).sort((a, b) => a - b);
    return [...marks, input.length].map((mark, index, all) => mark - (all[index - 1] ?? 0));
  };
}

const IN_MEMORY: readonly Way[] = [
  { name: "whole" },
  { name: "octet by octet", pieces: octets },
  { name: "cut (1)", pieces: cuts(1) },
  { name: "cut (2)", pieces: cuts(2) },
  { name: "behind another request", preceded: true },
  { name: "behind another request, octet by octet", preceded: true, pieces: octets },
  { name: "deferred", deferred: true },
];

const OVER_TCP: readonly Way[] = [
  { name: "whole", tcp: true },
  { name: "cut (3)", tcp: true, pieces: cuts(3) },
  { name: "behind another request, cut (4)", tcp: true, preceded: true, pieces: cuts(4) },
];

/** The final answers that must come, and what the program must have been told. */
interface Demand {
  readonly answers: readonly { readonly method: string; readonly status: number; readonly seen?: Seen }[];
  readonly ends: boolean;
  /** A handler that got a head but never its content. */
  readonly begun: boolean;
  readonly follower: string;
}

function followerOf({ kind }: Outcome): string {
  if (kind === "unfinished") return "";
  return kind === "accepted" || kind === "answered" ? AFTER : SMUGGLED;
}

function demandOf(outcome: Outcome, preceded: boolean): Demand {
  const ok = (seen: Seen) => ({ method: seen.method ?? seen.head?.method ?? "GET", status: 200, seen });
  const first = preceded ? [ok(saw({ target: "/before" }))] : [];
  const then = ok(saw({ target: "/after" }));
  const demand = { ends: true, begun: false, follower: followerOf(outcome) };
  switch (outcome.kind) {
    case "refused": {
      const answers = [...first, ...outcome.seen.map(ok), { method: "ANY", status: outcome.status }];
      return { ...demand, answers, begun: outcome.begun !== undefined };
    }
    case "accepted":
      return { ...demand, answers: [...first, ...outcome.seen.map(ok), then], ends: false };
    case "last":
      return { ...demand, answers: [...first, ...outcome.seen.map(ok)] };
    case "answered": {
      const { method, status } = outcome;
      return { ...demand, answers: [...first, { method, status }, then], ends: false };
    }
    case "upgraded":
      return { ...demand, answers: [...first, { method: "GET", status: 101 }] };
    case "unfinished":
      return { ...demand, answers: [...first, ...outcome.seen.map(ok)], begun: outcome.begun !== undefined };
  }
}

/** Whether the client asks for an interim response that it may get. */
function expectsContinue(outcome: Outcome): boolean {
  if (outcome.kind === "accepted" && outcome.continues) return true;
  const begun = "begun" in outcome ? outcome.begun : undefined;
  const all = [...("seen" in outcome ? outcome.seen : []), begun];
  return all.some((seen) => seen?.head?.expectContinue === true);
}

function sendText(client: RawClient, text: string): void {
  client.send(Buffer.from(text, "latin1"));
}

async function sendInPieces(
  client: RawClient,
  text: string,
  lengths: readonly number[],
  delivered: () => Promise<unknown>,
): Promise<void> {
  let at = 0;
  for (const length of lengths) {
    if (length > 0) sendText(client, text.slice(at, at + length));
    at += length;
    await delivered();
  }
}

/** In memory, what is sent has arrived when a tick has passed. */
const tick = () => new Promise<void>((resolve) => process.nextTick(resolve));
const turn = () => turns(1);

function checkSeen(told: Told, seen: Seen): void {
  const { method, target, host, minorVersion, fields } = seen.head ?? {};
  const version = minorVersion === undefined ? undefined : `1.${minorVersion}`;
  for (const [name, got, wanted] of [
    ["method", told.method, seen.method ?? method],
    ["target", told.target, seen.target ?? target],
    ["version", told.version, seen.version ?? version],
    ["authority", told.authority, seen.authority ?? host],
  ] as const) {
    if (wanted !== undefined) assert.equal(got, wanted, name);
  }
  if ("authority" in seen) assert.equal(told.authority, seen.authority);
  assert.equal(told.body, seen.body ?? "", "content");
  assert.deepEqual({ ...told.trailers }, seen.trailers ?? joined(seen.trailerLines ?? []), "trailers");
  for (const [name, value] of Object.entries(seen.fields ?? joined(fields ?? []))) {
    assert.equal(told.exchange.header(name), value, `field ${name}`);
  }
}

function checkAnswers(stream: ResponseStream, demand: Demand, outcome: Outcome, told: readonly Told[]): void {
  assert.deepEqual(
    stream.finals.map((answer) => answer.status),
    demand.answers.map((answer) => answer.status),
  );
  const own = [...told];
  for (const [index, { method, seen }] of demand.answers.entries()) {
    const answer = stream.finals[index]!;
    const text = answer.body.toString("latin1");
    if (seen !== undefined) {
      const { method: asked, target } = own.shift()!;
      assert.equal(text, method === "HEAD" ? "" : `${asked} ${target}`, "another request's answer");
    }
    const closes = demand.ends && index === demand.answers.length - 1 && outcome.kind !== "unfinished";
    if (answer.status === 101) continue;
    assert.equal(valuesOf(answer, "connection").includes("close"), closes, "Connection: close");
  }
  assert.ok(
    stream.interims.length <= (expectsContinue(outcome) ? 1 : 0),
    "more interim responses than asked for",
  );
  for (const [, interim] of stream.interims) assert.equal(interim.status, 100);
  const rest = stream.rest.toString("latin1");
  if (outcome.kind === "upgraded") assert.doesNotMatch(rest, /HTTP/, "HTTP behind the upgrade");
  else assert.equal(rest, "", "bytes behind the answers");
}

async function run(witness: Witness, input: string, outcome: Outcome, way: Way): Promise<void> {
  const demand = demandOf(outcome, way.preceded === true);
  const client = way.tcp ? await witness.connectTcp() : memoryClient(witness.server);
  const methods = demand.answers.map((answer) => answer.method);
  if (outcome.kind === "unfinished" && demand.begun) methods.push("ANY");
  const look = () => readStream(client.received, methods, client.ended || client.closed);
  try {
    const text = (way.preceded ? BEFORE : "") + input + demand.follower;
    if (way.pieces === undefined) sendText(client, text);
    else await sendInPieces(client, text, way.pieces(text), way.tcp ? turn : tick);
    const answersDue = () => look().finals.length >= demand.answers.length;
    if (outcome.kind === "unfinished") {
      await turns(3);
      await client.until(answersDue, "the answers before");
      assert.equal(client.ended || client.closed, false, "closed before the peer ended its stream");
      client.end();
    }
    if (demand.ends) await client.over("the server to end its stream");
    else {
      await client.until(() => answersDue() || client.ended || client.closed, "all answers");
      assert.equal(client.ended || client.closed, false, "closed, though the connection is to persist");
    }
    // Whatever comes now must not have any effect, or must not be there at all.
    if (demand.ends && outcome.kind !== "unfinished") sendText(client, SMUGGLED);
    await turns(2);
    const complete = witness.told.filter((told) => told.body !== undefined);
    const seen = demand.answers.flatMap((answer) => answer.seen ?? []);
    assert.equal(complete.length, seen.length, `the handler got ${complete.map((told) => told.target)}`);
    checkAnswers(look(), demand, outcome, complete);
    for (const [index, told] of complete.entries()) checkSeen(told, seen[index]!);
    assert.equal(
      witness.told.length - complete.length,
      demand.begun ? 1 : 0,
      "handlers that wait for content",
    );
    assert.deepEqual(witness.reports, [], "errors in the program");
  } finally {
    client.destroy();
  }
}

/** Field lines by name in lower case, those of one name joined. RFC 9110 §5.3. */
function joined(lines: readonly (readonly [string, string])[]): Record<string, string> {
  const all: Record<string, string> = Object.create(null);
  for (const [name, value] of lines) {
    const key = name.toLowerCase();
    all[key] = key in all ? `${all[key]}${key === "cookie" ? "; " : ", "}${value}` : value;
  }
  return { ...all };
}

/** What the reader made of one request. */
interface Message {
  readonly head: HeadView;
  body: string;
  /** Undefined: the request was not complete. */
  trailers: readonly [string, string][] | undefined;
}

function messagesOf(events: readonly FeedEvent[]): { messages: Message[]; failure: number | undefined } {
  const messages: Message[] = [];
  let failure: number | undefined;
  for (const event of events) {
    const message = messages.at(-1);
    if (event.type === "request") messages.push({ head: event.head, body: "", trailers: undefined });
    else if (event.type === "body") message!.body += event.data;
    else if (event.type === "end") message!.trailers = event.trailers ?? [];
    else failure = event.status;
  }
  return { messages, failure };
}

function checkHead(head: HeadView, seen: Seen): void {
  for (const key of Object.keys(seen.head ?? {}) as (keyof HeadView)[]) {
    assert.deepEqual(head[key], seen.head?.[key], `head.${key}`);
  }
  if (seen.method !== undefined) assert.equal(head.method, seen.method);
  if (seen.target !== undefined) assert.equal(head.target, seen.target);
  if (seen.version !== undefined) assert.equal(`1.${head.minorVersion}`, seen.version);
  if ("authority" in seen) assert.equal(head.host, seen.authority);
  const fields = joined(head.fields);
  // RFC 9112 §6.3: every case is held to what its own fields say of the length.
  const isChunked = "transfer-encoding" in fields;
  const length = isChunked ? -1 : Number(fields["content-length"] ?? -1);
  assert.deepEqual([head.chunked, head.contentLength], [isChunked, length], "framing");
  for (const [name, value] of Object.entries(seen.fields ?? {})) {
    assert.equal(fields[name.toLowerCase()], value, `field ${name}`);
  }
}

function checkMessage(message: Message | undefined, seen: Seen): void {
  assert.ok(message?.trailers !== undefined, "a request is missing, or not complete");
  checkHead(message.head, seen);
  assert.equal(message.body, seen.body ?? "", "content");
  if (seen.trailerLines !== undefined) assert.deepEqual(message.trailers, seen.trailerLines);
  else assert.deepEqual(joined(message.trailers), seen.trailers ?? {}, "trailers");
}

/** Feeds a reader with the bytes of a case, alone and with what follows them. */
function checkBytes(input: string, outcome: Outcome, limits: HttpLimits): void {
  const seen = "seen" in outcome ? outcome.seen : [{ head: "head" in outcome ? outcome.head : {} } as Seen];
  const begun = "begun" in outcome ? outcome.begun : undefined;
  const expected = seen.length + (begun === undefined ? 0 : 1);
  const followers = outcome.kind === "accepted" || outcome.kind === "answered" ? ["", AFTER] : [""];
  if (outcome.kind === "refused") followers.push(SMUGGLED);
  for (const follower of followers) {
    const events = feedEveryWay(input + follower, limits);
    const { messages, failure } = messagesOf(events);
    if (outcome.kind === "last") messages.length = Math.min(messages.length, expected);
    else if (outcome.kind !== "refused") assert.equal(failure, undefined, "it failed");
    else if (outcome.late && follower === "") assert.equal(failure, undefined, "it failed early");
    else assert.equal(failure, outcome.status, "status of the failure");
    for (const [index, one] of seen.entries()) {
      if (outcome.kind === "answered") checkHead(messages[index]!.head, one);
      else if (outcome.kind === "upgraded") assert.equal(messages[index]?.head.upgrade, true);
      else checkMessage(messages[index], one);
    }
    if (follower === AFTER) checkMessage(messages[expected], saw({ target: "/after" }));
    assert.equal(messages.length, expected + (follower === AFTER ? 1 : 0), "requests");
    if (begun !== undefined) {
      const message = messages[expected - 1]!;
      assert.equal(message.trailers, undefined, "its content is complete");
      checkHead(message.head, begun);
      if (begun.body !== undefined) assert.equal(message.body, begun.body);
    }
    if (outcome.kind === "accepted" && outcome.continues) assert.ok(messages[0]?.head.expectContinue);
    if (outcome.kind === "accepted" || outcome.kind === "last") {
      assert.equal(messages[expected - 1]?.head.keepAlive, outcome.kind === "accepted", "persistence");
    }
  }
}

/** What becomes of the bytes, as the end of a sentence. */
function verdict(outcome: Outcome): string {
  switch (outcome.kind) {
    case "refused":
      return `is refused with ${outcome.status}${outcome.begun === undefined ? "" : " in its content"}`;
    case "accepted":
      return "is accepted";
    case "last":
      return "is accepted, and the connection closes";
    case "answered":
      return `is answered with ${outcome.status} by the server itself`;
    case "upgraded":
      return "becomes a WebSocket";
    case "unfinished":
      return "is waited for";
  }
}

function runTables(level: string, tables: readonly Table[], run: (one: Case) => unknown): void {
  for (const { area, cases } of tables) {
    describe(`${area}, ${level}`, () => {
      for (const one of cases) {
        const [section, name, input, outcome] = one;
        test(`${section}: ${name} ${verdict(outcome)}`, async () => {
          try {
            await run(one);
          } catch (error) {
            const message = error instanceof Error ? error.message : String(error);
            throw new Error(`${JSON.stringify(input.slice(0, 300))}: ${message}`, { cause: error });
          }
        });
      }
    });
  }
}

/** Runs every case on a reader alone, fed in every way. */
export function runOnBytes(tables: readonly Table[]): void {
  runTables("on bytes", tables, ([, , input, outcome, limits = {}]) => {
    checkBytes(input, outcome, limitsWith(limits as Partial<HttpLimits>));
  });
}

/** Runs every case against servers in memory, sent in several ways. */
export function runInMemory(tables: readonly Table[]): void {
  runOnServers("in memory", tables, IN_MEMORY);
}

/** Runs every case over TCP, sent in several ways. */
export function runOverTcp(tables: readonly Table[]): void {
  runOnServers("over TCP", tables, OVER_TCP);
}

function runOnServers(level: string, tables: readonly Table[], ways: readonly Way[]): void {
  const immediate = new Witness("immediate");
  const deferred = new Witness("deferred");
  after(() => Promise.all([immediate.close(), deferred.close()]));
  runTables(level, tables, async ([, , input, outcome, limits = {}]) => {
    for (const way of ways) {
      const witness = way.deferred ? deferred : immediate;
      witness.begin(limits);
      try {
        await run(witness, input, outcome, way);
      } catch (error) {
        witness.reports.length = 0;
        const message = error instanceof Error ? error.message : String(error);
        throw new Error(`${way.name}: ${message}`, { cause: error });
      }
    }
  });
}
