/** Below this many places the array is left as it is. */
const SLACK = 1_024;

/** First in, first out, without moving what waits at each step. */
export class Fifo<T> {
  /** How many items have left so far. */
  shifted = 0;
  private items: (T | undefined)[] = [];
  private head = 0;
  private end = 0;

  get length(): number {
    return this.end - this.head;
  }

  /** How many items have been added so far. */
  get pushed(): number {
    return this.shifted + this.length;
  }

  push(item: T): void {
    this.items[this.end++] = item;
  }

  /** The item that would leave next. @returns undefined when there is none */
  get first(): T | undefined {
    return this.head === this.end ? undefined : this.items[this.head];
  }

  /** @returns undefined when there is none */
  shift(): T | undefined {
    const { items, head } = this;
    if (head === this.end) return undefined;
    const item = items[head];
    items[head] = undefined;
    this.shifted++;
    this.head = head + 1;
    if (this.head === this.end) this.restart();
    else if (this.head >= SLACK && this.head * 2 > this.end) this.compact();
    return item;
  }

  /** It is empty. The array is used again, because growing it costs more than all else for a short queue. */
  private restart(): void {
    if (this.end > SLACK) this.items = [];
    this.head = this.end = 0;
  }

  private compact(): void {
    this.items = this.items.slice(this.head, this.end);
    this.end -= this.head;
    this.head = 0;
  }
}
