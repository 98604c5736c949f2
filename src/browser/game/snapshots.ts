export interface SnapshotsOptions {
  /**
   * How far behind the server's time to show states, in milliseconds, so that there is nearly always one on either side.
   * Default 100: three ticks at 30 ticks per second.
   */
  delayMs?: number;
  /** How many states to keep. Default 60. */
  maxStates?: number;
}

/** The two states around a moment, and where the moment is between them: `share` is 0 at `from`, and 1 at `to`. */
export interface Between<State> {
  readonly from: State;
  readonly to: State;
  readonly share: number;
}

/** Keeps the states that a server sends a few times per second, so that a page can show smooth movement between them. */
export class Snapshots<State> {
  /** See {@link SnapshotsOptions}. You can change it, for example to follow the jitter of the connection. */
  delayMs: number;
  private readonly maxStates: number;
  private states: { readonly timeMs: number; readonly state: State }[] = [];

  /** @throws RangeError for a negative `delayMs`, and for a `maxStates` below 2 */
  constructor({ delayMs = 100, maxStates = 60 }: SnapshotsOptions = {}) {
    if (!(delayMs >= 0)) throw new RangeError(`delayMs cannot be ${delayMs}. Use a number of at least 0`);
    if (!(maxStates >= 2))
      throw new RangeError(`maxStates cannot be ${maxStates}. Use a number of at least 2`);
    this.delayMs = delayMs;
    this.maxStates = maxStates;
  }

  /** The newest state. */
  get latest(): State | undefined {
    return this.states.at(-1)?.state;
  }

  /**
   * Adds a state. States that arrive late or twice are sorted into their place.
   * @param timeMs the server's time of the state, in milliseconds
   */
  add(timeMs: number, state: State): void {
    const { states } = this;
    let at = states.length;
    while (at > 0 && (states[at - 1]?.timeMs ?? 0) > timeMs) at--;
    states.splice(at, 0, { timeMs, state });
    if (states.length > this.maxStates) states.shift();
  }

  /**
   * Returns the states around the moment {@link delayMs} before the server's time. Before the first state, both are the
   * first one; after the newest, both are the newest.
   * @param serverMs the server's time, such as that of the clock, in milliseconds
   * @returns undefined without states
   */
  at(serverMs: number): Between<State> | undefined {
    const { states } = this;
    const timeMs = serverMs - this.delayMs;
    const next = states.findIndex((each) => each.timeMs >= timeMs);
    const to = next < 0 ? states.at(-1) : states[next];
    if (to === undefined) return undefined;
    const from = next > 0 ? states[next - 1] : to;
    if (from === undefined || from === to) return { from: to.state, to: to.state, share: 1 };
    return { from: from.state, to: to.state, share: (timeMs - from.timeMs) / (to.timeMs - from.timeMs) };
  }

  /** Forgets all states, for example after a reconnection. */
  clear(): void {
    this.states = [];
  }
}
