import { runWorkers } from "../../../src/workers/index.ts";

// The primary of the tests: prints each event as a line of JSON.
const print = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
const options = JSON.parse(process.env["OPTIONS"] ?? "{}") as object;
const module = new URL(`./${process.env["PROGRAM"] ?? "app.ts"}`, import.meta.url);
await runWorkers({ module, onEvent: print, ...options });
print({ type: "ended" });
