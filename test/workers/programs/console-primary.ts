import { runWorkers } from "portico/workers";

const print = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
await runWorkers({ module: new URL("./console-app.ts", import.meta.url), workers: 2, onEvent: print });
