import type { DeadlineTimer } from "../limits/deadline-timer.ts";
import type { Limits } from "../limits/limits.ts";
import { WriteStallDetector } from "../limits/slow-client.ts";
import type { Transport } from "../transport/transport.ts";
import type { HandshakeResult } from "./handshake-result.ts";

/**
 * What is due: a ping after silence, or a look at a client that is not read from and could not answer one; the end of a
 * connection that is too old; or that of a client that takes nothing, has not answered a ping, or has not closed after us.
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
  private stallDetector: WriteStallDetector | undefined;
  private readonly bornAt: number;
  private isPinged = false;
  private deadline = 0;
  /** When a closing connection ends, whatever still comes. */
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

  /** There was traffic. */
  touch(): void {
    this.isPinged = false;
    this.deadline = this.timer.after(this.idleTimeoutMs);
  }

  /** Begins to wait for the client to close; without a timeout it would stay for ever. */
  startClosing(): void {
    this.lastTick = this.timer.after(this.limits.lingerTimeoutMs);
    this.renewClosing();
  }

  /** A client that is still sending cannot answer yet: its time to close begins again, within bounds. */
  renewClosing(): void {
    this.deadline = Math.min(this.timer.after(this.limits.closeTimeoutMs), this.lastTick);
  }

  /** Starts the running deadline again: the client could not send, or is still taking what waits for it. */
  renew(isOpen: boolean): void {
    if (isOpen) this.touch();
    else this.startClosing();
  }

  /**
   * Says what is due in this tick; a ping that is due counts as sent.
   * @param isHeard whether what the client sends is read
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
