/**
 * A random sample of the items between two calls of {@link take}, in their order. Each item has the same chance
 * (reservoir sampling, Vitter's algorithm R). An item that is left out costs one random number.
 */
export class EventSample<T> {
  private readonly size: number;
  private chosen: { readonly index: number; readonly value: T }[] = [];
  private count = 0;

  /** @param size the largest number of items in the sample */
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

  /** Returns the sample and the number of other items, and starts again. */
  take(): { values: T[]; skipped: number } {
    const values = this.chosen.sort((a, b) => a.index - b.index).map(({ value }) => value);
    const skipped = this.count - values.length;
    this.chosen = [];
    this.count = 0;
    return { values, skipped };
  }
}
