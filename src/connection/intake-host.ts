import type { Connection } from "../limits/connection.ts";
import type { Deadline } from "./deadline.ts";
import type { StreamOwner } from "./http1-stream.ts";

/** The connection that has an intake. What must stay while it has none is here. */
export interface IntakeHost extends Connection, StreamOwner {
  readonly deadline: Deadline;
  /** The client has ended its half: no request follows those that have arrived. */
  hasEnded: boolean;
  /** Requests so far. */
  requests: number;
  /** Work since it last waited for its turn. */
  steps: number;
}
