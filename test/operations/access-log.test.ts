import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { pino } from "pino";
import { type AccessLogOptions, type AccessRecord, accessLog } from "../../src/operations/access-log.ts";
import { requestIds } from "../../src/operations/request-ids.ts";
import { trustedProxies } from "../../src/operations/trusted-proxies.ts";
import { webSocketHead } from "../abuse/peer.ts";
import { type Harness, harness } from "../support/harness.ts";
import { eventually } from "../support/waiting.ts";

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

function logged(t: TestContext, options: AccessLogOptions = {}): Harness & { records: AccessRecord[] } {
  const made = harness(t);
  const records: AccessRecord[] = [];
  made.server.mount(accessLog((record) => records.push(record), options));
  made.server.get("/items/:id", (exchange) => exchange.end("item"));
  made.server.get("/broken", () => Promise.reject(new Error("broken")));
  made.server.get("/held", () => {});
  made.server.websocket("/echo", {});
  return { ...made, records };
}

describe("accessLog", () => {
  it("writes one record for each request when it has ended", async (t) => {
    const { connectTcp, records } = logged(t);
    const peer = await connectTcp();
    await peer.get("/items/7?token=secret&name=Ann", "User-Agent: test\r\nCookie: a=b\r\n").answer();
    const [record] = records;
    const { id = "", durationMs = -1, ...rest } = record ?? {};
    assert.deepEqual(rest, {
      method: "GET",
      path: "/items/7",
      route: "/items/:id",
      status: 200,
      outcome: "complete",
      bytes: 4,
      remoteAddress: "127.0.0.1",
      userAgent: "test",
    });
    assert.match(id, UUID);
    assert.ok(durationMs >= 0);
    await peer.get("/nowhere").answer();
    assert.deepEqual(
      records.map(({ status, route }) => [status, route]),
      [
        [200, "/items/:id"],
        [404, ""],
      ],
    );
  });

  it("reports a log that fails, or whose promise rejects, and answers anyway", async (t) => {
    const { server, connect, reports } = harness(t);
    const fail = (): never => {
      throw new Error("disk full");
    };
    const reject = async (): Promise<never> => fail();
    server.mount(accessLog(fail));
    server.mount(accessLog(reject));
    server.mount(accessLog({ info: reject, warn: fail, error: fail }));
    server.get("/", (exchange) => exchange.end("fine"));
    assert.equal((await connect().get("/").answer()).text, "fine");
    await eventually(() => reports.length === 3, "three reports");
    for (const { error } of reports) assert.match(String(error), /disk full/);
  });

  it("goes to pino, by severity", async (t) => {
    const { server, connect, connectTcp, reports } = harness(t);
    const lines: string[] = [];
    const log = pino({ base: null, timestamp: false }, { write: (line: string) => void lines.push(line) });
    server.mount(accessLog(log));
    server.get("/fine", (exchange) => exchange.end());
    server.get("/broken", () => Promise.reject(new Error("broken")));
    server.get("/held", () => {});
    server.websocket("/echo", {});
    await connect().get("/fine").answer();
    await connect().get("/nowhere").answer();
    await connect().get("/broken").answer();
    await connect().send(webSocketHead("/echo")).answer();
    (await connectTcp()).get("/held").end();
    await eventually(() => lines.length === 5, "the records");
    const { info, warn, error } = pino.levels.values;
    assert.deepEqual(
      lines
        .map((line) => JSON.parse(line))
        .map((one) => [one.level, one.path, one.status, one.outcome, one.msg]),
      [
        [info, "/fine", 200, "complete", "request"],
        [warn, "/nowhere", 404, "complete", "request"],
        [error, "/broken", 500, "complete", "request"],
        [info, "/echo", 101, "upgraded", "request"],
        [warn, "/held", 0, "aborted", "request"],
      ],
    );
    assert.equal(JSON.parse(lines[4]!).remoteAddress, "127.0.0.1", "though the connection is gone");
    assert.equal(reports.length, 1, "the broken handler's");
  });

  it("tells the path as sent", async (t) => {
    const { connect, records } = logged(t);
    await connect().get("/%69tems/%2f").answer();
    assert.deepEqual([records[0]?.path, records[0]?.route], ["/%69tems/%2f", "/items/:id"]);
  });

  it("a skip that answers with a promise leaves nothing out", async (t) => {
    const { connect, records } = logged(t, { skip: (async () => false) as unknown as () => boolean });
    await connect().get("/items/1").answer();
    assert.equal(records.length, 1);
  });

  it("keeps secrets out of the query and of fields", async (t) => {
    const { connect, records } = logged(t, {
      query: true,
      fields: ["Cookie", "authorization", "Referer", "X-Own", "X-Absent"],
      redact: ["X-Own", "Pin"],
    });
    const lines = "Cookie: a=b\r\nAuthorization: Bearer x\r\nReferer: http://r/\r\nX-Own: x\r\n";
    await connect()
      .get("/items/1?a=1&Access_Token=x&to%6ben=x&pass%57ord&password=&pin=1&token=a=b&%zz=1&+key=x", lines)
      .answer();
    assert.equal(
      records[0]?.query,
      "a=1&Access_Token=[redacted]&to%6ben=[redacted]&pass%57ord&password=[redacted]&pin=[redacted]&token=[redacted]&%zz=1&+key=[redacted]",
    );
    assert.deepEqual(records[0]?.fields, {
      cookie: "[redacted]",
      authorization: "[redacted]",
      referer: "http://r/",
      "x-own": "[redacted]",
    });
  });

  it("takes the address from the trusted proxies, and the id that was given", async (t) => {
    const { connectTcp, server, records } = logged(t, { client: trustedProxies({ trust: ["loopback"] }) });
    server.mount(requestIds({ trust: ["loopback"] }));
    const peer = await connectTcp();
    await peer.get("/items/1", "X-Forwarded-For: 192.0.2.1\r\nX-Request-Id: abc\r\n").answer();
    assert.deepEqual([records[0]?.remoteAddress, records[0]?.id], ["192.0.2.1", "abc"]);
  });

  it("leaves out what is to be skipped", async (t) => {
    const { connect, records } = logged(t, { skip: (exchange) => exchange.path === "/items/1" });
    await connect().get("/items/1").answer();
    await connect().get("/items/2").answer();
    assert.deepEqual(
      records.map((record) => record.path),
      ["/items/2"],
    );
  });

  it("has no control characters of a peer", async (t) => {
    const { connect, records } = logged(t, { fields: ["X-Own", "Cookie"] });
    await connect().get("/items/1", "User-Agent: a\x9b31m\x85\tb\r\nX-Own: \x9d0;\x9c\xfc\r\n").answer();
    assert.equal(records[0]?.userAgent, "a\\x9b31m\\x85\\x09b");
    assert.deepEqual(records[0]?.fields, { "x-own": "\\x9d0;\\x9c\xfc" });
    for (const sent of [
      "GET /\x1b[31m HTTP/1.1",
      "GET /\x9b HTTP/1.1",
      "G\x1bT / HTTP/1.1",
      "GET / HTTP/1.1\r\nUser-Agent: \x1b",
    ]) {
      assert.equal((await connect().send(`${sent}\r\nHost: h\r\n\r\n`).answer()).status, 400);
    }
    assert.equal(records.length, 1, "what is refused as malformed is no request");
  });
});
