import { type Supervisor, supervisor } from "../processes/supervisor.ts";

/**
 * How processes and threads share a port: each binds for itself (SO_REUSEPORT). Where that is missing, processes share
 * through node:cluster and threads through one descriptor.
 */
export type Sharing = "alone" | "reuse" | "descriptor";

/** The task of a process or thread, which its supervisor passes on. */
export interface WorkerConfig {
  readonly kind: "facil";
  /** The number of its call of `start_http_server` in the program, from 1. */
  readonly call: number;
  readonly sharing: Sharing;
  readonly port: number;
  /** The descriptor of the process, for its threads. */
  readonly fd?: number;
}

/** The supervisor of a process or thread that this module has started. */
export interface FacilSupervisor extends Supervisor {
  readonly config: WorkerConfig;
}

/** Undefined in the process that the user has started. */
export const facilSupervisor: FacilSupervisor | undefined = isOurs(supervisor) ? supervisor : undefined;

function isOurs(given: Supervisor | undefined): given is FacilSupervisor {
  return given?.config.kind === "facil";
}
