import { ByteLengthQueuingStrategy, ReadableStream as WebStream } from "node:stream/web";

/** So much content waits for its reader before the server is slowed down. */
const HIGH_WATER_BYTES = 65_536;

/** The content of a response, from who receives it to who reads it. */
export class ContentStream {
  readonly readable: ReadableStream<Uint8Array>;
  private controller: ReadableStreamDefaultController<Uint8Array> | undefined;

  /**
   * @param resume called when the reader wants more
   * @param cancel called when it wants no more
   */
  constructor(resume: () => void, cancel: () => void) {
    this.readable = new WebStream<Uint8Array>(
      {
        start: (controller) => {
          this.controller = controller;
        },
        pull: resume,
        cancel: () => {
          this.controller = undefined;
          cancel();
        },
      },
      new ByteLengthQueuingStrategy({ highWaterMark: HIGH_WATER_BYTES }),
    );
  }

  /** @param bytes valid during the call @returns whether to continue; otherwise wait for `resume` */
  push(bytes: Uint8Array): boolean {
    this.controller?.enqueue(new Uint8Array(bytes));
    return (this.controller?.desiredSize ?? 1) > 0;
  }

  end(): void {
    this.controller?.close();
    this.controller = undefined;
  }

  fail(reason: unknown): void {
    this.controller?.error(reason);
    this.controller = undefined;
  }
}
