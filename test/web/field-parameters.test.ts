import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseParameters } from "../../src/web/field-parameters.ts";
import { processorMs } from "../support/processor-time.ts";

describe("a value with parameters", () => {
  const cases: [text: string, value: string, parameters: Record<string, string>][] = [
    ["a/b", "a/b", {}],
    [" A/B ; x=1;Y = 2", "", {}],
    ["A/B ; \t x=1 \t ; Y=2;", "a/b", { x: "1", y: "2" }],
    ["a;; ;x=1;x=2", "a", { x: "1" }],
    ['a; x="b\\"; c\\\\" ; y=', "a", { x: 'b"; c\\', y: "" }],
    ['a; x="C:\\dir\\"', "a", { x: "C:\\dir\\" }],
    ['a; __proto__="x"', "a", { ["__proto__"]: "x" }],
    ["a; x", "", {}],
    ['a; x="', "", {}],
    ['a; x="b"c', "", {}],
  ];
  for (const [text, value, parameters] of cases) {
    it(JSON.stringify(text), () => {
      const parsed = parseParameters(text);
      assert.equal(parsed?.value ?? "", value);
      assert.deepEqual([...(parsed?.parameters ?? [])], Object.entries(parameters));
    });
  }

  it("takes up to 64 parameters", () => {
    assert.equal(parseParameters(`a${";b=c".repeat(64)}`)?.value, "a");
    assert.equal(parseParameters(`a${";b=c".repeat(65)}`), null);
  });

  it("takes time in proportion to its length", () => {
    for (const unit of [" ", "\t", ";", "; ", "a", "=", "\\", '"', '\\"', ';a="', ";a=b ", '; a="b" ']) {
      const text = unit.repeat(262_144 / unit.length);
      const start = processorMs();
      for (const end of ["", "x", '"']) {
        for (const begin of ["a;", 'a;b="', "a;b=c"]) parseParameters(begin + text + end);
      }
      assert.ok(processorMs() - start < 3_000, JSON.stringify(unit));
    }
  });
});
