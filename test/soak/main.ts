import { parseArgs } from "node:util";
import { soak } from "./soak.ts";

// npm run soak -- [--seconds N] [--seed S] [--rate R] [--concurrency C] [--every N]

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: "1" },
    rate: { type: "string", default: "150" },
    concurrency: { type: "string", default: "8" },
    every: { type: "string", default: "10" },
  },
});
const held = await soak({
  seconds: Number(values.seconds),
  seed: Number(values.seed),
  rate: Number(values.rate),
  concurrency: Number(values.concurrency),
  everySeconds: Number(values.every),
});
process.exitCode = held ? 0 : 1;
