import { randomBytes } from "node:crypto";
import { ChurnMap } from "../bytes/churn-map.ts";
import { callHandler } from "../delivery/call-handler.ts";
import type { WebSocket } from "../exchange/exchange.ts";
import { checkOptions, type OptionNames } from "../options/check-options.ts";

/**
 * "taken": the client is connected. "away": the client is disconnected, and the seat waits for it. "free": the seat has
 * been given up.
 */
export type SeatState = "taken" | "away" | "free";

/** A place for one client, which outlives its connection. */
export interface Seat<Data = unknown> {
  /** The secret of the seat. Send it only to its client: any client with the token gets the seat. */
  readonly token: string;
  /** The program's data. */
  data: Data;
  readonly state: SeatState;
  /** The client's connection; undefined while it is away. */
  readonly socket: WebSocket | undefined;
}

export interface SeatEvents<Data> {
  /** Called when a client has connected to its seat, for the first time or again. */
  onTaken?(seat: Seat<Data>, isBack: boolean): unknown;
  /** Called when the client has disconnected. The seat waits for it. */
  onAway?(seat: Seat<Data>): unknown;
  /** Called when the seat is free again: the client did not come back in time, or {@link Seats.leave} was called. */
  onFree?(seat: Seat<Data>): unknown;
}

export interface SeatsOptions<Data> extends SeatEvents<Data> {
  /** How long a seat waits for its client, in milliseconds. */
  graceMs: number;
  /** The largest number of seats, including waiting ones. Default 1,000. */
  maxSeats?: number;
  /** The close code for a connection whose seat was taken by another, such as a second tab. Default 4001. */
  replacedCode?: number;
  /** Receives errors and rejections of the functions above. Default: they are thrown. */
  onError?(error: unknown): unknown;
  /** Returns the time in milliseconds since any fixed point. Default `performance.now`. */
  now?(): number;
}

const optionNames: OptionNames<SeatsOptions<unknown>> = {
  graceMs: true,
  maxSeats: true,
  replacedCode: true,
  onTaken: true,
  onAway: true,
  onFree: true,
  onError: true,
  now: true,
};

/** A seat that can be serialized, for example as JSON, if its data can. */
export interface SavedSeat<Data = unknown> {
  readonly token: string;
  readonly data: Data;
}

const TOKEN_BYTES = 24;
const DEFAULT_SEATS = 1_000;
const REPLACED = 4001;

interface OwnSeat<Data> extends Seat<Data> {
  state: SeatState;
  socket: WebSocket | undefined;
  /** When it is given up, while it is away. */
  expiresAt: number;
  leave: () => void;
}

/**
 * Keeps places for clients whose connections break. Call {@link update} in each tick, or from a timer, to free the
 * seats of clients that did not come back in time. The functions in the options run inside your calls, or before the
 * handler `close` of a WebSocket, so your loop stays in control.
 */
export class Seats<Data = unknown> {
  private readonly options: SeatsOptions<Data>;
  private readonly seats = new ChurnMap<string, OwnSeat<Data>>();
  private readonly now: () => number;

  /** @throws TypeError for an unknown option; RangeError for an invalid number */
  constructor(options: SeatsOptions<Data>) {
    checkOptions("Seats", options, optionNames);
    const { graceMs, maxSeats = DEFAULT_SEATS } = options;
    if (!(graceMs >= 0)) throw new RangeError(`graceMs cannot be ${graceMs}. Use a number of at least 0`);
    if (!(maxSeats >= 1)) throw new RangeError(`maxSeats cannot be ${maxSeats}. Use a number of at least 1`);
    this.options = options;
    this.now = options.now ?? (() => performance.now());
  }

  /** The number of seats, including waiting ones. */
  get size(): number {
    return this.seats.size;
  }

  /** All seats, the oldest first. */
  [Symbol.iterator](): IterableIterator<Seat<Data>> {
    return this.seats.values();
  }

  /** Returns the seat of a token, or undefined. */
  find(token: string): Seat<Data> | undefined {
    return this.seats.get(token);
  }

