/** Numbers that look random and are the same again for the same seed (mulberry32). */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** From 0 to below 1. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number from `low` to `high`. */
  whole(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  /** A length: mostly short, sometimes up to `most`. */
  length(most: number): number {
    return Math.floor(most ** this.next());
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.whole(0, from.length - 1)] as T;
  }
}

/** Bytes that can be told from those of any other seed. */
export function bytesOf(seed: number, length: number): Buffer {
  const random = new Random(seed);
  const block = Buffer.from(Array.from({ length: 251 }, () => random.whole(0, 255)));
  return Buffer.alloc(length, block);
}

/** The same as text of one to four bytes a character. */
export function textOf(seed: number, length: number): string {
  const random = new Random(seed);
  const block = Array.from({ length: 61 }, () => random.pick(["a", "b", "ü", "世", "🙂", " "]));
  return Array.from({ length }, (_, i) => block[i % block.length]).join("");
}
