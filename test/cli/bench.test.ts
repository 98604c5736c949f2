import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server as NetServer } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { BenchResults } from "../../src/cli/bench-results.ts";
import { Server } from "../../src/server/server.ts";
import { sleep } from "../support/waiting.ts";
import { inProcess, listening } from "./in-process.ts";
import { portico, start } from "./portico.ts";

/** How long the first of 60 requests for /stall waits for its answer. */
const STALL_MS = 400;

interface Seen {
  method: string;
  target: string;
  header: string | undefined;
  text: string;
}

/** A server with some paths, and what it was asked for. */
async function target(t: TestContext, tls = false): Promise<{ url: string; seen: Seen[]; server: Server }> {
  const server = new Server();
  const seen: Seen[] = [];
  server.any("/*", async (exchange) => {
    const { method, target } = exchange;
    seen.push({ method, target, header: exchange.header("x-test"), text: await exchange.text() });
    if (exchange.path === "/close") exchange.setHeader("Connection", "close");
    if (exchange.path === "/stall" && seen.length % 60 === 1) await sleep(STALL_MS);
    if (exchange.path === "/chunks") exchange.write("some ");
    if (exchange.path === "/busy") exchange.status(seen.length % 2 === 0 ? 503 : 200);
    exchange.end("content");
  });
  server.websocket("/echo", { message: (socket, data, binary) => socket.send(data, { binary }) });
  server.websocket("/leave", { message: (socket) => socket.close(1001) });
  return { url: await listening(t, server, tls), seen, server };
}

/** The port at which another server listens, until the test ends. */
async function portOf(t: TestContext, other: NetServer): Promise<number> {
  t.after(() => other.close());
  await once(other.listen(0, "127.0.0.1"), "listening");
  return (other.address() as AddressInfo).port;
}

/** What it reports with these options, which spaces separate. */
async function report(
  t: TestContext,
  url: string,
  options: string,
  ...others: string[]
): Promise<{ code: number | undefined; json: Record<string, unknown> }> {
  const former = process.exitCode;
  process.exitCode = undefined;
  const args = ["bench", "--json", url, ...options.split(" "), ...others];
  const { code, stdout, stderr } = await inProcess(t, args);
  const exitCode = code ?? (process.exitCode as number | undefined);
  process.exitCode = former;
  assert.equal(stderr, "");
  return { code: exitCode, json: JSON.parse(stdout) };
}

/** How much a histogram has. */
const countOf = (rows: readonly { count: number }[]): number =>
  rows.reduce((sum, { count }) => sum + count, 0);

