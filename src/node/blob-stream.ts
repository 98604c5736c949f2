import { Blob } from "node:buffer";

/** Sizes of the Blobs that streams were made from. */
const sizes = new WeakMap<object, number>();
let isNoting = false;

/**
 * Notes from now on how long the stream of a Blob is. A Response made from a Blob shows only that stream, and the platform
 * keeps the length to itself. `Blob.prototype.stream` is wrapped for this and returns what it returned before.
 */
export function noteBlobStreams(): void {
  if (isNoting) return;
  isNoting = true;
  const { stream } = Blob.prototype;
  const noted = {
    stream(this: Blob) {
      const made = stream.call(this);
      sizes.set(made, this.size);
      return made;
    },
  };
  // Whoever has frozen it goes without lengths.
  Reflect.set(Blob.prototype, "stream", noted.stream);
}

/** The length of a stream from a Blob, nothing of which has been read; undefined for other streams. */
export function blobStreamSize(stream: ReadableStream): number | undefined {
  return sizes.get(stream);
}
