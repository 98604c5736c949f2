import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";
import fc from "fast-check";
import { dateLine, renewDate } from "../../src/protocol/http/date.ts";
import { checkFieldName, checkFieldValue } from "../../src/protocol/http/field-lines.ts";
import { reasonPhrase } from "../../src/protocol/http/reason-phrases.ts";
import { contentLengthLine, headOf, statusLine } from "../../src/protocol/http1/response-head.ts";
import { listOf } from "../support/bytes.ts";
import { codes } from "../support/http-case.ts";

const hex = (code: number) => `U+${code.toString(16).padStart(4, "0")}`;
const controls = [...codes(0x00, 0x08), ...codes(0x0a, 0x1f), 0x7f];
/** Their low bytes are CR, LF and NUL: written as latin1 without a check they would split the head. */
const folded = [0x010d, 0x010a, 0x0100, 0x560a, 0xff0d, 0xd83d];

/** A TypeError with this code, or with any code. */
function refusal(code?: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof TypeError, String(error));
    const told: unknown = Reflect.get(error, "code");
    assert.ok(typeof told === "string" && told.startsWith("ERR_"), `code ${String(told)}`);
    if (code !== undefined) assert.equal(told, code);
    return true;
  };
}

describe("what is made once", () => {
  test("headOf is always its parts, whatever came before", () => {
    const lines = fc.constantFrom(statusLine(200), statusLine(404));
    const fields = fc.constantFrom(
      "",
      "A: 1\r\n",
      "A: 2\r\n",
      "A: \xe9\r\nB: long enough to be joined by reference\r\n",
    );
    const dates = fc.constantFrom("", "Date: one\r\n", "Date: two\r\n");
    const tails = fc.constantFrom("", "Content-Length: 1\r\n\r\n", "Content-Length: 12\r\n\r\n");
    fc.assert(
      fc.property(fc.array(fc.tuple(lines, fields, dates, tails)), (heads) => {
        for (const parts of heads) assert.equal(headOf(...parts), parts.join(""));
      }),
    );
  });

  test("contentLengthLine tells the length, the first time and later", () => {
    for (let i = 0; i < 2; i++)
      for (const length of [0, 1, 13, 4_095, 4_096, 2 ** 31, Number.MAX_SAFE_INTEGER])
        assert.equal(contentLengthLine(length), `Content-Length: ${length}\r\n`);
  });
});

describe("statusLine", () => {
  const good: [string, string, string][] = [
    ["RFC 9112 §4: 200", statusLine(200), "HTTP/1.1 200 OK\r\n"],
    ["RFC 9112 §4: 404", statusLine(404), "HTTP/1.1 404 Not Found\r\n"],
    ["RFC 9112 §4: 100", statusLine(100), "HTTP/1.1 100 Continue\r\n"],
    ["RFC 9112 §4: 101", statusLine(101), "HTTP/1.1 101 Switching Protocols\r\n"],
    ["RFC 9112 §4: 204", statusLine(204), "HTTP/1.1 204 No Content\r\n"],
    ["RFC 9112 §4: 500", statusLine(500), "HTTP/1.1 500 Internal Server Error\r\n"],
    ["RFC 9112 §4: a reason of one's own", statusLine(200, "Very well"), "HTTP/1.1 200 Very well\r\n"],
    ["RFC 9112 §4: the space stays without a reason", statusLine(200, ""), "HTTP/1.1 200 \r\n"],
    ["RFC 9112 §4: tab and obs-text", statusLine(299, "a\t\x80\xff"), "HTTP/1.1 299 a\t\x80\xff\r\n"],
    ["RFC 9112 §4: an unregistered code with a reason", statusLine(599, "Mine"), "HTTP/1.1 599 Mine\r\n"],
  ];
  for (const [name, line, wanted] of good) test(name, () => assert.equal(line, wanted));

  test("RFC 9110 §15: an unregistered code", () => {
    for (const code of [199, 299, 399, 499, 599]) {
      assert.match(statusLine(code), new RegExp(`^HTTP/1\\.1 ${code} [\\t -~]*\\r\\n$`));
    }
  });

  test("the same code with another reason is another line", () => {
    assert.equal(statusLine(200, "One"), "HTTP/1.1 200 One\r\n");
    assert.equal(statusLine(200, "Two"), "HTTP/1.1 200 Two\r\n");
    assert.equal(statusLine(200), "HTTP/1.1 200 OK\r\n");
  });

  for (const code of [0, 1, 99, 600, 999, 1000, 1200, -200, 200.5, 2e9, Number.NaN, Infinity, -Infinity]) {
    test(`RFC 9110 §15: no status code: ${code}`, () => {
      assert.throws(() => statusLine(code), refusal());
      assert.throws(() => statusLine(code, "OK"), refusal());
    });
  }

  test("RFC 9110 §15: a string is no status code", () => {
    for (const code of ["200 OK\r\nX: 1", "OK", "", null, undefined, {}]) {
      assert.throws(() => statusLine(code as unknown as number), TypeError);
    }
  });

  test("RFC 9112 §11.1: an error or a list as the reason is looked at as the text that it becomes", () => {
    for (const reason of [new Error("a\r\nX: 1"), ["a\r\nX: 1", "b"]]) {
      assert.throws(() => statusLine(200, reason as unknown as string), refusal());
    }
  });

  for (const code of [...controls, ...folded]) {
    test(`RFC 9112 §4: ${hex(code)} in a reason`, () => {
      for (const reason of [
        `a${String.fromCharCode(code)}b`,
        String.fromCharCode(code),
        `a${String.fromCharCode(code)}`,
      ]) {
        assert.throws(() => statusLine(200, reason), refusal());
      }
    });
  }

  test("RFC 9112 §11.1: no response splitting", () => {
    assert.throws(() => statusLine(200, "OK\r\nSet-Cookie: a=b"), TypeError);
  });
});

