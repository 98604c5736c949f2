import { Readable } from "node:stream";
import { copyIfBorrowed } from "../bytes/lease.ts";
import { isThenable } from "../delivery/call-handler.ts";

type Chunk = string | Uint8Array;

/** A source of a response body. */
export type ChunkSource = AsyncIterable<Chunk> | Iterable<Chunk> | ReadableStream<Chunk>;

/** A source of chunks that can be cancelled at any time, even while a chunk is awaited. */
export interface ChunkReader {
  /**
   * Returns the next chunk.
   * @returns undefined at the end
   * @throws the error of the source, and TypeError for an invalid chunk
   */
  next(): Promise<Chunk | undefined>;
  cancel(): void;
}

function ignore(): void {}

/**
 * @returns the chunk of a step, or undefined at the end; borrowed bytes are copied
 * @throws TypeError for an invalid chunk, including undefined
 */
export function chunkOf(step: { done?: boolean | undefined; value?: unknown }): Chunk | undefined {
  const { done, value } = step;
  if (done === true) return undefined;
  if (typeof value === "string") return value;
  if (value instanceof Uint8Array) return copyIfBorrowed(value);
  throw new TypeError("a chunk of the body is neither text nor bytes");
}

function ownChunk(chunk: Chunk): Chunk {
  return chunk instanceof Uint8Array ? copyIfBorrowed(chunk) : chunk;
}

/** Reads any kind of source. */
export function readerOf(source: ChunkSource | Chunk): ChunkReader {
  // Text and bytes are iterable, too, but not meant so.
  if (typeof source === "string" || source instanceof Uint8Array) return readerOf([source]);
  // All of it is there now, while borrowed bytes are still valid.
  if (Array.isArray(source)) return readerOf(source.map(ownChunk).values());
  // A stream can fail while nothing iterates over it, and would then end the process. That of a HEAD request is not
  // opened yet.
  if (source instanceof Readable) source.on("error", ignore);
  if (source instanceof ReadableStream) {
    const reader = source.getReader();
    return {
      next: async () => chunkOf(await reader.read()),
      cancel: () => void reader.cancel().catch(ignore),
    };
  }
  const iterator =
    Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  return {
    async next() {
      const step = iterator.next();
      // A step that is there at once can hold borrowed bytes, which are not valid after an await.
      return chunkOf(isThenable(step) ? await step : step);
    },
    cancel() {
      // A generator can only return when it has got what it waits for; a Node stream can be ended at once.
      if (source instanceof Readable) source.destroy();
      Promise.resolve(iterator.return?.()).catch(ignore);
    },
  };
}
