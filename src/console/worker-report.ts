import type { BrokerStatus } from "../index.ts";
import type { EventRow, LimitRow, Sample, Totals } from "./messages.ts";

/** One second of a worker, which pages of any worker can show. It is copied between processes. */
export interface WorkerReport {
  /** The number of the worker; 0 without workers. */
  readonly worker: number;
  readonly pid: number;
  readonly sample: Sample;
  /** How long the responses of the second took, see `Durations`. */
  readonly durations: readonly number[];
  readonly totals: Totals;
  readonly routes: readonly RouteReport[];
  /** The topics with the most subscribers. */
  readonly topics: readonly { readonly name: string; readonly members: number }[];
  readonly topicCount: number;
  readonly limits: readonly LimitRow[];
  /** The newest last. */
  readonly events: readonly EventBatch[];
  readonly broker: BrokerStatus | undefined;
}

/** The events of one second. */
export interface EventBatch {
  readonly number: number;
  readonly rows: readonly EventRow[];
  readonly skipped: number;
}

/** Responses of a route in the last half to one minute. */
export interface RouteReport {
  readonly route: string;
  /** The time that is counted. */
  readonly seconds: number;
  readonly responses: number;
  readonly errors: number;
  readonly aborted: number;
  /** Responses since somebody looks on. */
  readonly count: number;
  readonly durations: readonly number[];
}
