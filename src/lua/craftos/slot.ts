/**
 * The next result of a blocking call, which Lua takes when it comes to it. A coroutine that has stopped waiting consumes
 * nothing: the next one gets the result.
 */
export class Slot<Result> {
  private readonly ask: () => Promise<Result | null>;
  private readonly onReady: () => void;
  private asked: Promise<void> | undefined;
  private ready: { readonly result: Result | null } | undefined;
  private isExpected = false;

  /** @param onReady called when a result has arrived without an event that would wake the program */
  constructor(ask: () => Promise<Result | null>, onReady: () => void) {
    this.ask = ask;
    this.onReady = onReady;
  }

  /** @returns the result, null when no more will come, or undefined: ask again after the next event */
  take(): Result | null | undefined {
    const { ready } = this;
    if (ready !== undefined) {
      // That nothing more will come stays true.
      if (ready.result !== null) this.ready = undefined;
      return ready.result;
    }
    this.asked ??= this.ask().then(
      (result) => this.settle(result),
      () => this.settle(null),
    );
    return undefined;
  }

  /** Waits for what an event brings, before the program sees the event. */
  async expect(): Promise<void> {
    this.isExpected = true;
    await this.asked;
    this.isExpected = false;
  }

  private settle(result: Result | null): void {
    this.asked = undefined;
    this.ready = { result };
    if (!this.isExpected) this.onReady();
  }
}
