import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import fc from "fast-check";
import type { Fields } from "../../src/protocol/http/fields.ts";
import { REQUEST, RequestReader } from "../../src/protocol/http1/request-reader.ts";
import { limitsWith } from "../support/feed.ts";
import { codes, get, hex } from "../support/http-case.ts";

/** Whether the bytes and what was noted of them are still there when fields are looked up. */
let isFresh = false;

function fieldsOf(...lines: string[]): Fields {
  const reader = new RequestReader(limitsWith());
  const input = Buffer.from(get(...lines), "latin1");
  reader.receive(input, 0, input.length);
  assert.equal(reader.next(), REQUEST);
  const { fields } = reader.head!;
  if (isFresh) return fields;
  reader.release();
  input.fill(0);
  return fields;
}

const fieldTests = (): void => {
  test("RFC 9110 §5.1: get in any case", () => {
    const fields = fieldsOf("X-Test: 1");
    for (const name of ["X-Test", "x-test", "X-TEST"]) {
      assert.equal(fields.get(name), "1");
    }
  });

  test("valueAt is the value, whatever is likely", () => {
    const text = fc
      .array(fc.constantFrom("h", "i", " ", "\t"), { maxLength: 4 })
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, text, (sent, other) => {
        const value = sent.replace(/^[ \t]+|[ \t]+$/g, "");
        const likely = other.replace(/^[ \t]+|[ \t]+$/g, "");
        for (const lines of [
          ["Y: 1", `X:${sent}`],
          [`X:${sent}`, "Y: 1"],
        ]) {
          const at = lines.findIndex((line) => line.startsWith("X")) + 1; // the first is Host
          for (const guess of [value, likely, ""]) assert.equal(fieldsOf(...lines).valueAt(at, guess), value);
        }
      }),
    );
  });

  test("two heads do not disturb each other", () => {
    const [one, other] = [fieldsOf("X: 1", "Long-Name: long value"), fieldsOf("A:", "X: 2")];
    assert.deepEqual([one.get("x"), other.get("x"), one.get("long-name")], ["1", "2", "long value"]);
  });

  test("RFC 9110 §5.1: absent is undefined, empty is empty", () => {
    const fields = fieldsOf("X:");
    assert.equal(fields.get("Y"), undefined);
    assert.equal(fields.get("X"), "");
    assert.equal(fields.get(""), undefined);
  });

  test("RFC 9110 §5.1: a name is not found by a part of it", () => {
    const fields = fieldsOf("X-Long-Name: 1", "Y: X-Other: 2");
    for (const name of ["X", "X-Long", "Long-Name", "Name", "X-Long-Name-", "X-Other", "X-Long-Name:"]) {
      assert.equal(fields.get(name), undefined, name);
    }
  });

  test("RFC 9110 §5.2: repeated lines are joined with a comma, in order", () => {
    assert.equal(fieldsOf("X: 1", "Y: z", "x: 2, 3", "X:").get("X"), "1, 2, 3, ");
  });

  test("RFC 9113 §8.2.3: Cookie lines are joined with a semicolon", () => {
    const fields = fieldsOf("Cookie: a=1", "cookie: b=2; c=3");
    assert.equal(fields.get("COOKIE"), "a=1; b=2; c=3");
    const { cookie } = fields.record();
    assert.equal(cookie, "a=1; b=2; c=3");
  });

  test("RFC 9110 §5.3: entries as sent, in order", () => {
    const fields = fieldsOf("b: 1", "A: 2", "B: 3");
    assert.deepEqual(fields.entries(), [
      ["Host", "h"],
      ["b", "1"],
      ["A", "2"],
      ["B", "3"],
    ]);
  });

  test("RFC 9110 §5.2: record with lower case names and joined values", () => {
    const record = fieldsOf("X-A: 1", "x-a: 2", "Y: 3").record();
    assert.equal(Object.getPrototypeOf(record), null);
    assert.deepEqual(Object.entries(record).sort(), [
      ["host", "h"],
      ["x-a", "1, 2"],
      ["y", "3"],
    ]);
  });

  test("RFC 9110 §5.1: names of Object.prototype are nothing special", () => {
    const without = fieldsOf();
    for (const name of ["constructor", "__proto__", "toString", "hasOwnProperty", "valueOf"]) {
      assert.equal(without.get(name), undefined, name);
      assert.equal(without.record()[name], undefined, name);
    }
    const fields = fieldsOf("__proto__: 1", "constructor: 2", "__Proto__: 3");
    assert.equal(fields.get("__proto__"), "1, 3");
    assert.equal(fields.get("constructor"), "2");
    assert.deepEqual(Object.keys(fields.record()).sort(), ["__proto__", "constructor", "host"]);
    assert.deepEqual(Object.values(fields.record()).sort(), ["1, 3", "2", "h"]);
  });

  test("RFC 9110 §5.1: only ASCII letters are folded", () => {
    const fields = fieldsOf("X[]: 1".replace("[]", "^_"), "K: 2");
    assert.equal(fields.get("x^_"), "1");
    assert.equal(fields.get("x~\x7f"), undefined);
    assert.equal(fields.get("\u212a"), undefined);
  });

  test("RFC 9110 §5.5: values are latin1 strings without outer white space", () => {
    assert.equal(fieldsOf("X: \t\xe9\xff \t").get("x"), "\xe9\xff");
  });

  test("answers do not depend on the order of the questions", () => {
    const fields = fieldsOf("X: 1", "Y: 2", "x: 3");
    assert.equal(fields.get("y"), "2");
    assert.deepEqual(fields.record(), fields.record());
    assert.equal(fields.get("X"), "1, 3");
    assert.deepEqual(fields.entries(), fields.entries());
    assert.equal(fields.get("X"), "1, 3");
    assert.equal(typeof fields.raw, "string");
  });
};

for (const fresh of [true, false]) {
  describe(`Fields, ${fresh ? "at once" : "later"}`, () => {
    before(() => {
      isFresh = fresh;
    });
    fieldTests();
  });
}

describe("RFC 9110 §5.5: octets of field values, at every place in words and beside every kind of octet", () => {
  const controls = [...codes(0x00, 0x08), ...codes(0x0a, 0x1f), 0x7f];
  const around = [0x09, 0x20, 0x21, 0x7e, 0x80, 0xff];
  const failed = (octet: number, beside: number, at: number): boolean => {
    const value = Buffer.alloc(24, beside);
    value[0] = 0x61;
    value[at] = octet;
    const reader = new RequestReader(limitsWith());
    const head = Buffer.concat([
      Buffer.from("GET / HTTP/1.1\r\nHost: a\r\nX: "),
      value,
      Buffer.from("z\r\n\r\n"),
    ]);
    reader.receive(head, 0, head.length);
    return reader.next() !== REQUEST;
  };
  for (const beside of around) {
    test(`beside ${hex(beside)}`, () => {
      for (let at = 1; at < 20; at++) {
        for (const octet of controls) assert.ok(failed(octet, beside, at), `${hex(octet)} at ${at}`);
        for (const octet of around) assert.ok(!failed(octet, beside, at), `${hex(octet)} at ${at}`);
      }
    });
  }
});
