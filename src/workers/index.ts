export type { WorkerEvent, WorkersOptions } from "./run-workers.ts";
export { runWorkers } from "./run-workers.ts";
export type { Worker } from "./worker.ts";
export { worker } from "./worker.ts";
