/**
 * At most so many of the things that come between two calls of {@link take}, each with the same chance to be among
 * them, in their order (reservoir sampling, Vitter's algorithm R). Those that are left out cost a random number.
 */
export class EventSample<T> {
  private readonly size: number;
  private chosen: { readonly index: number; readonly value: T }[] = [];
  private count = 0;

  /** @param size how many are kept at most */
  constructor(size: number) {
    this.size = size;
  }

  /** @param make is called only for what is kept, for now at least */
  add(make: () => T): void {
    const index = this.count++;
    if (index < this.size) {
      this.chosen.push({ index, value: make() });
      return;
    }
    const place = Math.floor(Math.random() * this.count);
    if (place < this.size) this.chosen[place] = { index, value: make() };
  }

  /** What was kept, and how many were not; then it begins again. */
  take(): { values: T[]; skipped: number } {
    const values = this.chosen.sort((a, b) => a.index - b.index).map(({ value }) => value);
    const skipped = this.count - values.length;
    this.chosen = [];
    this.count = 0;
    return { values, skipped };
  }
}