describe("portico bench: what it sends and counts", () => {
  it("sends as many requests as it is told to, with method, fields and content", async (t) => {
    const { url, seen } = await target(t);
    const { code, json } = await report(t, `${url}/a?b=c`, "-n 25 -c 3 -b text", "-H", "X-Test: yes");
    assert.equal(code, undefined);
    assert.equal(seen.length, 25);
    assert.deepEqual(seen[24], { method: "POST", target: "/a?b=c", header: "yes", text: "text" });
    const { requests, failed, statuses, errors, connections } = json;
    const expected = { requests: 25, failed: 0, statuses: { 200: 25 }, errors: {}, connections: 3 };
    assert.deepEqual({ requests, failed, statuses, errors, connections }, expected);
    const { min, p50, p99, max } = json["latencyMs"] as Record<string, number>;
    assert.ok(min! > 0 && min! <= p50! && p50! <= p99! && p99! <= max!);
    const rows = json["histogram"] as { count: number }[];
    assert.equal(countOf(rows), 25);
  });

  it("pipelines", async (t) => {
    const { url, seen, server } = await target(t);
    const { json } = await report(t, `${url}/chunks`, "-n 64 -c 2 --in-flight 16 -m put");
    assert.deepEqual([json["requests"], json["failed"], seen.length], [64, 0, 64]);
    assert.equal(seen[0]?.method, "PUT");
    assert.equal(server.counters.connections, 2);
  });

  it("opens a connection again that the server closes", async (t) => {
    const { url, server } = await target(t);
    const { code, json } = await report(t, `${url}/close`, "-n 20 -c 2");
    assert.deepEqual([code, json["requests"], json["failed"]], [undefined, 20, 0]);
    assert.ok(server.counters.connections >= 20);
  });

  it("fails when a status is not expected", async (t) => {
    const { url } = await target(t);
    const busy = await report(t, `${url}/busy`, "-n 10 -c 1");
    assert.deepEqual([busy.code, busy.json["failed"], busy.json["statuses"]], [1, 5, { 200: 5, 503: 5 }]);
    const expected = await report(t, `${url}/busy`, "-n 10 -c 1 --expect 503");
    assert.deepEqual([expected.code, expected.json["failed"]], [1, 5]);
  });

  it("sends at a constant rate over all connections", async (t) => {
    const { url, seen, server } = await target(t);
    const { code, json } = await report(t, url, "-r 400 -n 80 -c 4");
    assert.deepEqual([code, json["rate"], json["requests"], json["unanswered"]], [undefined, 400, 80, 0]);
    assert.equal(seen.length, 80);
    assert.equal(server.counters.connections, 4);
    // The last one of 80 is due after 79 / 400 s.
    assert.ok((json["durationMs"] as number) >= 197, `${json["durationMs"]} ms`);
  });

  it("measures latency from when a request was due, not from when a connection was free", async (t) => {
    const { url } = await target(t);
    const stalled = await report(t, `${url}/stall`, "-r 200 -n 60 -c 1");
    const { p50 } = stalled.json["latencyMs"] as Record<string, number>;
    // The first answer takes 400 ms, so those that are due meanwhile wait for it: half of all for more than 100 ms.
    assert.ok(p50! > 100, `p50 is ${p50} ms`);
    const closed = await report(t, `${url}/stall`, "-n 60 -c 1");
    assert.ok((closed.json["latencyMs"] as Record<string, number>)["p50"]! < 100);
  });

  it("says how many requests were due without an answer at the end", async (t) => {
    const { url } = await target(t);
    const { json } = await report(t, `${url}/stall`, "-r 100 -d 0.3 -c 1");
    assert.equal(json["requests"], 0);
    assert.ok((json["unanswered"] as number) >= 29, String(json["unanswered"]));
  });

  it("opens connections again at a constant rate, and loses no request", async (t) => {
    const { url } = await target(t);
    const { code, json } = await report(t, `${url}/close`, "-r 500 -n 20 -c 2 --in-flight 4");
    assert.deepEqual([code, json["requests"], json["failed"]], [undefined, 20, 0]);
  });

  it("measures WebSockets, compressed messages in flight, over TLS", async (t) => {
    const { url, server } = await target(t, true);
    const echo = `${url.replace("http", "ws")}/echo`;
    const { code, json } = await report(t, echo, "-n 100 -c 4 --in-flight 8 --insecure --binary");
    assert.deepEqual([code, json["requests"], json["failed"]], [undefined, 100, 0]);
    assert.equal(server.counters.messagesReceived, 100);
    assert.equal(json["bytesReceived"], 2_000);
  });

  it("counts messages without an answer, and comes to an end", async (t) => {
    const { url } = await target(t);
    const { code, json } = await report(t, `${url.replace("http", "ws")}/leave`, "-n 6 -c 2");
    assert.deepEqual([code, json["requests"], json["failed"]], [1, 0, 6]);
    assert.deepEqual(json["errors"], { "closed with 1001": 6 });
  });

  it("gives up requests that are not answered in time", async (t) => {
    const port = await portOf(
      t,
      createTcpServer((socket) => socket.on("error", () => {}).resume()),
    );
    const { code, json } = await report(t, `:${port}/`, "-n 4 -c 2 --timeout 0.1");
    assert.deepEqual([code, json["requests"], json["failed"], json["errors"]], [1, 0, 4, { timeout: 4 }]);
  });

  it("measures another server, too", async (t) => {
    const port = await portOf(
      t,
      createServer((_request, response) => response.end("node")),
    );
    const { json } = await report(t, `127.0.0.1:${port}`, "-n 50 -c 5 --in-flight 4");
    assert.deepEqual([json["requests"], json["failed"]], [50, 0]);
  });
});

describe("portico bench: as a program", () => {
  it("prints rate, percentiles and a histogram after its time, and nothing on stderr when that is no terminal", async (t) => {
    const { url } = await target(t);
    const { code, stdout, stderr } = await portico(t, ["bench", url, "-d", "0.3", "-c", "2"]);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /^[\d,]+ requests\/s {2}[\d,]+ in \d+ ms/);
    assert.match(stdout, /^ {2}50% +\d/m);
    assert.match(stdout, /^ {2}99\.99% +\d/m);
    assert.match(stdout, / to .* █+ +[\d,]+$/m);
    assert.match(stdout, /^Statuses: 200 × [\d,]+$/m);
  });

  it("reports what it has measured when it is interrupted", async (t) => {
    const { url, seen } = await target(t);
    const bench = start(t, ["bench", url, "-d", "60", "-c", "1", "--json"]);
    const deadline = Date.now() + 20_000;
    while (seen.length < 10 && Date.now() < deadline) await new Promise((resolve) => setImmediate(resolve));
    const { code, stdout } = await bench.stop("SIGINT");
    assert.equal(code, 130);
    assert.ok(JSON.parse(stdout).requests >= 1);
  });
});

describe("results", () => {
  it("has percentiles and a histogram that agree with what was recorded", () => {
    const results = new BenchResults();
    for (let ms = 1; ms <= 1_000; ms++) results.record(ms, 200, true);
    for (const percent of [50, 90, 99]) {
      const expected = percent * 10;
      assert.ok(Math.abs(results.percentileMs(percent) - expected) <= expected / 500, `${percent} %`);
    }
    const rows = results.histogram();
    assert.ok(rows.length <= 16);
    assert.equal(countOf(rows), 1_000);
    for (const [index, row] of rows.entries()) assert.equal(row.fromMs, rows[index - 1]?.toMs ?? row.fromMs);
    assert.ok(rows[0]!.fromMs <= 1 && rows.at(-1)!.toMs >= 1_000);
  });

  it("stays small whatever it is told", () => {
    const results = new BenchResults();
    for (const ms of [0, 1e-9, 1e-3, 1, 1e6, 1e12]) results.record(ms, undefined, true);
    assert.equal(results.answered, 6);
    assert.ok(results.histogram().length <= 16);
    assert.deepEqual(new BenchResults().histogram(), []);
    assert.equal(new BenchResults().percentileMs(50), 0);
  });
});
