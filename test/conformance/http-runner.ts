import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Exchange } from "../../src/engine/exchange.ts";
import type { Limits } from "../../src/engine/limits.ts";
import { Server } from "../../src/engine/server.ts";
import { turns } from "../engine/harness.ts";
import { memoryClient, type RawClient, tcpClient, within } from "../engine/raw-client.ts";
import { randomFrom } from "../http1/feed.ts";
import { type Case, type Outcome, type Seen, saw, type Table } from "./http-case.ts";
import { readStream, type StrictStream, valuesOf } from "./strict-response.ts";

const BEFORE = "GET /before HTTP/1.1\r\nHost: h\r\n\r\n";
const AFTER = "GET /after HTTP/1.1\r\nHost: h\r\n\r\n";
const SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";

/** What a handler was given, and whether it got all of the content. */
interface Told extends Omit<Seen, "fields" | "body"> {
  readonly exchange: Exchange;
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
    const random = randomFrom(seed + input.length * 31);
    const marks = Array.from({ length: 4 }, () => 1 + random(input.length)).sort((a, b) => a - b);
    return [...marks, input.length].map((mark, index, all) => mark - (all[index - 1] ?? 0));
  };
}

const WAYS: readonly Way[] = [
  { name: "in memory, whole" },
  { name: "in memory, octet by octet", pieces: octets },
  { name: "in memory, cut (1)", pieces: cuts(1) },
  { name: "in memory, cut (2)", pieces: cuts(2) },
  { name: "in memory, behind another request", preceded: true },
  { name: "in memory, behind another request, octet by octet", preceded: true, pieces: octets },
  { name: "in memory, deferred", deferred: true },
  { name: "on a socket, whole", tcp: true },
  { name: "on a socket, cut (3)", tcp: true, pieces: cuts(3) },
  { name: "on a socket, behind another request, cut (4)", tcp: true, preceded: true, pieces: cuts(4) },
];

/** The final answers that must come, and what the program must have been told. */
interface Demand {
  readonly answers: readonly { readonly method: string; readonly status: number; readonly seen?: Seen }[];
  readonly ends: boolean;
  /** A handler that got a head but never its content. */
  readonly began: boolean;
  readonly follower: string;
}

function demandOf(outcome: Outcome, preceded: boolean): Demand {
  const ok = (seen: Seen) => ({ method: seen.method, status: 200, seen });
  const first = preceded ? [ok(saw({ target: "/before" }))] : [];
  const then = ok(saw({ target: "/after" }));
  switch (outcome.kind) {
    case "refused": {
      const refusal = { method: "ANY", status: outcome.status };
      const answers = [...first, ...outcome.seen.map(ok), refusal];
      return { answers, ends: true, began: outcome.began, follower: SMUGGLED };
    }
    case "accepted": {
      const answers = [...first, ...outcome.seen.map(ok), then];
      return { answers, ends: false, began: false, follower: AFTER };
    }
    case "last":
      return { answers: [...first, ...outcome.seen.map(ok)], ends: true, began: false, follower: SMUGGLED };
    case "answered": {
      const { method, status } = outcome;
      return { answers: [...first, { method, status }, then], ends: false, began: false, follower: AFTER };
    }
    case "upgraded": {
      const answers = [...first, { method: "GET", status: 101 }];
      return { answers, ends: true, began: false, follower: SMUGGLED };
    }
    case "unfinished":
      return { answers: first, ends: true, began: outcome.began, follower: "" };
  }
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
  const { method, target, authority, version, body, trailers } = told;
  assert.deepEqual(
    { method, target, authority, version, body, trailers: { ...trailers } },
    {
      method: seen.method,
      target: seen.target,
      authority: seen.authority,
      version: seen.version,
      body: seen.body,
      trailers: seen.trailers,
    },
  );
  for (const [name, value] of Object.entries(seen.fields)) {
    assert.equal(told.exchange.header(name), value, `field ${name}`);
  }
}

function checkAnswers(stream: StrictStream, demand: Demand, outcome: Outcome): void {
  assert.deepEqual(
    stream.finals.map((answer) => answer.status),
    demand.answers.map((answer) => answer.status),
  );
  for (const [index, { method, seen }] of demand.answers.entries()) {
    const answer = stream.finals[index]!;
    const text = answer.body.toString("latin1");
    if (seen !== undefined) assert.equal(text, method === "HEAD" ? "" : `${method} ${seen.target}`);
    const closes = demand.ends && index === demand.answers.length - 1 && outcome.kind !== "unfinished";
    if (answer.status === 101) continue;
    assert.equal(valuesOf(answer, "connection").includes("close"), closes, "Connection: close");
  }
  const continues = outcome.kind === "accepted" && outcome.continues;
  assert.ok(stream.interims.length <= (continues ? 1 : 0), "more interim responses than asked for");
  for (const [, interim] of stream.interims) assert.equal(interim.status, 100);
  const rest = stream.rest.toString("latin1");
  if (outcome.kind === "upgraded") assert.doesNotMatch(rest, /HTTP/, "HTTP behind the upgrade");
  else assert.equal(rest, "", "bytes behind the answers");
}

async function run(witness: Witness, input: string, outcome: Outcome, way: Way): Promise<void> {
  const demand = demandOf(outcome, way.preceded === true);
  const client = way.tcp ? await witness.connectTcp() : memoryClient(witness.server);
  const methods = demand.answers.map((answer) => answer.method);
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
    checkAnswers(look(), demand, outcome);
    const complete = witness.told.filter((told) => told.body !== undefined);
    const seen = demand.answers.flatMap((answer) => answer.seen ?? []);
    assert.deepEqual(
      complete.map((told) => told.target),
      seen.map((one) => one.target),
      "requests that the handler got",
    );
    for (const [index, told] of complete.entries()) checkSeen(told, seen[index]!);
    assert.equal(
      witness.told.length - complete.length,
      demand.began ? 1 : 0,
      "handlers that wait for content",
    );
    assert.deepEqual(witness.reports, [], "errors in the program");
  } finally {
    client.destroy();
  }
}

/** Runs every case of the tables in every way. */
export function runTables(tables: readonly Table[]): void {
  const immediate = new Witness("immediate");
  const deferred = new Witness("deferred");
  before(() => immediate.connectTcp().then((client) => client.destroy()));
  after(() => Promise.all([immediate.close(), deferred.close()]));
  for (const { area, cases } of tables) {
    describe(area, () => {
      for (const one of cases) {
        test(`${one[0]}: ${one[1]}`, () => runCase(immediate, deferred, one));
      }
    });
  }
}

async function runCase(immediate: Witness, deferred: Witness, one: Case): Promise<void> {
  const [, , input, outcome, limits = {}] = one;
  for (const way of WAYS) {
    const witness = way.deferred ? deferred : immediate;
    witness.begin(limits);
    try {
      await run(witness, input, outcome, way);
    } catch (error) {
      witness.reports.length = 0;
      const message = error instanceof Error ? error.message : String(error);
      throw new Error(`${way.name}: ${JSON.stringify(input.slice(0, 300))}: ${message}`, { cause: error });
    }
  }
}
