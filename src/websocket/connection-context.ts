import type { Connection } from "../limits/connection.ts";
import type { Counters } from "../limits/counters.ts";
import type { DeadlineTimer } from "../limits/deadline-timer.ts";
import type { IncompleteBytes } from "../limits/incomplete-bytes.ts";
import type { Limits } from "../limits/limits.ts";

/** The part of a server, or of a client, that a WebSocket's connection uses. */
export interface ConnectionContext {
  readonly limits: Limits;
  readonly counters: Counters;
  readonly timer: DeadlineTimer;
  readonly incompleteBytes: IncompleteBytes;
  /** Whether the program has paused the whole server. */
  readonly isPaused: boolean;
  /** Called with received bytes. A full queue pauses the connection. */
  onInput(connection: Connection, bytes: number): void;
  onWebSocketAttached(connection: Connection): void;
  onConnectionClosed(connection: Connection): void;
}

/** Receives the events of a connection: the WebSocket as the program sees it. */
export interface ConnectionOwner {
  onOpen(): void;
  /** Called with a message. @param isBorrowed whether the data lies in memory that is reused after the call */
  onMessage(data: Buffer, binary: boolean, isBorrowed: boolean): void;
  /** @param data Valid until the handler returns. Copy it to keep it. */
  onPing(data: Buffer): void;
  /** @param data Valid until the handler returns. Copy it to keep it. */
  onPong(data: Buffer): void;
  onDrain(): void;
  /** Called once, when the connection has ended for the program. */
  onClose(code: number, reason: string): void;
}
