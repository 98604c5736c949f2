import { acknowledgement, readTime, timeQuestion } from "../../protocol/games/control-messages.ts";
import { callProgram } from "../call-program.ts";
import {
  addressOf,
  type ConnectionState,
  ReconnectingSocket,
  type ReconnectOptions,
} from "../reconnecting-socket.ts";
import { checkTimes, later } from "../timers.ts";
import { Clock } from "./clock.ts";

export interface GameSocketOptions extends ReconnectOptions {
  /** The token of the seat to return to, for example from `sessionStorage`. */
  seat?: string;
  /**
   * Whether to acknowledge binary messages once `onMessage` has handled them, for a `window` with
   * `acknowledgedBy: "program"`. The server must then send binary messages only with `sendLatest`. Default true.
   */
  acknowledges?: boolean;
  /** How often to ask the server for its time, in milliseconds. Default 5 s. */
  clockEveryMs?: number;
  /** Called with each message, in order. Messages of the clock are left out. */
  onMessage?(data: string | ArrayBuffer): void;
  /** Called when the state of the connection changes. */
  onState?(state: ConnectionState): void;
  /**
   * Called when a connection has ended.
   * @returns false to stop reconnecting. Default: false for 4001, which means that another tab has taken the seat
   */
  onClose?(code: number, reason: string): boolean;
}

const REPLACED = 4001;
const CLOCK_EVERY_MS = 5_000;
/** How many questions for the time to send in quick succession when a connection begins. */
const FIRST_QUESTIONS = 5;
/** After such a silence of the server, in milliseconds, a question tests the connection. */
const SILENCE_MS = 10_000;

/**
 * A WebSocket to a game on Portico. It reconnects to its seat after growing pauses with jitter, knows the server's time,
 * and acknowledges snapshots. The server needs `answerGameClient` of `portico/games`. For browsers, Node 22 and later, Bun
 * and Deno.
 */
export class GameSocket {
  /** The server's time. It starts over with each connection. */
  readonly clock: Clock = new Clock();
  /** The token of the seat. Each connection sends it as the URL parameter `seat`. Set it when the server sends one. */
  seat: string;
  private readonly options: GameSocketOptions;
  private readonly socket: ReconnectingSocket;
  private clockTimer: ReturnType<typeof setTimeout> | undefined;
  private binaryMessages = 0;
  /** How many questions of this connection were answered; -1 before its first message. */
  private answers = -1;

  /**
   * Connects, and reconnects until {@link close}.
   * @param url such as "wss://example.com/play", or a function that is called for each attempt
   * @throws Error in a runtime without WebSocket, unless `makeSocket` is set; TypeError for an invalid URL; RangeError for
   *   an invalid time
   */
  constructor(url: string | URL | (() => string | URL), options: GameSocketOptions = {}) {
    this.options = options;
    this.seat = options.seat ?? "";
    const withSeat = (): string => {
      const full = addressOf(typeof url === "function" ? url() : url);
      if (this.seat !== "") full.searchParams.set("seat", this.seat);
      return full.href;
    };
    if (typeof url !== "function") withSeat();
    checkTimes({ clockEveryMs: options.clockEveryMs ?? CLOCK_EVERY_MS });
    this.socket = new ReconnectingSocket(withSeat, options, {
      onOpen: () => this.begin(),
      onMessage: (data) => this.receive(data),
      onClose: (code, reason) => this.onClose(code, reason),
      onState: (state) => this.options.onState?.(state),
      ping: () => timeQuestion(performance.now()),
    });
  }

  get state(): ConnectionState {
    return this.socket.state;
  }

  /** Sends a message. @returns false when no connection is open; the message is then lost */
  send(data: string | Uint8Array<ArrayBuffer>): boolean {
    return this.socket.send(data);
  }

  /** Ends the connection for good. The server keeps the seat for its `graceMs`. */
  close(): void {
    clearTimeout(this.clockTimer);
    this.socket.close();
  }

  private begin(): void {
    this.clock.reset();
    this.binaryMessages = 0;
    this.answers = -1;
  }

  private receive(data: string | ArrayBuffer): void {
    // Now the server has opened its side. Before that, its program would get the question.
    if (this.answers < 0) {
      this.answers = 0;
      this.socket.settle(SILENCE_MS);
      this.ask();
    }
    const time = typeof data === "string" ? readTime(data) : undefined;
    if (time !== undefined) {
      this.clock.add(time.sentMs, time.serverMs);
      const isFirst = ++this.answers < FIRST_QUESTIONS;
      clearTimeout(this.clockTimer);
      if (isFirst) this.ask();
      else this.clockTimer = later(() => this.ask(), this.options.clockEveryMs ?? CLOCK_EVERY_MS);
      return;
    }
    callProgram(() => this.options.onMessage?.(data));
    if (typeof data !== "string" && this.options.acknowledges !== false)
      this.send(acknowledgement(++this.binaryMessages));
  }

  private onClose(code: number, reason: string): boolean {
    clearTimeout(this.clockTimer);
    let wanted: boolean | undefined;
    callProgram(() => (wanted = this.options.onClose?.(code, reason)));
    return wanted ?? code !== REPLACED;
  }

  private ask(): void {
    this.send(timeQuestion(performance.now()));
  }
}
