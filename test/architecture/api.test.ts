import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { apiReports, reportFolder } from "../../scripts/api-report.ts";

describe("the report of the public API in api/", () => {
  const reports = apiReports();
  const remedy = "If the public API is meant to change, run `npm run api-report` and commit what it writes.";

  it("has a file for each entry of the package, and no other", () => {
    assert.deepEqual(readdirSync(reportFolder).sort(), [...reports.keys()].sort(), remedy);
  });

  for (const [name, text] of reports) {
    it(`api/${name} is that of the code`, () => {
      const committed = readFileSync(join(reportFolder, name), "utf8").replaceAll("\r\n", "\n");
      const lines = new Set(committed.split("\n"));
      const changed = text.split("\n").filter((line) => !lines.has(line));
      assert.ok(
        committed === text,
        `api/${name} is out of date. ${remedy}\nNew lines:\n${changed.join("\n")}`,
      );
    });
  }

  it("shows what an exported class inherits from one that is not exported", () => {
    assert.match(
      reports.get("portico.api.md") ?? "",
      /^ {4}setHeader\(name: string, value: FieldValue\): this;$/m,
    );
  });

  it("shows neither private nor internal members", () => {
    for (const text of reports.values())
      assert.doesNotMatch(text, /^ +private (?!constructor)|@internal|^ +lose\(/m);
  });
});
