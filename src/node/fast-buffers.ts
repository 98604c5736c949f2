import { memoryOf } from "../bytes/memory-of.ts";

/*
 * V8 inlines no lookup of a method of Buffer, and `Buffer` is a function with more checks than its class. Called directly,
 * the class makes a Buffer in half of the time, and a short head becomes text in three quarters of it (Node 20).
 */

/** The class of Buffers. */
interface BufferClass {
  new (memory: ArrayBufferLike, start: number, length: number): Buffer;
}

const species: unknown = Reflect.get(Buffer, Symbol.species);
const latin1Slice: unknown = Reflect.get(Buffer.prototype, "latin1Slice");

/** Returns a Buffer on a part of memory. */
export const bufferView: (memory: ArrayBufferLike, start: number, length: number) => Buffer = isBufferClass(
  species,
)
  ? (memory, start, length) => new species(memory, start, length)
  : (memory, start, length) => Buffer.from(memory, start, length);

/** Returns `bytes[start..end)` as latin1 text. */
export const latin1Text: (bytes: Buffer, start: number, end: number) => string = isSlice(latin1Slice)
  ? Function.prototype.call.bind(latin1Slice)
  : (bytes, start, end) => bytes.toString("latin1", start, end);

/** Returns `bytes[start..end)` on the same memory. */
export function partOf(bytes: Buffer, start: number, end: number): Buffer {
  const { buffer, offset } = memoryOf(bytes);
  return bufferView(buffer, offset + start, end - start);
}

/** Whether both are there. */
export function hasFastBuffers(): boolean {
  return isBufferClass(species) && isSlice(latin1Slice);
}

function isBufferClass(value: unknown): value is BufferClass {
  // Where it is Buffer itself, it warns that it is not to be constructed.
  if (typeof value !== "function" || value === Buffer) return false;
  try {
    const made: unknown = Reflect.construct(value, [new ArrayBuffer(4), 1, 2]);
    return Buffer.isBuffer(made) && made.byteOffset === 1 && made.length === 2;
  } catch {
    return false;
  }
}

function isSlice(value: unknown): value is (this: Buffer, start: number, end: number) => string {
  try {
    return (
      typeof value === "function" &&
      Reflect.apply(value, Buffer.from("aé\xffb", "latin1"), [1, 3]) === "é\xff"
    );
  } catch {
    return false;
  }
}
