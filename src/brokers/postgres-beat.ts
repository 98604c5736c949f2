/** While messages come back, and while they do not. */
const BEAT_MS = 5_000;
const BEAT_WHEN_LOST_MS = 500;
/** For a message to come back. */
const PATIENCE_MS = 15_000;

/**
 * Sends a message to its own process again and again: the client for PostgreSQL does not report that it has lost its
 * connection.
 */
export class PostgresBeat {
  private readonly send: () => PromiseLike<unknown>;
  private readonly onState: (isAlive: boolean, error?: unknown) => void;
  private timer: NodeJS.Timeout | undefined;
  private isSending = false;
  private isAlive = false;
  private lastAt = performance.now();

  constructor(send: () => PromiseLike<unknown>, onState: (isAlive: boolean, error?: unknown) => void) {
    this.send = send;
    this.onState = onState;
  }

  /** Sends a message now, unless one is on its way, and others later. */
  next(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.next(), this.isAlive ? BEAT_MS : BEAT_WHEN_LOST_MS).unref();
    if (this.isAlive && performance.now() - this.lastAt > PATIENCE_MS) {
      this.onLost(new Error(`PostgreSQL has sent nothing back for ${PATIENCE_MS} ms`));
    }
    if (this.isSending) return;
    this.isSending = true;
    this.send().then(
      () => {
        this.isSending = false;
      },
      (error: unknown) => {
        this.isSending = false;
        this.onLost(error);
      },
    );
  }

  /** A message has come back. */
  onReturn(): void {
    this.lastAt = performance.now();
    this.isAlive = true;
    this.onState(true);
  }

  /** Something has failed: nothing is known to work until a message comes back. */
  onLost(error: unknown): void {
    const wasAlive = this.isAlive;
    this.isAlive = false;
    this.onState(false, error);
    if (wasAlive) this.next();
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}
