import { PorticoError } from "./errors.ts";

/** Takes the content of a request piece by piece. `chunk` is lent for the call; `last` ends the content. */
export type BodyConsumer = (chunk: Buffer, last: boolean) => void;

/** What the content asks of its connection. */
export interface BodyHost {
  /** The program wants the content: send 100 (Continue) where the client waits for it. */
  wantBody(): void;
  /** The program has more content than it takes. */
  pauseBody(): void;
  resumeBody(): void;
}

/** Content that nobody has asked for yet is kept up to this size before the connection is paused. */
const KEEP_BYTES = 65_536;
const NOTHING = Buffer.alloc(0);

/**
 * The content of one request on its way from the connection to the program. What comes before the program asks is
 * kept, within bounds; afterwards each piece goes straight to the consumer.
 */
export class RequestBody {
  private readonly host: BodyHost;
  private kept: Buffer[] = [];
  private keptBytes = 0;
  private consumer: BodyConsumer | undefined;
  private onFail: ((error: PorticoError) => void) | undefined;
  private ended = false;
  private failed = false;

  constructor(host: BodyHost) {
    this.host = host;
  }

  /** Whether a consumer has been given. */
  get used(): boolean {
    return this.consumer !== undefined;
  }

  /** @param chunk lent for the call */
  receive(chunk: Buffer, last: boolean): void {
    if (last) this.ended = true;
    if (this.consumer !== undefined) {
      this.consumer(chunk, last);
    } else if (chunk.length > 0) {
      this.kept.push(Buffer.from(chunk));
      this.keptBytes += chunk.length;
      if (this.keptBytes >= KEEP_BYTES && !last) this.host.pauseBody();
    }
  }

  /** No more will come: the peer has gone. */
  fail(): void {
    if (this.ended || this.failed) return;
    this.failed = true;
    this.onFail?.(new PorticoError("ERR_ABORTED"));
  }

  /**
   * @param consumer gets what was kept at once, and then each piece as it arrives
   * @param onFail called instead of the last piece when the peer goes away
   * @throws PorticoError ERR_BODY_USED the second time
   */
  consume(consumer: BodyConsumer, onFail?: (error: PorticoError) => void): void {
    if (this.consumer !== undefined) throw new PorticoError("ERR_BODY_USED");
    this.consumer = consumer;
    this.onFail = onFail;
    const { kept } = this;
    this.kept = [];
    if (this.failed) {
      onFail?.(new PorticoError("ERR_ABORTED"));
      return;
    }
    for (const [index, chunk] of kept.entries()) consumer(chunk, this.ended && index === kept.length - 1);
    if (this.ended) {
      if (kept.length === 0) consumer(NOTHING, true);
      return;
    }
    this.host.wantBody();
    this.host.resumeBody();
  }

  /**
   * All of it, in memory of its own.
   * @param limit in bytes
   * @throws PorticoError ERR_BODY_TOO_LARGE, ERR_ABORTED or ERR_BODY_USED
   */
  bytes(limit: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const pieces: Buffer[] = [];
      let length = 0;
      this.consume((chunk, last) => {
        length += chunk.length;
        if (length > limit) {
          pieces.length = 0;
          reject(new PorticoError("ERR_BODY_TOO_LARGE", `${limit} bytes`));
          return;
        }
        if (chunk.length > 0) pieces.push(Buffer.from(chunk));
        if (!last) return;
        resolve(pieces.length === 1 ? (pieces[0] ?? NOTHING) : Buffer.concat(pieces, length));
      }, reject);
    });
  }

  /** Each piece, in memory of its own; the connection waits while the program is busy with one. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    const queue: Buffer[] = [];
    let bytes = 0;
    let last = false;
    let failure: PorticoError | undefined;
    let wake: (() => void) | undefined;
    const onChange = (): void => {
      wake?.();
      wake = undefined;
    };
    this.consume(
      (chunk, isLast) => {
        if (chunk.length > 0) queue.push(Buffer.from(chunk));
        bytes += chunk.length;
        last = isLast;
        if (bytes >= KEEP_BYTES && !last) this.host.pauseBody();
        onChange();
      },
      (error) => {
        failure = error;
        onChange();
      },
    );
    for (;;) {
      const chunk = queue.shift();
      if (chunk !== undefined) {
        bytes -= chunk.length;
        if (bytes < KEEP_BYTES) this.host.resumeBody();
        yield chunk;
      } else if (last) {
        return;
      } else if (failure !== undefined) {
        throw failure;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  }
}
