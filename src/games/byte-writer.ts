/** Bytes of the first memory. */
const FIRST_BYTES = 1_024;

/** Up to this length a loop is faster than two calls into V8: 7 times for a name of 6 characters. */
const LOOP_CHARACTERS = 32;

/**
 * Writes numbers, text and bytes one after the other into reused memory. Numbers are little-endian: `DataView` reads
 * them with `true` as the last argument.
 */
export class ByteWriter {
  private memory: Buffer;
  private at = 0;
  private readonly canGrow: boolean;

  /**
   * @param memory to write into, such as that of `socket.sendInto`: a call that it has no room for throws a RangeError.
   *   Default: memory that grows
   */
  constructor(memory?: Buffer) {
    this.memory = memory ?? Buffer.allocUnsafeSlow(FIRST_BYTES);
    this.canGrow = memory === undefined;
  }

  /** Bytes written since the last {@link clear}. */
  get length(): number {
    return this.at;
  }

  /** The bytes written since the last {@link clear}. Valid until the next call of the writer. Copy it to keep it. */
  get bytes(): Buffer {
    return this.memory.subarray(0, this.at);
  }

  /** Discards what was written and starts again. */
  clear(): this {
    this.at = 0;
    return this;
  }

  u8(value: number): this {
    this.memory[this.take(1)] = value;
    return this;
  }

  u16(value: number): this {
    const at = this.take(2);
    const { memory } = this;
    // It throws.
    if (!(value >= 0 && value <= 0xffff)) memory.writeUInt16LE(value, at);
    memory[at] = value;
    memory[at + 1] = value >>> 8;
    return this;
  }

  u32(value: number): this {
    const at = this.take(4);
    const { memory } = this;
    // It throws.
    if (!(value >= 0 && value <= 0xffff_ffff)) memory.writeUInt32LE(value, at);
    memory[at] = value;
    memory[at + 1] = value >>> 8;
    memory[at + 2] = value >>> 16;
    memory[at + 3] = value >>> 24;
    return this;
  }

  i16(value: number): this {
    const at = this.take(2);
    this.memory.writeInt16LE(value, at);
    return this;
  }

  i32(value: number): this {
    const at = this.take(4);
    this.memory.writeInt32LE(value, at);
    return this;
  }

  f32(value: number): this {
    const at = this.take(4);
    this.memory.writeFloatLE(value, at);
    return this;
  }

  f64(value: number): this {
    const at = this.take(8);
    this.memory.writeDoubleLE(value, at);
    return this;
  }

  /**
   * Writes the length of a text in bytes as a 16-bit number, and then the text as UTF-8.
   * @throws RangeError for more than 65,535 bytes
   */
  text(value: string): this {
    if (value.length <= LOOP_CHARACTERS && this.shortAscii(value)) return this;
    const length = Buffer.byteLength(value);
    this.u16(length);
    const at = this.take(length);
    this.memory.write(value, at);
    return this;
  }

  /** Writes bytes as they are. */
  raw(value: Uint8Array): this {
    const at = this.take(value.length);
    this.memory.set(value, at);
    return this;
  }

  /** Overwrites a 16-bit number written earlier, such as a count. @param at its offset in bytes */
  setU16(at: number, value: number): this {
    if (!(at >= 0 && at + 2 <= this.at)) throw new RangeError(`nothing was written at ${at}`);
    this.memory.writeUInt16LE(value, at);
    return this;
  }

  /** @returns false, with nothing written, for text with characters of several bytes */
  private shortAscii(value: string): boolean {
    const { length } = value;
    const start = this.take(2 + length);
    const { memory } = this;
    memory[start] = length;
    memory[start + 1] = 0;
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code > 127) {
        this.at = start;
        return false;
      }
      memory[start + 2 + i] = code;
    }
    return true;
  }

  /** Makes room for `count` bytes. @returns the offset of the first */
  private take(count: number): number {
    const at = this.at;
    const end = at + count;
    if (end > this.memory.length) {
      if (!this.canGrow)
        throw new RangeError(`${end} bytes do not fit into the ${this.memory.length} bytes of this writer`);
      const larger = Buffer.allocUnsafeSlow(Math.max(end, 2 * this.memory.length));
      this.memory.copy(larger, 0, 0, at);
      this.memory = larger;
    }
    this.at = end;
    return at;
  }
}
