/** A small seeded generator (xoroshiro64**): one input takes hundreds of numbers, and millions of inputs are made. */
export class Random {
  private readonly state = new Int32Array(2);

  /** Begins the sequence of input number `index`: any one input can be made again without those before it. */
  begin(seed: number, index: number): this {
    this.state[0] = mixed(seed + 0x9e3779b9);
    this.state[1] = mixed(index) | 1;
    this.bits();
    return this;
  }

  /** A whole number from 0 to `below - 1`. */
  below(below: number): number {
    return (this.bits() >>> 0) % below;
  }

  /** True once in `times` on average. */
  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }

  /** Small numbers most of the time, `most - 1` at most. */
  few(most: number): number {
    return this.below(1 + this.below(most));
  }

  bits(): number {
    const { state } = this;
    const s0 = state[0]!;
    let s1 = state[1]!;
    const product = Math.imul(s0, 0x9e3779bb);
    const result = Math.imul((product << 5) | (product >>> 27), 5);
    s1 ^= s0;
    state[0] = ((s0 << 26) | (s0 >>> 6)) ^ s1 ^ (s1 << 9);
    state[1] = (s1 << 13) | (s1 >>> 19);
    return result;
  }
}

function mixed(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x21f0aaad);
  h = Math.imul(h ^ (h >>> 15), 0x735a2d97);
  return h ^ (h >>> 15);
}
