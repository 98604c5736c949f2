import type { Campaign, Sample } from "./campaign.ts";
import { Random } from "./random.ts";

const LIMIT_MS = 10_000;
const CUTS = 24;

/** An input that broke a rule, made as small as it was possible. */
export class Finding extends Error {
  override readonly name: string = "Finding";
}

/** Takes items away and makes them plainer for as long as something still breaks. */
export async function reduced<Item, Setting>(
  campaign: Campaign<Item, Setting>,
  sample: Sample<Item, Setting>,
  place: string,
  error: unknown,
): Promise<Finding> {
  const shrinker = new Shrinker(campaign, sample, error);
  await shrinker.run();
  const { best, cause } = shrinker;
  const text = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
  return new Finding(`${campaign.name}, ${place} (${sample.kind}):\n${campaign.show(best)}\n${text}`);
}

class Shrinker<Item, Setting> {
  best: Sample<Item, Setting>;
  cause: unknown;
  private readonly campaign: Campaign<Item, Setting>;
  private readonly random = new Random();
  private readonly deadline = performance.now() + LIMIT_MS;

  constructor(campaign: Campaign<Item, Setting>, sample: Sample<Item, Setting>, error: unknown) {
    this.campaign = campaign;
    this.best = sample;
    this.cause = error;
  }

  async run(): Promise<void> {
    if (!(await this.breaks(this.best.items))) return;
    for (let size = Number.POSITIVE_INFINITY; ; ) {
      await this.takeAway();
      for (let at = 0; at < this.best.items.length; at += 1) while (await this.simplify(at));
      const now = this.campaign.show(this.best).length;
      if (now >= size) break;
      size = now;
    }
    // Once more, with a stack.
    Error.stackTraceLimit = 10;
    await this.breaks(this.best.items);
  }

  /** Whether it breaks without the others' help: no expectation is left, and it is cut in many ways. */
  private async breaks(items: Item[]): Promise<boolean> {
    const candidate = { ...this.best, items, expected: null };
    try {
      for (let cuts = 0; cuts < CUTS; cuts += 1)
        this.campaign.check(candidate, this.random.begin(cuts, cuts));
      await this.campaign.compare(candidate);
      return false;
    } catch (cause) {
      this.best = candidate;
      this.cause = cause;
      return true;
    }
  }

  private async takeAway(): Promise<void> {
    let length = this.best.items.length;
    while (length > 0) {
      length = length === 1 ? 0 : Math.ceil(length / 2);
      for (let at = 0; length > 0 && at < this.best.items.length; ) {
        const { items } = this.best;
        const fewer = [...items.slice(0, at), ...items.slice(at + length)];
        if (!(await this.breaks(fewer))) at += length;
      }
    }
  }

  private async simplify(at: number): Promise<boolean> {
    const { items } = this.best;
    for (const simpler of this.campaign.simpler(items[at] as Item)) {
      if (performance.now() > this.deadline) return false;
      if (await this.breaks(items.with(at, simpler))) return true;
    }
    return false;
  }
}
