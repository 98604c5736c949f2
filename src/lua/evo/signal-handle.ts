import { Handle } from "./handle.ts";

const SIGNALS: ReadonlyMap<string, NodeJS.Signals> = new Map([
  ["sigint", "SIGINT"],
  ["sigterm", "SIGTERM"],
  ["sighup", "SIGHUP"],
]);

/** Waits for a signal to the process. */
export class SignalHandle extends Handle {
  private signal: NodeJS.Signals | undefined;
  private readonly onSignal = (): void => {
    const name = this.signal?.toLowerCase() ?? "";
    this.callBack(this.id, "signal", (frame) => {
      frame.pushText(name);
      return 1;
    });
  };

  start(name: string): void {
    const signal = SIGNALS.get(name.toLowerCase());
    if (signal === undefined)
      throw new TypeError(`the signal ${name} is not available. Use sigint, sigterm or sighup`);
    this.stop();
    this.signal = signal;
    process.on(signal, this.onSignal);
    this.setActive(true);
  }

  stop(): void {
    if (this.signal !== undefined) process.off(this.signal, this.onSignal);
    this.signal = undefined;
    this.setActive(false);
  }

  close(): void {
    this.stop();
  }
}