  /**
   * Gives a client a new seat.
   * @returns undefined if all seats are taken, or the socket is not open
   */
  take(socket: WebSocket, data: Data): Seat<Data> | undefined {
    if (this.seats.size >= (this.options.maxSeats ?? DEFAULT_SEATS) || socket.readyState !== "open")
      return undefined;
    const seat = this.make(randomBytes(TOKEN_BYTES).toString("base64url"), data);
    this.connect(seat, socket, false);
    return seat;
  }

  /**
   * Gives a returning client its seat. A connection that still has the seat is closed with `replacedCode`.
   * @param token the token of the seat, as received from the client
   * @returns undefined if the seat no longer exists, or the socket is not open
   */
  resume(token: string, socket: WebSocket): Seat<Data> | undefined {
    const seat = this.seats.get(token);
    if (seat === undefined || socket.readyState !== "open") return undefined;
    if (seat.socket === socket) return seat;
    const { socket: former } = seat;
    this.disconnect(seat);
    try {
      this.connect(seat, socket, true);
    } finally {
      // Last: its handler `close` can call anything here.
      former?.closeNow(this.options.replacedCode ?? REPLACED, "replaced");
    }
    return seat;
  }

  /** Frees a seat at once. Its connection stays open. @returns false if it was already free */
  leave(seat: Seat<Data>): boolean {
    const own = this.seats.get(seat.token);
    if (own === undefined || own !== seat) return false;
    this.disconnect(own);
    this.free(own);
    return true;
  }

  /** Frees the seats whose clients have not come back in time. @returns their number */
  update(): number {
    const now = this.now();
    let count = 0;
    for (const seat of this.seats.values()) {
      if (seat.state !== "away" || seat.expiresAt > now) continue;
      count++;
      this.free(seat);
    }
    return count;
  }

  /**
   * Returns all seats for {@link restore}, for example in another process after a restart. Keep them secret: they
   * contain the tokens.
   */
  save(): SavedSeat<Data>[] {
    return [...this.seats.values()].map(({ token, data }) => ({ token, data }));
  }

  /**
   * Adds saved seats. Their clients are away, and each has the full time to come back.
   * @throws TypeError for a value that is not from `save`. RangeError for more than `maxSeats`; then no seat is added
   */
  restore(saved: readonly SavedSeat<Data>[]): void {
    for (const seat of saved) {
      if (typeof seat?.token !== "string" || seat.token === "")
        throw new TypeError("a saved seat needs a token. Pass the result of save()");
    }
    const count = this.seats.size + saved.length;
    if (count > (this.options.maxSeats ?? DEFAULT_SEATS))
      throw new RangeError(
        `${count} seats are more than maxSeats (${this.options.maxSeats ?? DEFAULT_SEATS})`,
      );
    for (const { token, data } of saved) if (!this.seats.has(token)) this.make(token, data);
  }

  private make(token: string, data: Data): OwnSeat<Data> {
    const expiresAt = this.now() + this.options.graceMs;
    const seat: OwnSeat<Data> = { token, data, state: "away", socket: undefined, expiresAt, leave: () => {} };
    this.seats.set(token, seat);
    return seat;
  }

  private connect(seat: OwnSeat<Data>, socket: WebSocket, isBack: boolean): void {
    seat.state = "taken";
    seat.socket = socket;
    seat.leave = () => {
      this.disconnect(seat);
      seat.state = "away";
      seat.expiresAt = this.now() + this.options.graceMs;
      this.emit(() => this.options.onAway?.(seat));
    };
    socket.driver.addCloseListener(seat.leave);
    this.emit(() => this.options.onTaken?.(seat, isBack));
  }

  private disconnect(seat: OwnSeat<Data>): void {
    seat.socket?.driver.removeCloseListener(seat.leave);
    seat.socket = undefined;
  }

  private free(seat: OwnSeat<Data>): void {
    seat.state = "free";
    this.seats.delete(seat.token);
    this.emit(() => this.options.onFree?.(seat));
  }

  private emit(call: () => unknown): void {
    const { onError } = this.options;
    if (onError === undefined) call();
    else callHandler(call, onError);
  }
}
