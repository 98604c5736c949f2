// The first module of a worker's process. It is given to Node by name.
import { fileURLToPath } from "node:url";
import { worker } from "./worker.ts";

if (worker === undefined) throw new Error("This module is started by runWorkers.");
const url = worker.module;
process.argv[1] = fileURLToPath(url);
await import(url);
worker.ready();
