// Programs call anything on any exchange and WebSocket, old or new, of several connections of one server. Each request has its
// own character: the program and the client must get nothing of another one. PORTICO_FUZZ_RUNS=100000 plays 16,000 scripts.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { closeOf, FrameReader } from "../support/frame-reader.ts";
import { BINARY, CLOSE, fragments, frame, PING, TEXT } from "../support/frames.ts";
import { readStream } from "../support/http-response.ts";
import { memoryClient, type RawClient, tcpClient } from "../support/raw-client.ts";
import { eventually, turns, within } from "../support/waiting.ts";
import { handshake } from "../support/web-socket-handshake.ts";
import { LIMITS, Program } from "./any-program.ts";

const RUNS = Math.max(30, Number(process.env["PORTICO_FUZZ_RUNS"] ?? 0) / 25);
const TAGS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const KINDS = "GET GET HEAD POST POST chunked chunked expect 1.0 upgrade".split(" ");

const request = fc.record({
  kind: fc.constantFrom(...KINDS),
  route: fc.constantFrom(...Object.keys(LIMITS)),
  size: fc.constantFrom(0, 10, 100, 101, 3_000, 30_000),
  cut: fc.constantFrom(1, 20, 90, 2_000, 1_000_000),
});
const socket = request.map((one): Request[] => [{ ...one, kind: "upgrade" }]);
/** Nothing follows a handshake but frames. */
const requests = fc.array(request, { minLength: 1, maxLength: 8 }).map((all) => {
  const last = all.findIndex(({ kind }) => kind === "upgrade");
  return last < 0 ? all : all.slice(0, last + 1);
});
const client = fc.oneof(requests, socket);
const script = fc.record({
  clients: fc.array(client, { minLength: 2, maxLength: 6 }),
  dice: fc.array(fc.nat(10_000), { minLength: 20, maxLength: 200 }),
});
type Valued<Arbitrary> = Arbitrary extends fc.Arbitrary<infer One> ? One : never;
type Request = Valued<typeof request>;
type Script = Valued<typeof script>;
type Delivery = "immediate" | "deferred";

function cutUp(text: string, size: number): string[] {
  const length = Math.max(size, Math.ceil(text.length / 60));
  return text.match(new RegExp(`.{1,${length}}`, "gs")) ?? [];
}

function methodsOf(requests: readonly Request[]): string[] {
  return requests.map(({ kind }) => (kind === "HEAD" ? "HEAD" : "GET"));
}

/** The bytes of a request, and of each frame behind a handshake: some of them in pieces, others whole. */
function piecesOf(one: Request, tag: string): string[] {
  const parts = one.kind === "upgrade" ? webSocketOf(one, tag) : [bytesOf(one, tag)];
  return parts.flatMap((part, i) => (i % 3 === 0 ? cutUp(part, one.cut) : [part]));
}

function targetOf(route: string, tag: string): string {
  return `/${route}/${tag}?${tag}`;
}

function webSocketOf({ route, size }: Request, tag: string): string[] {
  const content = tag.repeat(size);
  const whole = [frame(BINARY, tag), frame(TEXT, content), frame(PING, tag), frame(TEXT, tag.repeat(200))];
  const cut = fragments(TEXT, ["", tag, content, content]);
  const frames = [...whole, ...cut, ...whole, ...cut, ...cut, ...whole];
  const head = handshake(targetOf(route, tag), `X-Tag: ${tag}\r\n`);
  return [head, ...frames.map((bytes) => bytes.toString("latin1"))];
}

function bytesOf({ kind, route, size }: Request, tag: string): string {
  const content = tag.repeat(size);
  const method = kind === "GET" || kind === "HEAD" ? kind : "POST";
  const head = `${method} ${targetOf(route, tag)} HTTP/1.${kind === "1.0" ? 0 : 1}\r\nHost: h\r\nX-Tag: ${tag}\r\n`;
  if (method !== "POST") return `${head}\r\n`;
  const chunk = size === 0 ? "" : `${size.toString(16)}\r\n${content}\r\n`;
  if (kind === "chunked") return `${head}Transfer-Encoding: chunked\r\n\r\n${chunk}0\r\n\r\n`;
  return `${head}${kind === "expect" ? "Expect: 100-continue\r\n" : ""}Content-Length: ${size}\r\n\r\n${content}`;
}

function isAll(bytes: Buffer, tag: string): boolean {
  return bytes.every((byte) => byte === tag.charCodeAt(0));
}

