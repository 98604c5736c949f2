export interface SnapshotsOptions {
  /**
   * How far behind the server's time states are shown, in milliseconds, so that there is nearly always one on either side.
   * Default 100: three ticks of 30 a second.
   */
  delayMs?: number;
  /** States that are kept. Default 60. */
  maxStates?: number;
}

/** The two states around a moment, and how far between them it is: 0 at `from`, 1 at `to`. */
export interface Between<State> {
  readonly from: State;
  readonly to: State;
  readonly share: number;
}

/** Keeps the states that a server sends a few times a second, so that a page can show what moves between them. */
export class Snapshots<State> {
  /** See {@link SnapshotsOptions}. It can be changed, such as to the jitter of the connection. */
  delayMs: number;
  private readonly maxStates: number;
  private states: { readonly timeMs: number; readonly state: State }[] = [];

  /** @throws RangeError for a number that cannot be */
  constructor({ delayMs = 100, maxStates = 60 }: SnapshotsOptions = {}) {
    if (!(delayMs >= 0)) throw new RangeError(`delayMs cannot be ${delayMs}: a number from 0 on is needed`);
    if (!(maxStates >= 2)) throw new RangeError(`maxStates cannot be ${maxStates}: at least 2 are needed`);
    this.delayMs = delayMs;
    this.maxStates = maxStates;
  }

  /** The newest state. */
  get latest(): State | undefined {
    return this.states.at(-1)?.state;
  }

  /** Adds a state. One that comes twice, or after newer ones, goes to its place. @param timeMs the server's time of it */
  add(timeMs: number, state: State): void {
    const { states } = this;
    let at = states.length;
    while (at > 0 && (states[at - 1]?.timeMs ?? 0) > timeMs) at--;
    states.splice(at, 0, { timeMs, state });
    if (states.length > this.maxStates) states.shift();
  }

  /**
   * Returns the states around a moment {@link delayMs} before the server's time. Before the first state, and after the
   * newest, both are that one.
   * @param serverMs such as that of the clock
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

  /** Forgets all states, such as those of another connection. */
  clear(): void {
    this.states = [];
  }
}