describe("reasonPhrase", () => {
  const phrases = listOf(
    "100 Continue¦101 Switching Protocols¦200 OK¦201 Created¦202 Accepted",
    "203 Non-Authoritative Information¦204 No Content¦205 Reset Content¦206 Partial Content",
    "300 Multiple Choices¦301 Moved Permanently¦302 Found¦303 See Other¦304 Not Modified",
    "307 Temporary Redirect¦308 Permanent Redirect¦400 Bad Request¦401 Unauthorized",
    "402 Payment Required¦403 Forbidden¦404 Not Found¦405 Method Not Allowed¦406 Not Acceptable",
    "407 Proxy Authentication Required¦408 Request Timeout¦409 Conflict¦410 Gone¦411 Length Required",
    "412 Precondition Failed¦413 Content Too Large¦414 URI Too Long¦415 Unsupported Media Type",
    "416 Range Not Satisfiable¦417 Expectation Failed¦421 Misdirected Request¦422 Unprocessable Content",
    "426 Upgrade Required¦429 Too Many Requests¦431 Request Header Fields Too Large",
    "500 Internal Server Error¦501 Not Implemented¦502 Bad Gateway¦503 Service Unavailable",
    "504 Gateway Timeout¦505 HTTP Version Not Supported",
  );
  for (const line of phrases) {
    test(`RFC 9110 §15: ${line}`, () => {
      const code = Number(line.slice(0, 3));
      assert.equal(reasonPhrase(code), line.slice(4));
      assert.equal(statusLine(code), `HTTP/1.1 ${line}\r\n`);
    });
  }

  test("RFC 9110 §15: a string for every code", () => {
    for (const code of codes(100, 599)) assert.match(reasonPhrase(code) ?? "", /^[ -~]*$/);
  });
});

describe("checkFieldName", () => {
  for (const name of ["X", "x-Y", "content-type", "!#$%&'*+-.^_`|~", "0", "__proto__"]) {
    test(`RFC 9110 §5.1: ${name}`, () => assert.doesNotThrow(() => checkFieldName(name)));
  }

  test("RFC 9110 §5.1: a long one", () => assert.doesNotThrow(() => checkFieldName("x".repeat(10000))));

  const marks = [...'"(),/:;<=>?@[\\]{} \t'].map((mark) => mark.charCodeAt(0));
  for (const code of [...controls, ...marks, 0x80, 0xe9, 0xff, 0x212a, ...folded]) {
    test(`RFC 9110 §5.6.2: ${hex(code)} in a name`, () => {
      const mark = String.fromCharCode(code);
      for (const name of [mark, `a${mark}b`, `a${mark}`, `${mark}a`]) {
        assert.throws(() => checkFieldName(name), refusal("ERR_INVALID_FIELD"));
      }
    });
  }

  test("RFC 9110 §5.1: empty", () => {
    assert.throws(() => checkFieldName(""), refusal("ERR_INVALID_FIELD"));
  });
});

