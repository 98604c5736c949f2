/** Below this many taken places the array is left as it is. */
const SLACK = 1_024;

/** First in, first out, without moving what waits at each step. */
export class Fifo<T> {
  /** How many items have left so far. */
  shifted = 0;
  private items: (T | undefined)[] = [];
  private head = 0;

  get length(): number {
    return this.items.length - this.head;
  }

  /** How many items have been added so far. */
  get pushed(): number {
    return this.shifted + this.length;
  }

  push(item: T): void {
    this.items.push(item);
  }

  /** The item that would leave next. @returns undefined when there is none */
  get first(): T | undefined {
    return this.items[this.head];
  }

  /** @returns undefined when there is none */
  shift(): T | undefined {
    const item = this.items[this.head];
    if (this.head === this.items.length) return undefined;
    this.shifted++;
    this.items[this.head++] = undefined;
    if (this.head === this.items.length) {
      this.items = [];
      this.head = 0;
    } else if (this.head >= SLACK && this.head * 2 > this.items.length) {
      this.items = this.items.slice(this.head);
      this.head = 0;
    }
    return item;
  }
}
