import type { DeadlineTimer } from "../limits/deadline-timer.ts";
import type { Limits } from "../limits/limits.ts";
import { WriteStallDetector } from "../limits/slow-client.ts";
import type { Transport } from "../transport/transport.ts";
import type { HandshakeResult } from "./handshake-result.ts";

/**
 * An action that is due. "ping": after silence. "look": checks a client that is not read from, so it could not answer a
 * ping. "lifetime": ends a connection that is too old. The timeouts end a client that reads nothing, has not answered a
 * ping, or has not closed after the server.
 */
export type Due =
  | "nothing"
  | "look"
  | "ping"
  | "lifetime"
  | "write timeout"
  | "pong timeout"
  | "close timeout";

/** The deadlines of one WebSocket. */
export class KeepAlive {
  private readonly limits: Limits;
  private readonly timer: DeadlineTimer;
  private readonly agreement: HandshakeResult;
  private stallDetector: WriteStallDetector | undefined = undefined;
  private readonly bornAt: number;
  private isPinged = false;
  private deadline = 0;
  /** When a closing connection ends, even if it still receives data. */
  private lastTick = 0;

  constructor(limits: Limits, timer: DeadlineTimer, agreement: HandshakeResult) {
    this.limits = limits;
    this.timer = timer;
    this.agreement = agreement;
    this.bornAt = timer.tick;
  }

  /** The shortest timeout that differs from the server's, in milliseconds; Infinity if there is none. */
  get shortestMs(): number {
    const never = Number.POSITIVE_INFINITY;
    const { idleTimeoutMs = 0, pongTimeoutMs = 0, writeTimeoutMs = 0 } = this.agreement;
    return Math.min(idleTimeoutMs || never, pongTimeoutMs || never, writeTimeoutMs || never);
  }

  /** Notes traffic. */
  touch(): void {
    this.isPinged = false;
    this.deadline = this.timer.after(this.idleTimeoutMs);
  }

  /** Begins to wait for the client to close. Without a timeout it would stay forever. */
  startClosing(): void {
    this.lastTick = this.timer.after(this.limits.lingerTimeoutMs);
    this.renewClosing();
  }

  /** Restarts the time to close, within limits, because a client that is still sending cannot answer yet. */
  renewClosing(): void {
    this.deadline = Math.min(this.timer.after(this.limits.closeTimeoutMs), this.lastTick);
  }

  /** Restarts the running deadline, because the client could not send, or is still receiving waiting data. */
  renew(isOpen: boolean): void {
    if (isOpen) this.touch();
    else this.startClosing();
  }

  /**
   * Returns the action that is due in this tick. A ping that is due counts as sent.
   * @param isHeard whether data from the client is read
   */
  check(tick: number, transport: Transport, isOpen: boolean, isHeard: boolean): Due {
    const { limits, timer } = this;
    const { writeTimeoutMs = limits.writeTimeoutMs, pongTimeoutMs = limits.pongTimeoutMs } = this.agreement;
    this.stallDetector = WriteStallDetector.for(transport, this.stallDetector);
    if (this.stallDetector?.isStalled(transport, timer, writeTimeoutMs) === true) return "write timeout";
    if (isOpen && limits.webSocketLifetimeMs > 0) {
      const end = this.bornAt + timer.after(limits.webSocketLifetimeMs) - timer.tick;
      if (tick > end) return "lifetime";
    }
    // A client that is still taking what waits for it is alive.
    if (transport.pendingBytes > 0) this.renew(isOpen);
    if (tick <= this.deadline) return "nothing";
    if (!isOpen) return "close timeout";
    if (!isHeard) return "look";
    const isPatient = pongTimeoutMs === 0 || pongTimeoutMs === Number.POSITIVE_INFINITY;
    if (this.isPinged && !isPatient) return "pong timeout";
    this.isPinged = true;
    this.deadline = timer.after(isPatient ? this.idleTimeoutMs : pongTimeoutMs);
    return "ping";
  }

  private get idleTimeoutMs(): number {
    return this.agreement.idleTimeoutMs ?? this.limits.webSocketIdleTimeoutMs;
  }
}
