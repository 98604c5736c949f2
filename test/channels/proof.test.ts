import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { redis } from "../support/broker-server.ts";
import { absent } from "../support/tools.ts";
import { prove } from "./proof.ts";

describe("npm run proof:channels", { skip: absent(redis, "redis-server") }, () => {
  it("holds for a while with few clients", { timeout: 180_000 }, async () => {
    const { deliveries = 0, "recoveries without a gap": recoveries = 0 } = await prove({
      nodes: 2,
      clients: 30,
      seconds: 12,
    });
    assert.ok(deliveries > 1_000 && recoveries > 10, `${deliveries} deliveries, ${recoveries} recoveries`);
  });
});
