import fc from "fast-check";
import { Random } from "../support/random.ts";
import type { Campaign, Sample } from "./campaign.ts";

const LIMIT_MS = 10_000;
const CUTS = 24;

/** An input that broke a rule, made as small as it was possible. */
export class Finding extends Error {
  override readonly name: string = "Finding";
}

/** Lets fast-check take items away and make them plainer for as long as something still breaks. */
export async function reduced<Item, Setting>(
  campaign: Campaign<Item, Setting>,
  sample: Sample<Item, Setting>,
  place: string,
  error: unknown,
): Promise<Finding> {
  let best = sample;
  let cause = error;
  const random = new Random();
  /** Breaks without the others' help: no expectation is left, and it is cut in many ways. */
  const holds = async (items: Item[]): Promise<void> => {
    const candidate = { ...sample, items, expected: null };
    try {
      for (let cuts = 0; cuts < CUTS; cuts += 1) campaign.check(candidate, random.begin(cuts, cuts));
      await campaign.compare(candidate);
    } catch (broken) {
      best = candidate;
      cause = broken;
      throw broken;
    }
  };
  const items = fc.array(campaign.item, { maxLength: 1_000_000 });
  await fc.check(fc.asyncProperty(items, holds), {
    examples: [[sample.items]],
    numRuns: 1,
    interruptAfterTimeLimit: LIMIT_MS,
  });
  // Once more, with a stack.
  Error.stackTraceLimit = 10;
  if (best !== sample) await holds(best.items).catch(() => {});
  const text = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
  return new Finding(`${campaign.name}, ${place} (${sample.kind}):\n${campaign.show(best)}\n${text}`);
}
