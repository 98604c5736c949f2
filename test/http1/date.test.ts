import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseHttpDate } from "../../src/protocol/http/date.ts";
import { listOf } from "../support/bytes.ts";

const EXAMPLE = Date.UTC(1994, 10, 6, 8, 49, 37);
const now = new Date().getUTCFullYear();
const twoDigits = (year: number): string => String(year % 100).padStart(2, "0");

/** RFC 9110 §5.6.7: [HTTP-date, what it means; undefined where it is none]. */
const cases: [text: string, ms: number | undefined][] = [
  ["Sun, 06 Nov 1994 08:49:37 GMT", EXAMPLE],
  ["Sunday, 06-Nov-94 08:49:37 GMT", EXAMPLE],
  ["Sun Nov  6 08:49:37 1994", EXAMPLE],
  ["Thu, 01 Jan 1970 00:00:00 GMT", 0],
  ["Thu, 29 Feb 2024 23:59:59 GMT", Date.UTC(2024, 1, 29, 23, 59, 59)],
  [`Monday, 01-Jan-${twoDigits(now + 49)} 00:00:00 GMT`, Date.UTC(now + 49, 0, 1)],
  [`Monday, 01-Jan-${twoDigits(now - 49)} 00:00:00 GMT`, Date.UTC(now - 49, 0, 1)],
  ...listOf(
    "Wed, 29 Feb 2023 00:00:00 GMT¦Sun, 31 Apr 1994 08:49:37 GMT¦Sun, 00 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nox 1994 08:49:37 GMT¦Sun, 06 Nov 1994 24:00:00 GMT¦Sun, 06 Nov 1994 08:60:00 GMT",
    "Sun, 06 Nov 1994 08:49:60 GMT¦Sun, 06 Nov 1994 08:49:37 CET¦Sun, 06 Nov 1994 08:49:37",
    "Sun, 6 Nov 1994 08:49:37 GMT¦sun, 06 nov 1994 08:49:37 gmt¦ Sun, 06 Nov 1994 08:49:37 GMT",
    "1994-11-06T08:49:37Z¦784111777¦",
  ).map((text): [string, undefined] => [text, undefined]),
];

describe("HTTP-date, RFC 9110 §5.6.7", () => {
  for (const [text, ms] of cases) {
    it(`${JSON.stringify(text)} is ${ms === undefined ? "none" : new Date(ms).toISOString()}`, () => {
      assert.equal(parseHttpDate(text), ms);
    });
  }
});
