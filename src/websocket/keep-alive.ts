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
  | "WS_WRITE_TIMEOUT"
  | "WS_PONG_TIMEOUT"
  | "close timeout";

/** The state of these deadlines. Each WebSocket has its own: as an object next to it, it would take 64 bytes more. */
export interface Deadlines {
  deadline: number;
  isPinged: boolean;
  /** The tick in which it was opened. */
  readonly bornAt: number;
  /** When a closing connection ends, even if it still receives data. */
  lastTick: number;
  stallDetector: WriteStallDetector | undefined;
  readonly transport: Transport;
  readonly isOpen: boolean;
}

/** The deadlines of WebSockets with the same timeouts. */
export class KeepAlive {
  readonly timer: DeadlineTimer;
  private readonly limits: Limits;
  private readonly agreement: HandshakeResult;

  constructor(limits: Limits, timer: DeadlineTimer, agreement: HandshakeResult) {
    this.limits = limits;
    this.timer = timer;
    this.agreement = agreement;
  }

  /** The shortest timeout that differs from the server's, in milliseconds; Infinity if there is none. */
  get shortestMs(): number {
    const never = Number.POSITIVE_INFINITY;
    const { idleTimeoutMs = 0, pongTimeoutMs = 0, writeTimeoutMs = 0 } = this.agreement;
    return Math.min(idleTimeoutMs || never, pongTimeoutMs || never, writeTimeoutMs || never);
  }

  /** Notes traffic. */
  touch(of: Deadlines): void {
    of.isPinged = false;
    of.deadline = this.timer.after(this.idleTimeoutMs);
  }

  /** Begins to wait for the client to close. Without a timeout it would stay forever. */
  startClosing(of: Deadlines): void {
    of.lastTick = this.timer.after(this.limits.lingerTimeoutMs);
    this.renewClosing(of);
  }

  /** Restarts the time to close, within limits, because a client that is still sending cannot answer yet. */
  renewClosing(of: Deadlines): void {
    of.deadline = Math.min(this.timer.after(this.limits.closeTimeoutMs), of.lastTick);
  }

  /** Restarts the running deadline, because the client could not send, or is still receiving waiting data. */
  renew(of: Deadlines): void {
    if (of.isOpen) this.touch(of);
    else this.startClosing(of);
  }

  /**
   * Returns the action that is due in this tick. A ping that is due counts as sent.
   * @param isHeard whether data from the client is read
   */
  check(of: Deadlines, tick: number, isHeard: boolean): Due {
    const { limits, timer } = this;
    const { transport, isOpen } = of;
    const { writeTimeoutMs = limits.writeTimeoutMs, pongTimeoutMs = limits.pongTimeoutMs } = this.agreement;
    of.stallDetector = WriteStallDetector.for(transport, of.stallDetector);
    if (of.stallDetector?.isStalled(transport, timer, writeTimeoutMs) === true) return "WS_WRITE_TIMEOUT";
    if (isOpen && limits.webSocketLifetimeMs > 0) {
      const end = of.bornAt + timer.after(limits.webSocketLifetimeMs) - timer.tick;
      if (tick > end) return "lifetime";
    }
    // A client that is still taking what waits for it is alive.
    if (transport.pendingBytes > 0) this.renew(of);
    if (tick <= of.deadline) return "nothing";
    if (!isOpen) return "close timeout";
    if (!isHeard) return "look";
    const isPatient = pongTimeoutMs === 0 || pongTimeoutMs === Number.POSITIVE_INFINITY;
    if (of.isPinged && !isPatient) return "WS_PONG_TIMEOUT";
    of.isPinged = true;
    of.deadline = timer.after(isPatient ? this.idleTimeoutMs : pongTimeoutMs);
    return "ping";
  }

  private get idleTimeoutMs(): number {
    return this.agreement.idleTimeoutMs ?? this.limits.webSocketIdleTimeoutMs;
  }
}
