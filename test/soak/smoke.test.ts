import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { soak } from "./soak.ts";

describe("npm run soak", () => {
  it("holds for a few seconds", async () => {
    assert.ok(await soak({ seconds: 4, seed: 7, rate: 300, concurrency: 8, everySeconds: 2 }));
  });
});
