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

  /** Pairs of a bucket and its count, which {@link of} reads, also in another process. */
  pairs(): number[] {
    const pairs: number[] = [];
    this.counts.forEach((count, bucket) => {
      if (count > 0) pairs.push(bucket, count);
    });
    return pairs;
  }

  /** Returns all durations of some {@link pairs} together. */
  static of(all: readonly (readonly number[])[]): Durations {
    const durations = new Durations();
    for (const pairs of all) {
      for (let at = 0; at + 1 < pairs.length; at += 2) {
        const [bucket = 0, count = 0] = [pairs[at], pairs[at + 1]];
        durations.counts[bucket] = (durations.counts[bucket] ?? 0) + count;
      }
    }
    return durations;
  }

  /**
   * The value in milliseconds that a share of all durations does not exceed, or null when there are none.
   * @param share 0 to 1
   */
  quantile(share: number): number | null {
    const total = this.counts.reduce((sum, count) => sum + count, 0);
    if (total === 0) return null;
    let left = share * total;
    const bucket = this.counts.findIndex((count) => {
      left -= count;
      return left <= 0;
    });
    return 2 ** ((bucket + 0.5) / STEPS) / 1_000;
  }
}
