import { PATIENCE_MS, within } from "./waiting.ts";

/** Waiting for what comes in pieces: whoever waits looks again at each change. */
export class Changes {
  private waiters: (() => void)[] = [];

  /** Something has changed. */
  readonly tell = (): void => {
    for (const resolve of this.waiters.splice(0)) resolve();
  };

  /** Waits until a look finds something. */
  find<T>(look: () => T | undefined, what: string, ms: number = PATIENCE_MS): Promise<T> {
    const wait = async (): Promise<T> => {
      for (;;) {
        const found = look();
        if (found !== undefined) return found;
        await new Promise<void>((resolve) => this.waiters.push(resolve));
      }
    };
    return within(wait(), what, ms);
  }
}