/** Checks that a client has got what answers its requests, in their order. */
function check(client: RawClient, requests: readonly Request[], tags: string): void {
  const { finals, rest } = readStream(client.received, [...methodsOf(requests), "GET"], client.isOver);
  for (const [i, { status, body, header }] of finals.entries()) {
    const tag = tags[i] ?? "";
    const own = header("x-tag");
    if (own !== undefined) assert.equal(own, tag, `the answer to ${own} in place of ${tag}`);
    if (header("x-own") !== undefined) assert.equal(header("x-own"), tag);
    const isPage = header("vary") === "Accept"; // the server's own answer, where the hook for failures has failed
    assert.ok(isPage || isAll(body, tag), `${tag} got ${body.toString("latin1", 0, 100)}`);
    const { size, route } = requests[i] ?? { size: 0, route: "" };
    assert.ok(status !== 413 || size > (LIMITS[route] ?? 0), `413 for ${size} bytes, ${route}`);
  }
  const last = tags[finals.length - 1] ?? "";
  if (finals.at(-1)?.status === 101) {
    const reader = new FrameReader();
    reader.push(rest);
    for (let found = reader.next(); found !== undefined; found = reader.next()) {
      const { opcode, payload } = found;
      // All that clients send is valid: 1000, 1001 or 1011 closes.
      const isOwn =
        opcode === CLOSE ? [1000, 1001, 1011].includes(closeOf(payload).code) : isAll(payload, last);
      assert.ok(isOwn, `${last} got a frame ${opcode} of ${payload.toString("latin1", 0, 100)}`);
    }
  } else {
    for (const [run] of rest.toString("latin1").matchAll(/(.)\1{7,}/g))
      assert.equal(run[0], tags[finals.length], `a part of another answer: ${run.slice(0, 100)}`);
    if (!client.isOver) assert.ok(finals.length >= requests.length, `no answer to ${tags[finals.length]}`);
  }
}

/** Plays a script: the clients send piece by piece, in any order, while the program acts. */
async function play({ clients: all, dice }: Script, delivery: Delivery, isReal: boolean): Promise<void> {
  const program = new Program(dice, delivery);
  const { server } = program;
  const poll = setInterval(() => delivery === "deferred" && server.poll(), 1);
  try {
    const port = isReal ? (await server.listen({ host: "127.0.0.1" })).port : 0;
    const clients = await Promise.all(all.map(() => (isReal ? tcpClient(port) : memoryClient(server))));
    const tagsOf = (i: number): string => TAGS.slice(i * 8, i * 8 + 8);
    const pieces = all.map((requests, i) => requests.flatMap((one, n) => piecesOf(one, tagsOf(i)[n] ?? "")));
    for (;;) {
      const waiting = [...clients.keys()].filter((i) => pieces[i]?.length !== 0);
      const i = waiting[program.roll(waiting.length)];
      if (i === undefined) break;
      for (let n = program.roll(6); n >= 0; n--) clients[i]?.send(pieces[i]?.shift() ?? "");
      if (program.roll(2) === 0) program.act();
      if (program.roll(3) === 0) await turns(program.roll(3));
      const leaves = program.roll(60);
      if (leaves > 1) continue;
      pieces[i] = [];
      if (leaves === 0) clients[i]?.end();
      else clients[i]?.reset();
    }
    for (let n = 0; n < 10; n++) {
      program.act();
      await turns(1);
    }
    const isDone = (i: number): boolean => {
      program.finish();
      const client = clients[i];
      if (client === undefined || client.isOver) return true;
      const { finals } = readStream(client.received, [...methodsOf(all[i] ?? []), "GET"], false);
      return finals.at(-1)?.status === 101 || finals.length >= (all[i]?.length ?? 0);
    };
    for (const [i, client] of clients.entries()) {
      await eventually(() => isDone(i), "the answers", 3_000).catch(() => {});
      check(client, all[i] ?? [], tagsOf(i));
    }
    assert.deepEqual(program.wrong, []);
    for (const client of clients) client.destroy();
    await eventually(() => server.counters.openConnections === 0, "the connections to go", 3_000);
    await eventually(() => server.waitingEvents === 0, "the events to be polled", 3_000);
    await turns(2);
    assert.equal(server.counters.incompleteBytes, 0);
    assert.equal(server.counters.pendingBytes, 0);
    assert.equal(server.counters.openWebSockets, 0);
  } finally {
    await within(server.close({ graceMs: 0 }), "the server to close");
    clearInterval(poll);
  }
}

describe("connections of one server do not mix", () => {
  for (const where of ["in memory", "on sockets"]) {
    for (const delivery of ["immediate", "deferred"] as const) {
      test(`${where}, ${delivery}`, async (t) => {
        t.mock.method(console, "warn", () => {});
        const property = fc.asyncProperty(script, (one) => play(one, delivery, where === "on sockets"));
        await fc.assert(property, { numRuns: Math.ceil(RUNS), endOnFailure: true });
      });
    }
  }
});
