import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { evaluatePreconditions, rangeApplies, type Validators } from "../../src/protocol/http/conditional.ts";

const BEFORE = "Sun, 06 Nov 1994 08:49:36 GMT";
const THEN = "Sun, 06 Nov 1994 08:49:37 GMT";
const AFTER = "Sun, 06 Nov 1994 08:49:38 GMT";
const THEN_MS = Date.UTC(1994, 10, 6, 8, 49, 37);

type Fields = Record<string, string>;
const lookup = (fields: Fields) => (name: string) => fields[name];

const strong: Validators = { etag: '"a"', modifiedMs: THEN_MS + 999 };
const weak: Validators = { etag: 'W/"a"', modifiedMs: THEN_MS };
const none: Validators = {};

/** [section of RFC 9110, method, fields, state, what to do]. */
const cases: [section: string, method: string, fields: Fields, validators: Validators, expected: string][] = [
  ["13.2", "GET", {}, strong, "proceed"],
  ["13.1.1", "GET", { "if-match": '"a"' }, strong, "proceed"],
  ["13.1.1", "GET", { "if-match": '"b", "a"' }, strong, "proceed"],
  ["13.1.1", "GET", { "if-match": '"b"' }, strong, "failed"],
  ["13.1.1", "PUT", { "if-match": '"b"' }, strong, "failed"],
  ["13.1.1", "GET", { "if-match": "*" }, strong, "proceed"],
  ["13.1.1", "GET", { "if-match": "*" }, none, "proceed"],
  ["13.1.1", "GET", { "if-match": '"a"' }, none, "failed"],
  ["13.1.1", "GET", { "if-match": 'W/"a"' }, weak, "failed"],
  ["13.1.1", "GET", { "if-match": '"a"' }, weak, "failed"],
  ["13.1.1", "GET", { "if-match": 'W/"a"' }, strong, "failed"],
  ["13.1.1", "GET", { "if-match": "a" }, strong, "failed"],
  ["13.1.1", "GET", { "if-match": "" }, strong, "failed"],
  ["13.1.2", "GET", { "if-none-match": '"a"' }, strong, "not modified"],
  ["13.1.2", "HEAD", { "if-none-match": '"a"' }, strong, "not modified"],
  ["13.1.2", "PUT", { "if-none-match": '"a"' }, strong, "failed"],
  ["13.1.2", "GET", { "if-none-match": '"b"' }, strong, "proceed"],
  ["13.1.2", "GET", { "if-none-match": 'W/"a"' }, strong, "not modified"],
  ["13.1.2", "GET", { "if-none-match": '"a"' }, weak, "not modified"],
  ["13.1.2", "GET", { "if-none-match": '"b", W/"a"' }, strong, "not modified"],
  ["13.1.2", "GET", { "if-none-match": '"b","a"' }, strong, "not modified"],
  ["13.1.2", "GET", { "if-none-match": '"b,"a"' }, strong, "proceed"],
  ["13.1.2", "GET", { "if-none-match": '"b,", "a"' }, strong, "not modified"],
  ["13.1.2", "GET", { "if-none-match": "*" }, strong, "not modified"],
  ["13.1.2", "PUT", { "if-none-match": "*" }, strong, "failed"],
  ["13.1.2", "GET", { "if-none-match": "a" }, strong, "proceed"],
  ["13.1.2", "GET", { "if-none-match": 'w/"a"' }, strong, "proceed"],
  ["13.1.2", "GET", { "if-none-match": '"a"' }, none, "proceed"],
  ["5.6.1.2", "GET", { "if-none-match": ', ,"a" ,' }, strong, "not modified"],
  ["13.1.3", "GET", { "if-modified-since": THEN }, strong, "not modified"],
  ["13.1.3", "GET", { "if-modified-since": AFTER }, strong, "not modified"],
  ["13.1.3", "GET", { "if-modified-since": BEFORE }, strong, "proceed"],
  ["13.1.3", "HEAD", { "if-modified-since": THEN }, strong, "not modified"],
  ["13.1.3", "POST", { "if-modified-since": THEN }, strong, "proceed"],
  ["13.1.3", "GET", { "if-modified-since": "yesterday" }, strong, "proceed"],
  ["13.1.3", "GET", { "if-modified-since": THEN }, none, "proceed"],
  ["13.1.3", "GET", { "if-none-match": '"b"', "if-modified-since": THEN }, strong, "proceed"],
  ["13.1.3", "GET", { "if-none-match": '"a"', "if-modified-since": BEFORE }, strong, "not modified"],
  ["13.1.4", "GET", { "if-unmodified-since": THEN }, strong, "proceed"],
  ["13.1.4", "GET", { "if-unmodified-since": AFTER }, strong, "proceed"],
  ["13.1.4", "GET", { "if-unmodified-since": BEFORE }, strong, "failed"],
  ["13.1.4", "PUT", { "if-unmodified-since": BEFORE }, strong, "failed"],
  ["13.1.4", "GET", { "if-unmodified-since": "tomorrow" }, strong, "proceed"],
  ["13.1.4", "GET", { "if-unmodified-since": BEFORE }, none, "proceed"],
  ["13.1.4", "GET", { "if-match": '"a"', "if-unmodified-since": BEFORE }, strong, "proceed"],
  ["13.2.2", "GET", { "if-match": '"b"', "if-none-match": '"a"' }, strong, "failed"],
  ["13.2.2", "GET", { "if-match": '"a"', "if-none-match": '"a"' }, strong, "not modified"],
  ["13.2.2", "GET", { "if-unmodified-since": BEFORE, "if-none-match": '"a"' }, strong, "failed"],
  ["13.2.2", "GET", { "if-unmodified-since": AFTER, "if-modified-since": AFTER }, strong, "not modified"],
];

describe("preconditions, RFC 9110 §13", () => {
  for (const [section, method, fields, validators, expected] of cases) {
    it(`§${section}: ${method} ${JSON.stringify(fields)} of ${validators.etag ?? "nothing"}: ${expected}`, () => {
      assert.equal(evaluatePreconditions(method, lookup(fields), validators), expected);
    });
  }
});

const LATER = THEN_MS + 60_000;

/** [If-Range, state, now, whether the range counts]. */
const ifRange: [value: string | undefined, validators: Validators, nowMs: number, expected: boolean][] = [
  [undefined, strong, LATER, true],
  ['"a"', strong, LATER, true],
  ['"b"', strong, LATER, false],
  ['W/"a"', weak, LATER, false],
  ['"a"', weak, LATER, false],
  ['W/"a"', strong, LATER, false],
  ['"a"', none, LATER, false],
  [THEN, strong, LATER, true],
  [AFTER, strong, LATER, false],
  [BEFORE, strong, LATER, false],
  [THEN, none, LATER, false],
  ["Sunday, 06-Nov-94 08:49:37 GMT", strong, LATER, true],
  ["a", strong, LATER, false],
  ["", strong, LATER, false],
  [THEN, strong, THEN_MS + 1_000, false],
];

describe("If-Range, RFC 9110 §13.1.5", () => {
  for (const [value, validators, nowMs, expected] of ifRange) {
    const late = nowMs - THEN_MS;
    it(`${value ?? "none"} of ${validators.etag ?? "nothing"}, ${late} ms later: ${expected}`, () => {
      const fields: Fields = value === undefined ? {} : { "if-range": value };
      assert.equal(rangeApplies(lookup(fields), validators, nowMs), expected);
    });
  }
});
