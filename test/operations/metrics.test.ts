import assert from "node:assert/strict";
import { describe, it } from "node:test";
import client from "prom-client";
import { memoryBroker } from "../../src/brokers/index.ts";
import { startLoop } from "../../src/loop/index.ts";
import { metrics } from "../../src/operations/metrics.ts";
import { TestClock } from "../../src/testing/index.ts";
import { webSocketHead } from "../abuse/peer.ts";
import { harness } from "../support/harness.ts";
import { eventually, turns } from "../support/waiting.ts";

/** The samples of a scrape: value by name and labels. */
async function samples(register: { metrics(): Promise<string> }): Promise<Map<string, number>> {
  const lines = (await register.metrics()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ")))]),
  );
}

const countOf = (method: string, route: string, status: string): string =>
  `portico_request_duration_seconds_count{method="${method}",route="${route}",status="${status}"}`;

describe("metrics", () => {
  it("tells what the server counts, at the time of the scrape", async (t) => {
    const { server, connect } = harness(t, { broker: memoryBroker()() });
    server.publish("news", "for other servers");
    const register = new client.Registry();
    server.mount(metrics({ client, register }));
    server.get("/items/:id", (exchange) => exchange.end("item"));
    server.get("/broken", () => {
      throw new Error("broken");
    });
    server.websocket("/echo", { message: (socket, data) => void socket.send(data) });
    for (const path of ["/items/1", "/items/2", "/nowhere", "/broken"]) await connect().get(path).answer();
    await connect().send(webSocketHead("/echo")).answer();
    const found = await samples(register);
    const wanted = {
      portico_requests_total: 5,
      portico_connections_total: 5,
      portico_open_connections: 5,
      portico_websockets_total: 1,
      portico_open_websockets: 1,
      portico_pending_bytes: server.counters.pendingBytes,
      portico_incomplete_bytes: server.counters.incompleteBytes,
      portico_waiting_events: 0,
      portico_broker_connected: 1,
      portico_broker_messages_sent_total: 1,
      portico_broker_messages_received_total: 0,
      portico_broker_messages_dropped_total: 0,
      portico_received_bytes_total: server.counters.bytesReceived,
      portico_sent_bytes_total: server.counters.bytesSent,
      'portico_errors_total{code="HANDLER"}': 1,
      [countOf("GET", "/items/:id", "2xx")]: 2,
      [countOf("GET", "", "4xx")]: 1,
      [countOf("GET", "/broken", "5xx")]: 1,
      [countOf("GET", "/echo", "1xx")]: 1,
    };
    for (const [name, value] of Object.entries(wanted)) assert.equal(found.get(name), value, name);
    await connect().get("/items/3").answer();
    assert.equal((await samples(register)).get("portico_requests_total"), 6, "counters are read anew");
  });

  it("tells what the ticks of a loop took, once there is a loop", async (t) => {
    const { server } = harness(t, { delivery: "deferred" });
    const register = new client.Registry();
    server.mount(metrics({ client, register }));
    assert.equal((await samples(register)).has("portico_loop_skipped_ticks_total"), false);
    const clock = new TestClock();
    const loop = startLoop({ server, hz: 100, maxCatchUp: 1, step: () => {}, clock });
    t.after(() => loop.stop());
    clock.advance(10);
    clock.stall(50);
    clock.advance(0);
    const found = await samples(register);
    for (const name of ["lateness", "poll", "step", "flush"])
      assert.equal(found.get(`portico_loop_${name}_seconds_count`), 2, name);
    assert.equal(found.get("portico_loop_skipped_ticks_total"), 4);
    assert.equal(found.get('portico_loop_lateness_seconds_bucket{le="0.0001"}'), 2);
  });

  it("serves them at a path, in the register's format", async (t) => {
    const { server, connect } = harness(t);
    const register = new client.Registry();
    new client.Counter({ name: "own_total", help: "The program's own", registers: [register] }).inc(3);
    server.mount(metrics({ client, register, path: "/metrics" }));
    const answer = await connect().get("/metrics").answer();
    assert.equal(answer.header("content-type"), register.contentType);
    assert.match(answer.text, /^own_total 3$/m);
    assert.match(answer.text, /^# TYPE portico_requests_total counter$/m);
    assert.match(answer.text, /^# TYPE portico_request_duration_seconds histogram$/m);
  });

  it("has no more series than routes, whatever peers ask for", async (t) => {
    const { server, connect } = harness(t);
    const register = new client.Registry();
    server.mount(metrics({ client, register }));
    server.any("/files/*", (exchange) => exchange.end());
    const peer = connect();
    const ask = async (i: number): Promise<void> => {
      for (const line of [`M${i} /files/${i}`, `GET /nowhere/${i}`]) {
        await peer.send(`${line} HTTP/1.1\r\nHost: h${i}\r\n\r\n`).answer();
      }
    };
    await ask(0);
    const before = [...(await samples(register)).keys()];
    for (let i = 1; i < 50; i++) await ask(i);
    const after = await samples(register);
    assert.deepEqual([...after.keys()], before);
    assert.equal(after.get(countOf("other", "/files/*", "2xx")), 50);
    assert.equal(after.get(countOf("GET", "", "4xx")), 50);
  });

  it("counts what has no answer", async (t) => {
    const { server, connect } = harness(t);
    const register = new client.Registry();
    server.mount(metrics({ client, register }));
    server.get("/held", () => {});
    connect().get("/held").destroy();
    await eventually(() => server.counters.openConnections === 0, "the connection to be gone");
    assert.equal((await samples(register)).get(countOf("GET", "/held", "none")), 1);
  });

  it("tells how many events wait to be polled", async (t) => {
    const { server, connect } = harness(t, { delivery: "deferred" });
    const register = new client.Registry();
    server.mount(metrics({ client, register, prefix: "game_" }));
    server.get("/", (exchange) => exchange.end());
    connect().get("/");
    connect().get("/");
    await turns();
    assert.equal((await samples(register)).get("game_waiting_events"), 2);
    server.poll();
    assert.equal((await samples(register)).get("game_waiting_events"), 0);
  });

  it("keeps two servers apart by prefix or by register", (t) => {
    const register = new client.Registry();
    const one = harness(t).server.mount(metrics({ client, register, prefix: "one_" }));
    harness(t).server.mount(metrics({ client, register, prefix: "two_" }));
    assert.throws(() => one.mount(metrics({ client, register, prefix: "one_" })), /already been registered/);
  });

  it("takes other bounds for the durations", async (t) => {
    const { server, connect } = harness(t);
    const register = new client.Registry();
    server.mount(metrics({ client, register, buckets: [1, 60] }));
    server.get("/", (exchange) => exchange.end());
    await connect().get("/").answer();
    const bounds = [...(await samples(register)).keys()].flatMap(
      (name) => /le="([^"]*)"/.exec(name)?.[1] ?? [],
    );
    assert.deepEqual(bounds, ["1", "60", "+Inf"]);
  });
});
