/** What a process that works together with others adds to its servers. */
export interface Fleet {
  /** The number of this process, from 1. */
  readonly worker: number;
  /** @param server has just been made */
  onServer(server: object): void;
  /** @param listener accepts connections from now on */
  onListening(listener: FleetListener): void;
  /**
   * Asks this process and all others.
   * @param timeoutMs how long to wait for them
   * @param detail what the question is about; it is copied
   */
  ask(name: string, timeoutMs: number, detail?: unknown): Promise<FleetAnswers>;
  /** Sets what this process answers when it is asked for a name. An answer undefined is left out. */
  answer(name: string, answer: (detail: unknown) => unknown): void;
}

export interface FleetListener {
  readonly port: number;
  close(): void;
}

export interface FleetAnswers {
  readonly values: readonly unknown[];
  /** Processes that did not answer in time. */
  readonly missing: number;
}

let current: Fleet | undefined;

/** The processes that this one works together with; undefined when it is alone. */
export function fleet(): Fleet | undefined {
  return current;
}

/** @internal Makes this process one of several. */
export function joinFleet(joined: Fleet): void {
  current = joined;
}
