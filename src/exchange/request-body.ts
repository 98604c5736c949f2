import { ByteCollector } from "../bytes/byte-collector.ts";
import { NO_BYTES } from "../bytes/no-bytes.ts";
import { FREE_BYTES } from "../limits/incomplete-bytes.ts";
import type { OptionNames } from "../options/check-options.ts";
import { abortError, PorticoError } from "./errors.ts";

/**
 * Receives the body of a request piece by piece.
 * @param chunk the program's own, or lent: see `Exchange.onBody`
 * @param last true for the last piece, which can be empty
 */
export type BodyConsumer<Bytes extends Buffer = Buffer> = (chunk: Bytes, last: boolean) => unknown;

/** How `onBody` of an exchange gives the content. */
export interface BodyOptions {
  lent?: boolean;
}

export const bodyOptionNames: OptionNames<BodyOptions> = { lent: "boolean" };

/** What the content asks of its exchange. */
export interface BodyHost {
  /** The program wants the content: send 100 (Continue) where the client waits for it. */
  wantBody(): void;
  /** The program has more content than it takes. */
  pauseBody(): void;
  resumeBody(): void;
  /**
   * The content takes more memory, or less.
   * @param change in bytes
   * @returns whether all connections together may take as much
   */
  holdsBody(change: number): boolean;
}

/** Content that waits for the program pauses the connection from this size on. */
const KEEP_BYTES = 65_536;

/*
 *   state      call                    next
 *   waiting    receive                 waiting    (kept)
 *              consume                 flowing, or over when everything had come
 *              fail                    failed
 *   flowing    receive                 flowing    (to the consumer), over after the last piece
 *              abandon                 abandoned
 *              fail                    failed     (the consumer is told)
 *   abandoned  receive                 abandoned  (thrown away)
 */
type State = "waiting" | "flowing" | "abandoned" | "over" | "failed";

/**
 * The content of one request on its way from the connection to the program. What comes before the program asks is
 * kept, within bounds; afterwards each piece goes straight to the consumer.
 */
export class RequestBody {
  private readonly host: BodyHost;
  private kept: ByteCollector | undefined;
  private state: State = "waiting";
  private complete = false;
  private consumer: BodyConsumer | undefined;
  /** The program has paused it while it was given what had been kept. */
  private isPaused = false;
  private isLoop = false;
  private counted = 0;
  private onFail: ((error: PorticoError) => void) | undefined;

  constructor(host: BodyHost) {
    this.host = host;
  }

  /** Whether the program takes the content. */
  get isFlowing(): boolean {
    return this.state === "flowing";
  }

  /** Whether it takes all of it: a loop can be left. */
  get isFlowingToEnd(): boolean {
    return this.isFlowing && !this.isLoop;
  }

  /** @param chunk Valid until the handler returns. Copy it to keep it. */
  receive(chunk: Buffer, last: boolean): void {
    if (last) this.complete = true;
    if (this.state === "flowing") {
      if (last) this.state = "over";
      this.consumer?.(chunk, last);
    } else if (this.state === "waiting" && chunk.length > 0) {
      this.kept ??= new ByteCollector();
      this.kept.append(chunk);
      this.count(this.kept.capacity);
      if (this.kept.length >= KEEP_BYTES && !last) this.host.pauseBody();
    }
  }

  /** No more will come: the client has disconnected, or the rest is thrown away. */
  fail(): void {
    this.count(0);
    if (this.complete || this.state === "abandoned" || this.state === "failed") return;
    const told = this.state === "flowing";
    this.state = "failed";
    this.kept = undefined;
    if (told) this.onFail?.(abortError());
  }

