import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Random } from "../support/random.ts";
import { type Campaign, run } from "./campaign.ts";
import { http } from "./http.ts";
import { webSocket } from "./websocket.ts";

// Two short runs of each: one that is always the same, and one that is new each time. Longer: npm run fuzz.
const INPUTS = 20_000;
const COMPARE_EVERY = 10;

function smoke<Item, Setting>(campaign: Campaign<Item, Setting>): void {
  const options = { inputs: INPUTS, seconds: 60, from: 0, compareEvery: COMPARE_EVERY, onlyCompare: false };

  test(`${campaign.name}, seed 1: every outcome is reached`, async () => {
    const report = await run(campaign, new Random(), { ...options, seed: 1 });
    assert.deepEqual(report.missed, []);
    assert.equal(report.inputs, INPUTS);
  });

  const seed = Math.floor(Math.random() * 2 ** 31);
  test(`${campaign.name}, seed ${seed}`, async () => {
    assert.equal((await run(campaign, new Random(), { ...options, seed })).compared, INPUTS / COMPARE_EVERY);
  });
}

describe("fuzzing", () => {
  smoke(http);
  smoke(webSocket);
});

describe("the fuzzer finds", () => {
  /** What is told when the check of one input answers something else. */
  async function findingOf<Item, Setting>(campaign: Campaign<Item, Setting>): Promise<string> {
    const options = { inputs: 20_000, seconds: 60, from: 0, compareEvery: 0, onlyCompare: false, seed: 1 };
    return run(campaign, new Random(), options).then(
      () => "nothing",
      (error: unknown) => String(error),
    );
  }

  test("a broken rule, and makes the input small", async () => {
    const found = await findingOf({
      ...http,
      check(sample, random) {
        const outcome = http.check(sample, random);
        assert.notEqual(outcome, "HTTP_BAD_CHUNK", "planted");
        return outcome;
      },
    });
    assert.match(found, /planted/);
    // A head, and a chunk size that is none.
    assert.match(found, /^".{1,12} HTTP\/1\.1\\r\\n(?:host|transfer-encoding):/im);
    const input = /^"(.*)"$/m.exec(found)?.[1] ?? "";
    assert.ok(input.length < 110, input);
  });

  test("a difference to the reference reader", async () => {
    const found = await findingOf({
      ...webSocket,
      // The check sees another setting than the one that the input was made for.
      check: (sample, random) =>
        webSocket.check({ ...sample, setting: { ...sample.setting, deflate: "no" } }, random),
    });
    assert.match(found, /a valid input/);
  });
});
