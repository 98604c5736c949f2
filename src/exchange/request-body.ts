import { ByteCollector } from "../bytes/byte-collector.ts";
import { ownCopy } from "../bytes/new-memory.ts";
import { NO_BYTES } from "../bytes/no-bytes.ts";
import { FREE_BYTES } from "../limits/incomplete-bytes.ts";
import type { OptionNames } from "../options/check-options.ts";
import { abortError, PorticoError } from "./errors.ts";

/**
 * Receives the body of a request piece by piece.
 * @param chunk belongs to the program, or is lent: see `Exchange.onBody`
 * @param last true for the last piece, which can be empty
 */
export type BodyConsumer<Bytes extends Buffer = Buffer> = (chunk: Bytes, last: boolean) => unknown;

/** Options of `Exchange.onBody`. */
export interface BodyOptions {
  lent?: boolean;
}

export const bodyOptionNames: OptionNames<BodyOptions> = { lent: "boolean" };

/** The functions of an exchange that its body calls. */
export interface BodyHost {
  /** Called when the program wants the body: send 100 (Continue) if the client waits for it. */
  wantBody(): void;
  /** Called when the program reads more slowly than data arrives. */
  pauseBody(): void;
  resumeBody(): void;
  /**
   * Called when the body uses more or less memory.
   * @param change in bytes
   * @returns whether all connections together stay below their limit
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
 * The body of one request, on its way from the connection to the program. Data that arrives before the program reads is
 * kept, within limits. Afterwards each piece goes directly to the consumer.
 */
export class RequestBody {
  private readonly host: BodyHost;
  private kept: ByteCollector | undefined = undefined;
  private state: State = "waiting";
  private complete = false;
  private consumer: BodyConsumer | undefined = undefined;
  /** The program has paused it while it was given what had been kept. */
  private isPaused = false;
  private isLoop = false;
  private counted = 0;
  private onFail: ((error: PorticoError) => void) | undefined = undefined;

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

  /** Receives a piece of the body. @param chunk valid during the call */
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

  /** Called when nothing more will arrive: the client has disconnected, or the rest is discarded. */
  fail(): void {
    this.count(0);
    if (this.complete || this.state === "abandoned" || this.state === "failed") return;
    const told = this.state === "flowing";
    this.state = "failed";
    this.kept = undefined;
    if (told) this.onFail?.(abortError());
  }

  /**
   * @param consumer receives kept data at once, and then each piece as it arrives
   * @param onFail called instead of the last piece if the client disconnects
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

  /** Removes and returns kept data, as if it had not been received. @returns undefined if there is none */
  takeKept(): { readonly data: Buffer; readonly isLast: boolean } | undefined {
    const { kept, complete } = this;
    if (this.state !== "waiting" || (kept === undefined && !complete)) return undefined;
    this.kept = undefined;
    this.complete = false;
    this.count(0);
    return { data: kept?.take() ?? NO_BYTES, isLast: complete };
  }

  /** The consumer wants no more for now, or wants to continue. */
  setPaused(isPaused: boolean): void {
    this.isPaused = isPaused;
  }

  /**
   * Updates the memory count.
   * @param bytes held now
   * @returns whether all connections together stay below their limit
   */
  private count(bytes: number): boolean {
    const change = bytes - this.counted;
    this.counted = bytes;
    return change === 0 || this.host.holdsBody(change) || bytes <= FREE_BYTES;
  }

  /** Called when nothing more arrives. The data now belongs to the program. */
  release(): void {
    this.count(0);
  }

  /** Called when the consumer stops reading. */
  abandon(): void {
    this.count(0);
    if (this.state !== "flowing") return;
    this.state = "abandoned";
    this.host.resumeBody();
  }

  /**
   * Reads the whole body into separate memory.
   * @param limit in bytes
   * @throws PorticoError ERR_BODY_TOO_LARGE, ERR_OVERLOADED, ERR_ABORTED or ERR_BODY_USED
   */
  bytes(limit: number): Promise<Buffer> {
    return new Promise((resolve, reject) => this.collect(limit, resolve, reject));
  }

  /**
   * Like {@link bytes}, but with callbacks instead of a promise.
   * @param done called once with the whole body
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
        done(chunk.length === 0 ? NO_BYTES : ownCopy(chunk));
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

  /** Yields data received since the last step, in separate memory. The connection is paused if that is much. */
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
