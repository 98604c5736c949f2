/** How messages of `sendLatest` are acknowledged, and how many can be unacknowledged. */
export interface WindowOptions {
  /** The number of messages of `sendLatest` that can be sent before the first of them is acknowledged. */
  maxUnacked: number;
  /**
   * "pong" (default): each message is followed by a ping, whose pong acknowledges it; all browsers answer pings.
   * "message": each message from the client acknowledges one. "program": only `socket.ack` does.
   */
  acknowledgedBy?: "pong" | "message" | "program";
}

/** Checks the options. @throws RangeError for an invalid number; TypeError for another value of `acknowledgedBy` */
export function checkWindow({ maxUnacked, acknowledgedBy = "pong" }: WindowOptions): void {
  if (!(Number.isInteger(maxUnacked) && maxUnacked > 0))
    throw new RangeError(`window.maxUnacked cannot be ${maxUnacked}. Use an integer of at least 1`);
  if (!["pong", "message", "program"].includes(acknowledgedBy))
    throw new TypeError(
      `window.acknowledgedBy cannot be ${String(acknowledgedBy)}. Use "pong", "message" or "program"`,
    );
}
