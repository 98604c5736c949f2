import type { TransportSink } from "../../src/transport/transport.ts";

/** Keeps everything that a transport tells. */
export class RecordingSink implements TransportSink {
  length = 0;
  ended = 0;
  drained = 0;
  closed = 0;
  private readonly pieces: Buffer[] = [];
  private waiting: { condition: () => boolean; resolve: () => void } | undefined;

  bytes(): Buffer {
    return Buffer.concat(this.pieces);
  }

  /** Resolves when the condition holds, which is looked at after each event. */
  until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve) => {
      this.waiting = { condition, resolve };
    });
  }

  onBytes(bytes: Buffer, start: number, end: number): void {
    this.pieces.push(Buffer.from(bytes.subarray(start, end)));
    this.length += end - start;
    this.changed();
  }
  onEnd(): void {
    this.ended++;
    this.changed();
  }
  onDrain(): void {
    this.drained++;
    this.changed();
  }
  onClose(): void {
    this.closed++;
    this.changed();
  }

  private changed(): void {
    if (!this.waiting?.condition()) return;
    this.waiting.resolve();
    this.waiting = undefined;
  }
}
