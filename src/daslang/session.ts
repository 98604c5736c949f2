import type { NetworkCallbacks } from "./callbacks.ts";
import type { Connection } from "./connection.ts";
import type { ConnectionLimits } from "./limits.ts";
import { errnoNamed } from "./system-error.ts";

/*
 * What the program has been told of its peer. Each arrow is taken before its callback runs, so a callback that
 * throws has been used up, and one that calls back in finds the new state.
 *
 *   none          -- onLog "connection accepted" --> accepted
 *   accepted      -- onConnect -->                   connected
 *   accepted      -- the program leaves -->          none
 *   connected     -- onData -->                      connected
 *   connected     -- onLog "connection closed" -->   disconnected
 *   connected     -- onError "connection closed …" -> disconnected
 *   connected     -- the program leaves -->          left
 *   left          -- onLog "connection closed" -->   disconnected
 *   disconnected  -- onDisconnect -->                none
 *   any           -- closed by the program -->       none
 */
type Phase = "none" | "accepted" | "connected" | "left" | "disconnected";

/** Closed connections whose other side still receives data. A new one replaces the oldest, which is cut off. */
const MAX_LEAVING = 4;

const CLOSED = "connection closed";

/** Serves one connection after the other, and reports their events in ticks. */
export class Session {
  private readonly limits: Required<ConnectionLimits>;
  private readonly greeting: string;
  private phase: Phase = "none";
  /** True from the end of a connection to the end of `onDisconnect`. */
  private isEnding = false;
  private connection: Connection | undefined;
  private leaving: Connection[] = [];
  private turn = 0;

  /** @param greeting what `onLog` gets when a connection has begun */
  constructor(limits: Required<ConnectionLimits>, greeting: string) {
    this.limits = limits;
    this.greeting = greeting;
  }

  /** Whether a connection is open, as reported to the program: still true while `onDisconnect` runs. */
  get isConnected(): boolean {
    return this.isServing || this.isEnding;
  }

  private get isServing(): boolean {
    return this.phase === "accepted" || this.phase === "connected";
  }

  /**
   * Runs one turn of the program's loop: begins with the next connection, or delivers the data of the current one, and
   * then its end. A call from inside a callback takes over, and the outer one ends with that callback.
   * @param next returns the connection to begin with, called if there is none
   */
  tick(to: NetworkCallbacks, next: () => Connection | undefined): void {
    const turn = ++this.turn;
    if (this.phase === "none") {
      const connection = next();
      if (connection === undefined) return;
      this.connection = connection;
      connection.resume();
      this.phase = "accepted";
      to.onLog(this.greeting);
      if (turn !== this.turn) return;
    }
    if (this.phase === "accepted") {
      this.phase = "connected";
      to.onConnect();
      return;
    }
    let budget = this.limits.maxTickBytes;
    while (turn === this.turn) {
      if (this.phase === "left") {
        this.phase = "disconnected";
        to.onLog(CLOSED);
      } else if (this.phase === "disconnected") {
        this.phase = "none";
        try {
          to.onDisconnect();
        } finally {
          this.isEnding = false;
        }
        return;
      } else {
        const { connection } = this;
        if (connection === undefined || (connection.length > 0 && budget <= 0)) return;
        if (connection.length > 0) {
          const data = connection.take(Math.min(budget, this.limits.maxDataBytes));
          budget -= data.length;
          to.onData(data, data.length);
        } else {
          const { ending } = connection;
          if (ending === undefined) return;
          this.part("disconnected");
          this.isEnding = true;
          if (ending.type === "failed") to.onError("connection closed on error", ending.code);
          else to.onLog(CLOSED);
        }
      }
    }
  }

  /**
   * Sends data, all or nothing.
   * @param size the number of bytes of `data` to send
   */
  send(to: NetworkCallbacks | null, data: Uint8Array | string, size: number | undefined): boolean {
    if (this.connection === undefined) {
      to?.onError("can't send, not connected", -1);
      return false;
    }
    const failure = this.trySend(this.connection, data, size);
    if (failure !== undefined) to?.onError("can't send", errnoNamed(failure));
    return failure === undefined;
  }

  /** Ends the tick that is running with the callback that is running. */
  interrupt(): void {
    this.turn++;
  }

  /** Closes the connection for the program, which the next tick reports. Undelivered data is dropped. */
  leave(): void {
    if (this.isServing) this.part(this.phase === "connected" ? "left" : "none");
  }

  /** Closes the connection. No callbacks follow. */
  close(): void {
    this.interrupt();
    this.part("none");
    this.isEnding = false;
  }

  private trySend(
    connection: Connection,
    data: Uint8Array | string,
    size: number | undefined,
  ): string | undefined {
    const all = typeof data === "string" ? Buffer.from(data) : data;
    const count = size ?? all.length;
    if (!Number.isInteger(count) || count < 0 || count > all.length) return "EINVAL";
    const answer = connection.send(all.subarray(0, count));
    if (answer === "accepted") return undefined;
    return answer === "full" ? "ENOBUFS" : "EPIPE";
  }

  private part(phase: Phase): void {
    this.phase = phase;
    const { connection } = this;
    if (connection === undefined) return;
    this.connection = undefined;
    connection.leave();
    this.leaving.push(connection);
    this.leaving = this.leaving.filter((one) => !one.gone);
    if (this.leaving.length > MAX_LEAVING) this.leaving.shift()?.destroy();
  }
}
