import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { Answer } from "../support/http-response.ts";
import { type RawClient, tcpClient } from "../support/raw-client.ts";
import { sleep } from "../support/waiting.ts";
import { open } from "../support/web-socket-client.ts";
import { startChild } from "./child.ts";
import type { ServerPlan, ServerReport } from "./server.ts";

const GRACE_MS = 800;
const CLOSE_TIMEOUT_MS = 300;
/** What the machine may add. */
const SLACK_MS = 400;
const LOAD_MS = 300;
const EACH = 20;
const PATIENCE_MS = 5_000;

/** What became of a request: its status, or 0 when the connection ended before any byte of an answer. */
interface Fate {
  readonly id: string;
  readonly status: number;
}

interface Load {
  readonly connect: () => Promise<RawClient>;
  readonly fates: Fate[];
}

let ids = 0;

/** Sends a request and notes what becomes of it. @returns whether the connection goes on */
async function ask(load: Load, client: RawClient, kind: string, post = false): Promise<boolean> {
  const id = `${kind}-${ids++}`;
  if (post) client.post(`/count/${kind}/${id}`, "content");
  else client.get(`/count/${kind}/${id}`);
  let answer: Answer;
  try {
    answer = await client.answer("GET", PATIENCE_MS);
  } catch (error) {
    assert.equal(client.rest, "", `an answer is cut off: ${String(error)}`);
    load.fates.push({ id, status: 0 });
    return false;
  }
  load.fates.push({ id, status: answer.status });
  if (answer.status === 200) assert.equal(answer.text, id);
  return answer.header("connection") !== "close";
}

/** Asks one thing after the other for as long as the connection lives. */
async function askOn(load: Load, kind: string, post = false): Promise<void> {
  const client = await load.connect();
  while (await ask(load, client, kind, post));
}

/** A WebSocket that says much, hears everything and answers the close. @returns the code of the server */
async function talk(load: Load, target: string): Promise<number> {
  const client = await open(await load.connect(), target);
  let code = 0;
  const message = "x".repeat(1_000);
  while (code === 0) {
    for (let i = 0; i < 10; i++) client.send(message);
    const event = await client.next(PATIENCE_MS);
    client.events.splice(0, client.events.findIndex(({ type }) => type === "close") >>> 0);
    const found = event.type === "close" ? event : client.events.find(({ type }) => type === "close");
    if (found?.type === "close") code = found.code;
  }
  client.raw.end();
  return code;
}

async function fullLoad(t: TestContext, delivery: ServerPlan["delivery"]): Promise<void> {
  const plan: ServerPlan = { limits: { closeTimeoutMs: CLOSE_TIMEOUT_MS }, ...(delivery && { delivery }) };
  const server = await startChild(new URL("server.ts", import.meta.url), { plan });
  t.after(() => server.stop());
  const { plain } = await server.ask<{ plain: number }>("ports");
  const clients: RawClient[] = [];
  t.after(() => {
    for (const client of clients) client.destroy();
  });
  const load: Load = {
    fates: [],
    async connect() {
      const client = await tcpClient(plain);
      clients.push(client);
      return client;
    },
  };
  const many = <T>(run: () => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: EACH }, run));

  const requests = Promise.all([
    many(() => askOn(load, "now")),
    many(() => askOn(load, "soon")),
    many(() => askOn(load, "soon", true)),
    many(() => askOn(load, "never")),
  ]);
  const talking = Promise.all([many(() => talk(load, "/echo")), many(() => talk(load, "/sink"))]);
  // Those that make it hard: idle, halfway through a head, and never reading.
  await many(load.connect);
  await many(async () => (await load.connect()).send("GET /ping HTTP/1.1\r\nHo"));
  await many(async () => (await load.connect()).get("/endless").pause());
  await many(async () => {
    const client = await open(await load.connect(), "/echo");
    client.answersClose = false;
  });
  await sleep(LOAD_MS);

  const tookMs = await server.ask<number>("close", { graceMs: GRACE_MS });
  const bound = GRACE_MS + CLOSE_TIMEOUT_MS + SLACK_MS;
  assert.ok(tookMs < bound, `it took ${tookMs.toFixed(0)} ms, and not ${bound} ms at most`);
  await requests;
  for (const codes of await talking) assert.deepEqual([...new Set(codes)], [1001]);

  const begun = new Set(await server.ask<string[]>("begun"));
  const answered = load.fates.filter(({ status }) => status === 200);
  const refused = load.fates.filter(({ status }) => status === 503);
  const dropped = load.fates.filter(({ status }) => status === 0);
  assert.equal(answered.length + refused.length + dropped.length, load.fates.length);
  assert.ok(answered.length > EACH * 3, `${answered.length} were answered`);
  assert.ok(refused.length >= EACH, `${refused.length} were refused: the handlers that hang`);
  assert.deepEqual(
    dropped.filter(({ id }) => begun.has(id)),
    [],
    "requests whose handler has run were not answered",
  );
  const { counters, resources } = await server.ask<ServerReport>("report");
  assert.equal(counters.openConnections, 0);
  assert.equal(counters.openWebSockets, 0);
  assert.deepEqual(
    Object.keys(resources).filter((kind) => kind.includes("TCP")),
    [],
  );
}

describe("close({ graceMs }) under full load", () => {
  it("ends in time, answers or refuses each request, and takes leave of each WebSocket", (t) =>
    fullLoad(t, undefined));
  it("the same with events that are polled", (t) => fullLoad(t, "deferred"));
});