  /**
   * @param consumer gets what was kept at once, and then each piece as it arrives
   * @param onFail called instead of the last piece when the client disconnects
   * @throws PorticoError ERR_BODY_USED the second time
   */
  consume(consumer: BodyConsumer, onFail?: (error: PorticoError) => void): void {
    if (this.state === "failed" && this.consumer === undefined) {
      this.consumer = consumer;
      onFail?.(abortError());
      return;
    }
    if (this.state !== "waiting") throw new PorticoError("ERR_BODY_USED");
    this.consumer = consumer;
    this.onFail = onFail;
    this.state = this.complete ? "over" : "flowing";
    this.isPaused = false;
    const kept = this.kept?.take() ?? NO_BYTES;
    this.kept = undefined;
    this.count(0);
    if (kept.length > 0 || this.complete) consumer(kept, this.complete);
    if (this.complete) return;
    this.host.wantBody();
    if (!this.isPaused) this.host.resumeBody();
  }

  /** Takes back what was kept, as if it had not been received. @returns undefined when there is nothing */
  takeKept(): { readonly data: Buffer; readonly isLast: boolean } | undefined {
    const { kept, complete } = this;
    if (this.state !== "waiting" || (kept === undefined && !complete)) return undefined;
    this.kept = undefined;
    this.complete = false;
    this.count(0);
    return { data: kept?.take() ?? NO_BYTES, isLast: complete };
  }

  /** The consumer wants no more for now, or wants to go on. */
  setPaused(isPaused: boolean): void {
    this.isPaused = isPaused;
  }

  /** @param bytes that are held now @returns whether that is not too much, with what all others hold */
  private count(bytes: number): boolean {
    const change = bytes - this.counted;
    this.counted = bytes;
    return change === 0 || this.host.holdsBody(change) || bytes <= FREE_BYTES;
  }

  /** Nothing more comes, and what is there is the program's. */
  release(): void {
    this.count(0);
  }

  /** The consumer wants no more. */
  abandon(): void {
    this.count(0);
    if (this.state !== "flowing") return;
    this.state = "abandoned";
    this.host.resumeBody();
  }

  /**
   * All of it, in separate memory.
   * @param limit in bytes
   * @throws PorticoError ERR_BODY_TOO_LARGE, ERR_OVERLOADED, ERR_ABORTED or ERR_BODY_USED
   */
  bytes(limit: number): Promise<Buffer> {
    return new Promise((resolve, reject) => this.collect(limit, resolve, reject));
  }

  /**
   * The same, without a promise.
   * @param done called once with all of it
   * @param failed called once instead of `done`
   * @throws PorticoError ERR_BODY_USED
   */
  collect(limit: number, done: (content: Buffer) => void, failed: (error: PorticoError) => void): void {
    let collector: ByteCollector | undefined;
    const refuse = (error: PorticoError): void => {
      collector = undefined;
      // First, so that the answer can say that the connection closes.
      this.abandon();
      failed(error);
    };
    this.consume((chunk, last) => {
      if ((collector?.length ?? 0) + chunk.length > limit) {
        refuse(new PorticoError("ERR_BODY_TOO_LARGE", `${limit} bytes`));
      } else if (last && collector === undefined) {
        done(chunk.length === 0 ? NO_BYTES : Buffer.from(chunk));
      } else {
        collector ??= new ByteCollector();
        collector.append(chunk);
        if (last) {
          this.count(0);
          done(collector.take());
        } else if (!this.count(collector.capacity)) refuse(new PorticoError("ERR_OVERLOADED"));
      }
    }, failed);
  }

  /** What has come since the last step, in separate memory; the connection waits when that is much. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    const collector = new ByteCollector();
    let last = false;
    let failure: PorticoError | undefined;
    let wake: (() => void) | undefined;
    this.consume(
      (chunk, isLast) => {
        collector.append(chunk);
        this.count(collector.capacity);
        last = isLast;
        if (collector.length >= KEEP_BYTES && !last) this.host.pauseBody();
        wake?.();
      },
      (error) => {
        failure = error;
        wake?.();
      },
    );
    this.isLoop = true;
    try {
      for (;;) {
        if (collector.length > 0) {
          const chunk = collector.take();
          this.count(0);
          this.host.resumeBody();
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
    } finally {
      this.abandon();
    }
  }
}
