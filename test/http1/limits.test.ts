import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { defaultHttpLimits } from "../../src/http1/limits.ts";
import { Feeder, feedEveryWay, limitsWith } from "./feed.ts";
import { alone, body, checkEvents, chunked, end, fails, get, post, request, table } from "./table.ts";

const rest = " HTTP/1.1\r\nHost: a\r\n\r\n";
const small = { maxHeadBytes: 200, maxTargetBytes: 50, maxFieldCount: 8 };
const many = (count: number) => Array.from({ length: count }, (_, at) => `X${at}: 1`);

table("limits of the head", [
  [
    "RFC 9112 §3",
    "target of exactly the limit",
    `GET /${"a".repeat(49)}${rest}`,
    alone({ path: `/${"a".repeat(49)}` }),
    small,
  ],
  ["RFC 9112 §3", "target one byte longer", `GET /${"a".repeat(50)}${rest}`, [fails(414)], small],
  ["RFC 9112 §3", "the query counts", `GET /?${"a".repeat(49)}${rest}`, [fails(414)], small],
  ["RFC 9112 §3", "the authority counts", `GET http://${"a".repeat(49)}/${rest}`, [fails(414)], small],
  ["RFC 9112 §3", "long target without end", `GET /${"a".repeat(150)}`, [fails(414)], small],
  ["RFC 9112 §3", "request line without end", `GET /${"a".repeat(300)}`, [fails(414)], small],
  [
    "RFC 9112 §3",
    "no request line end within the head",
    `GET /${"a".repeat(300)}`,
    [fails(414)],
    { maxHeadBytes: 200, maxTargetBytes: 1000 },
  ],
  [
    "RFC 9112 §3",
    "request line longer than the head",
    `GET /${"a".repeat(300)}${rest}`,
    [fails(414)],
    { maxHeadBytes: 200, maxTargetBytes: 1000 },
  ],
  ["RFC 6585 §5", "head well within the limit", get(`X: ${"a".repeat(100)}`), alone(), small],
  ["RFC 6585 §5", "one long field", get(`X: ${"a".repeat(300)}`), [fails(431)], small],
  [
    "RFC 6585 §5",
    "a field value without end",
    `GET / HTTP/1.1\r\nHost: a\r\nX: ${"a".repeat(300)}`,
    [fails(431)],
    small,
  ],
  [
    "RFC 6585 §5",
    "a field name without end",
    `GET / HTTP/1.1\r\nHost: a\r\n${"a".repeat(300)}`,
    [fails(431)],
    small,
  ],
  [
    "RFC 6585 §5",
    "white space without end",
    `GET / HTTP/1.1\r\nHost: a\r\nX:${" ".repeat(300)}`,
    [fails(431)],
    small,
  ],
  [
    "RFC 6585 §5",
    "several fields",
    get(...Array.from({ length: 5 }, () => `X: ${"a".repeat(50)}`)),
    [fails(431)],
    small,
  ],
  ["RFC 6585 §5", "as many fields as allowed", get(...many(7)), alone(), small],
  ["RFC 6585 §5", "one field more", get(...many(8)), [fails(431)], small],
  [
    "RFC 6585 §5",
    "too many, without end",
    `GET / HTTP/1.1\r\nHost: a\r\n${many(12).join("\r\n")}\r\n`,
    [fails(431)],
    small,
  ],
  [
    "RFC 6585 §5",
    "repeated fields count",
    get(...Array.from({ length: 8 }, () => "x:")),
    [fails(431)],
    small,
  ],
  [
    "RFC 6585 §5",
    "counted for each head",
    get(...many(7)).repeat(3),
    [...alone(), ...alone(), ...alone()],
    small,
  ],
  [
    "RFC 6585 §5",
    "head bytes counted for each head",
    get(`X: ${"a".repeat(100)}`).repeat(4),
    [...alone(), ...alone(), ...alone(), ...alone()],
    small,
  ],
  [
    "RFC 6585 §5",
    "the body does not count",
    `${post("Content-Length: 500")}${"b".repeat(500)}${get()}`,
    [request(), body("b".repeat(500)), end(), ...alone()],
    small,
  ],
  [
    "RFC 6585 §5",
    "after a good request",
    `${get()}${get(`X: ${"a".repeat(300)}`)}`,
    [...alone(), fails(431)],
    small,
  ],
]);

describe("limits to the byte", () => {
  const size = 64;
  const head = (length: number) => get(`X: ${"a".repeat(length - get("X: ").length)}`);
  const trailers = (length: number) => `X: ${"a".repeat(length - 7)}\r\n\r\n`;
  for (const length of [size - 3, size - 2, size - 1, size, size + 1, size + 2, size + 3]) {
    const over = length > size;
    for (const lead of ["", "\r\n"]) {
      const name = `head of ${length} bytes of ${size}${lead === "" ? "" : ", an empty line before it"}`;
      test(`RFC 6585 §5: ${name}`, () => {
        const events = feedEveryWay(`${lead}${head(length)}`, limitsWith({ maxHeadBytes: size }));
        checkEvents(events, over ? [fails(431)] : alone());
      });
      test(`RFC 6585 §5: ${name}, between requests`, () => {
        const input = `${get()}${lead}${head(length)}${get()}`;
        const events = feedEveryWay(input, limitsWith({ maxHeadBytes: size }));
        checkEvents(events, over ? [...alone(), fails(431)] : [...alone(), ...alone(), ...alone()]);
      });
    }
    test(`RFC 6585 §5: trailers of ${length} bytes of ${size}`, () => {
      const events = feedEveryWay(chunked(`0\r\n${trailers(length)}`), limitsWith({ maxTrailerBytes: size }));
      checkEvents(events, [request(), over ? fails(431) : end([["X", "a".repeat(length - 7)]])]);
    });
  }
});

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
    ["chunk size", open, "0", 64, 400],
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
