import { Readable } from "node:stream";

/** Where the content of a response may come from. */
export type ChunkSource =
  | AsyncIterable<string | Uint8Array>
  | Iterable<string | Uint8Array>
  | ReadableStream<string | Uint8Array>;

/** A source of chunks that can be cancelled at any time, also while a chunk is awaited. */
export interface ChunkReader {
  /** @returns undefined at the end */
  next(): Promise<string | Uint8Array | undefined>;
  cancel(): void;
}

function ignore(): void {}

/** Reads any kind of source. */
export function readerOf(source: ChunkSource): ChunkReader {
  if (source instanceof ReadableStream) {
    const reader = source.getReader();
    return {
      next: async () => (await reader.read()).value,
      cancel: () => void reader.cancel().catch(ignore),
    };
  }
  const iterator =
    Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  return {
    async next() {
      const step = await iterator.next();
      return step.done === true ? undefined : step.value;
    },
    cancel() {
      // A generator can only return when it has got what it waits for; a Node stream can be ended at once.
      if (source instanceof Readable) source.destroy();
      Promise.resolve(iterator.return?.()).catch(ignore);
    },
  };
}