describe("checkFieldValue", () => {
  for (const value of [
    "",
    "a",
    "a b\tc",
    String.fromCharCode(...codes(0x20, 0x7e)),
    String.fromCharCode(...codes(0x80, 0xff)),
  ]) {
    test(`RFC 9110 §5.5: ${JSON.stringify(value)}`, () =>
      assert.doesNotThrow(() => checkFieldValue("X", value)));
  }

  for (const code of [...controls, ...folded]) {
    test(`RFC 9110 §5.5: ${hex(code)} in a value`, () => {
      const mark = String.fromCharCode(code);
      for (const value of [mark, `a${mark}b`, `a${mark}`, `${mark}a`]) {
        assert.throws(() => checkFieldValue("X", value), refusal("ERR_INVALID_FIELD"));
      }
    });
  }

  test("RFC 9112 §11.1: no response splitting", () => {
    for (const value of ["a\r\nX: 1", "a\r\n\r\nGET", "\r\n", "a\r\n b", "a\nX: 1"]) {
      assert.throws(() => checkFieldValue("X", value), refusal("ERR_INVALID_FIELD"));
    }
  });

  test("RFC 9110 §5.5: a long one", () => {
    assert.doesNotThrow(() => checkFieldValue("X", "a".repeat(100000)));
    assert.throws(() => checkFieldValue("X", `${"a".repeat(100000)}\n`), TypeError);
  });

  test("the error names the field", () => {
    assert.throws(() => checkFieldValue("X-User", "\n"), /^FieldError: the value of X-User cannot contain/);
  });
});

/** The date alone, of a well-formed field line. */
function httpDate(): string {
  const line = dateLine();
  assert.ok(line.startsWith("Date: ") && line.endsWith("\r\n"));
  return line.slice(6, -2);
}

describe("dateLine", () => {
  const at = (time: number | string) => {
    mock.timers.enable({ apis: ["Date", "setTimeout", "setInterval"], now: new Date(time).getTime() });
    try {
      return httpDate();
    } finally {
      mock.timers.reset();
    }
  };

  test("RFC 9110 §5.6.7: the form", () => {
    const form =
      /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT$/;
    assert.match(httpDate(), form);
  });

  test("RFC 9110 §5.6.7: now", () => {
    const before = Math.floor(Date.now() / 1000) * 1000;
    const told = Date.parse(httpDate());
    assert.ok(told >= before && told <= Date.now());
  });

  test("RFC 9110 §6.6.1: the same in one turn, until it is renewed", () => {
    const first = dateLine(7);
    const second = (Math.floor(Date.now() / 1000) + 1) * 1000;
    while (Date.now() < second);
    assert.equal(dateLine(7), first);
    renewDate();
    const now = dateLine(7);
    assert.notEqual(now, first);
    assert.equal(dateLine(8), now);
    assert.equal(dateLine(), now);
  });

  test("of a clock that a test moves within a turn", () => {
    dateLine(9);
    mock.timers.enable({ apis: ["Date"], now: Date.UTC(2026, 5, 1) });
    try {
      for (const day of [2, 30, 1]) {
        mock.timers.setTime(Date.UTC(2026, 5, day));
        assert.equal(dateLine(9), `Date: ${new Date().toUTCString()}\r\n`);
      }
    } finally {
      mock.timers.reset();
    }
    assert.equal(dateLine(9).slice(0, 20), dateLine().slice(0, 20));
  });

  const dates: [string, string][] = [
    ["1994-11-06T08:49:37Z", "Sun, 06 Nov 1994 08:49:37 GMT"],
    ["2000-02-29T23:59:59.999Z", "Tue, 29 Feb 2000 23:59:59 GMT"],
    ["2000-03-01T00:00:00Z", "Wed, 01 Mar 2000 00:00:00 GMT"],
    ["2024-12-31T23:59:59Z", "Tue, 31 Dec 2024 23:59:59 GMT"],
    ["2025-01-01T00:00:00.001Z", "Wed, 01 Jan 2025 00:00:00 GMT"],
    ["2038-01-19T03:14:08Z", "Tue, 19 Jan 2038 03:14:08 GMT"],
    ["2026-05-07T01:02:03Z", "Thu, 07 May 2026 01:02:03 GMT"],
    ["2026-07-10T10:20:30Z", "Fri, 10 Jul 2026 10:20:30 GMT"],
    ["2026-08-15T12:00:00Z", "Sat, 15 Aug 2026 12:00:00 GMT"],
    ["2026-09-21T12:00:00Z", "Mon, 21 Sep 2026 12:00:00 GMT"],
  ];
  for (const [time, wanted] of dates)
    test(`RFC 9110 §5.6.7: ${wanted}`, () => assert.equal(at(time), wanted));

  test("RFC 9110 §5.6.7: the clock set back", () => {
    assert.equal(at("2026-01-02T00:00:00Z"), "Fri, 02 Jan 2026 00:00:00 GMT");
    assert.equal(at("2026-01-01T23:59:59Z"), "Thu, 01 Jan 2026 23:59:59 GMT");
  });

  test("RFC 9110 §6.6.1: the same within a second, another in the next", () => {
    mock.timers.enable({ apis: ["Date", "setTimeout", "setInterval"], now: Date.UTC(2026, 0, 1) });
    try {
      const first = httpDate();
      mock.timers.tick(999);
      assert.equal(httpDate(), first);
      mock.timers.tick(1);
      assert.equal(httpDate(), "Thu, 01 Jan 2026 00:00:01 GMT");
    } finally {
      mock.timers.reset();
    }
  });
});
