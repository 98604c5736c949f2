/** How messages of `sendLatest` are acknowledged, and how many can be without. */
export interface WindowOptions {
  /** Messages of `sendLatest` that are sent before the first of them is acknowledged. */
  maxUnacked: number;
  /**
   * "pong" (default): each is followed by a ping, whose pong acknowledges it; every browser answers. "message": each message
   * of the client acknowledges one. "program": only `socket.ack` does.
   */
  acknowledgedBy?: "pong" | "message" | "program";
}

/** @throws RangeError for a number that cannot be; TypeError for another word */
export function checkWindow({ maxUnacked, acknowledgedBy = "pong" }: WindowOptions): void {
  if (!(Number.isInteger(maxUnacked) && maxUnacked > 0))
    throw new RangeError(`window.maxUnacked cannot be ${maxUnacked}: a whole number from 1 on is needed`);
  if (!["pong", "message", "program"].includes(acknowledgedBy))
    throw new TypeError(
      `window.acknowledgedBy is "pong", "message" or "program", not ${String(acknowledgedBy)}`,
    );
}
