import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { defaultHttpLimits } from "../../src/protocol/http1/http-limits.ts";
import { Feeder, limitsWith } from "../support/feed.ts";
import { post } from "../support/http-case.ts";

/** Gives the same piece again and again; returns how many bytes went in before the failure. */
function bytesUntilFailure(feeder: Feeder, text: string, most: number): number {
  const source = Buffer.from(text, "latin1");
  const lent = Buffer.alloc(source.length);
  let given = 0;
  while (!feeder.failed && given < most) {
    source.copy(lent);
    feeder.receive(lent, 0, lent.length);
    feeder.drain();
    feeder.reader.release();
    lent.fill(0);
    given += lent.length;
  }
  return given;
}

function started(text: string, limits = limitsWith()): Feeder {
  const feeder = new Feeder(limits);
  const bytes = Buffer.from(text, "latin1");
  feeder.receive(bytes, 0, bytes.length);
  feeder.drain();
  feeder.reader.release();
  bytes.fill(0);
  return feeder;
}

describe("endless input fails near its limit", () => {
  const limits = limitsWith();
  const open = `${post("Transfer-Encoding: chunked")}`;
  const cases: [string, string, string, number, number][] = [
    ["method", "", "A", limits.maxHeadBytes, 0],
    ["target", "GET /", "a", limits.maxHeadBytes, 414],
    ["field name", "GET / HTTP/1.1\r\n", "a", limits.maxHeadBytes, 431],
    ["field value", "GET / HTTP/1.1\r\nX: ", "a", limits.maxHeadBytes, 431],
    ["fields", "GET / HTTP/1.1\r\n", "X: 1\r\n", limits.maxHeadBytes, 431],
    ["chunk size", open, "0", limits.maxChunkExtensionBytes, 400],
    ["digits of a chunk size", `${open}1`, "0", 64, 400],
    ["empty lines", "", "\r\n", 64, 400],
    ["chunk extension", `${open}5;`, "a", limits.maxChunkExtensionBytes, 400],
    ["chunk extensions", open, "1;a=bcdefgh\r\nx\r\n", limits.maxChunkExtensionBytes * 2, 400],
    ["trailer name", `${open}0\r\n`, "a", limits.maxTrailerBytes, 431],
    ["trailers", `${open}0\r\n`, "X: 1\r\n", limits.maxTrailerBytes, 431],
  ];
  for (const [name, begin, more, limit, status] of cases) {
    test(name, () => {
      const feeder = started(begin);
      const given = bytesUntilFailure(feeder, more, limit + 4096);
      assert.ok(feeder.failed, "did not fail");
      assert.ok(given <= limit + 64, `${given} bytes were taken, the limit is ${limit}`);
      const last = feeder.events.at(-1);
      assert.ok(last?.type === "failed" && (status === 0 || last.status === status), JSON.stringify(last));
    });
  }
});

describe("memory", () => {
  const mebibyte = 1024 * 1024;
  const grown = (run: () => void) => {
    const before = process.memoryUsage();
    run();
    const after = process.memoryUsage();
    return after.arrayBuffers + after.external - before.arrayBuffers - before.external;
  };

  /** Body pieces are looked at, not kept. */
  function pass(feeder: Feeder, piece: string, times: number): void {
    const source = Buffer.from(piece, "latin1");
    const lent = Buffer.alloc(source.length);
    for (let time = 0; time < times; time++) {
      source.copy(lent);
      feeder.receive(lent, 0, lent.length);
      feeder.drain();
      feeder.reader.release();
      lent.fill(0);
      const last = feeder.events.at(-1);
      if (last?.type === "body") last.data = "";
    }
  }

  test("a long body is not kept", () => {
    const feeder = started(
      post(`Content-Length: ${256 * mebibyte}`),
      limitsWith({ maxBodyBytes: 512 * mebibyte }),
    );
    const growth = grown(() => pass(feeder, "b".repeat(65536), 4096));
    assert.ok(growth < 64 * mebibyte, `${growth} bytes more`);
    assert.equal(feeder.events.at(-1)?.type, "end");
  });

  test("a long chunked body is not kept", () => {
    const feeder = started(post("Transfer-Encoding: chunked"), limitsWith({ maxBodyBytes: 512 * mebibyte }));
    const growth = grown(() => pass(feeder, `FFF\r\n${"b".repeat(4095)}\r\n`, 32768));
    assert.ok(growth < 64 * mebibyte, `${growth} bytes more`);
    assert.equal(feeder.failed, false);
  });

  test("a failed reader keeps nothing", () => {
    const feeder = started("GET / HTTP/1.1\r\n\r\n");
    assert.equal(feeder.failed, true);
    pass(feeder, "b".repeat(65536), 64);
    assert.ok(feeder.reader.bytes.length <= 65536, `${feeder.reader.bytes.length} bytes kept`);
  });

  test("a head byte by byte", () => {
    const limits = limitsWith();
    const feeder = started("GET / HTTP/1.1\r\nHost: a\r\nX: ", limits);
    const begun = performance.now();
    bytesUntilFailure(feeder, "a", limits.maxHeadBytes - 100);
    const taken = performance.now() - begun;
    assert.equal(feeder.failed, false);
    assert.ok(taken < 2000, `${taken} ms`);
  });
});

test("the default limits are sane", () => {
  const {
    maxHeadBytes,
    maxFieldCount,
    maxTargetBytes,
    maxBodyBytes,
    maxChunkExtensionBytes,
    maxTrailerBytes,
  } = defaultHttpLimits;
  // RFC 9112 §3: request lines of 8000 bytes at the least.
  assert.ok(maxTargetBytes >= 7900);
  assert.ok(maxHeadBytes > maxTargetBytes);
  for (const limit of [maxFieldCount, maxBodyBytes, maxChunkExtensionBytes, maxTrailerBytes]) {
    assert.ok(Number.isSafeInteger(limit) && limit > 0);
  }
  assert.equal(defaultHttpLimits.requireContentLength, false);
});
