/** Steps to each doubling: a value is known to about 6 %. */
const STEPS = 8;
/** Up to 2 to the power of 32 microseconds, more than an hour. */
const BUCKETS = 32 * STEPS;

/** How long responses took, in 1 KB whatever their number. */
export class Durations {
  private readonly counts = new Uint32Array(BUCKETS);

  add(ms: number): void {
    const index = Math.floor(Math.log2(Math.max(1, ms * 1_000)) * STEPS);
    const bucket = Math.min(BUCKETS - 1, index);
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
  }

  clear(): void {
    this.counts.fill(0);
  }

  /**
   * The value in milliseconds that a share of all durations does not exceed, or null when there are none.
   * @param share 0 to 1
   * @param other durations that count as well
   */
  quantile(share: number, other: Durations): number | null {
    let total = 0;
    for (let at = 0; at < BUCKETS; at++) total += this.at(at) + other.at(at);
    if (total === 0) return null;
    let left = share * total;
    for (let at = 0; at < BUCKETS; at++) {
      left -= this.at(at) + other.at(at);
      if (left <= 0) return 2 ** ((at + 0.5) / STEPS) / 1_000;
    }
    return null;
  }

  private at(bucket: number): number {
    return this.counts[bucket] ?? 0;
  }
}
