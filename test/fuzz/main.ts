// npm run fuzz -- http|websocket [--seconds N] [--seed S] [--inputs N] [--from N] [--compare N] [--differential]
import { parseArgs } from "node:util";
import { Random } from "../support/random.ts";
import { type Campaign, type Report, type RunOptions, run } from "./campaign.ts";
import { http } from "./http.ts";
import { webSocket } from "./websocket.ts";

const USAGE =
  "usage: npm run fuzz -- http|websocket [--seconds N] [--seed S] [--inputs N] [--from N] [--compare N] [--differential]\n" +
  "  --from N        number of the first input: one input is repeated with its seed, its number and --inputs 1\n" +
  "  --compare N     compare every Nth input with node:http or ws (5); 0: none\n" +
  "  --differential  only compare, every input";

function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seconds: { type: "string", default: "50" },
      seed: { type: "string" },
      inputs: { type: "string", default: "Infinity" },
      from: { type: "string", default: "0" },
      compare: { type: "string", default: "5" },
      differential: { type: "boolean", default: false },
    },
  });
  const options: RunOptions = {
    seed: Number(values.seed ?? Math.floor(Math.random() * 2 ** 31)),
    seconds: Number(values.seconds),
    inputs: Number(values.inputs),
    from: Number(values.from),
    compareEvery: values.differential ? 1 : Number(values.compare),
    onlyCompare: values.differential,
  };
  if (Object.values(options).some((value) => Number.isNaN(value))) throw new Error(USAGE);
  if (positionals[0] === "http") return report(http, options);
  if (positionals[0] === "websocket") return report(webSocket, options);
  throw new Error(USAGE);
}

async function report<Item, Setting>(campaign: Campaign<Item, Setting>, options: RunOptions): Promise<void> {
  const { seed, from } = options;
  console.log(`${campaign.name}: seed ${seed}, inputs from ${from}`);
  const result = await run(campaign, new Random(), options);
  const rate = Math.round(result.inputs / result.seconds).toLocaleString("en");
  console.log(
    `${result.inputs.toLocaleString("en")} inputs in ${result.seconds.toFixed(1)} s (${rate}/s), ` +
      `${result.compared.toLocaleString("en")} compared`,
  );
  printOutcomes(result);
  for (const [name, times] of sorted(result.disagreements)) {
    console.log(`${String(times).padStart(9)}  explained: ${name}`);
  }
  if (result.missed.length > 0) console.log(`not reached: ${result.missed.join(", ")}`);
}

function printOutcomes({ outcomes }: Report): void {
  const kinds = ["valid", "nearly", "soup", "random"];
  if (outcomes.size > 0) console.log(`${kinds.map((kind) => kind.padStart(9)).join("")}  outcome`);
  for (const [outcome, row] of [...outcomes].sort(([a], [b]) => (a < b ? -1 : 1))) {
    console.log(`${kinds.map((kind) => String(row.get(kind) ?? 0).padStart(9)).join("")}  ${outcome}`);
  }
}

function sorted(table: Map<string, number>): [string, number][] {
  return [...table].sort(([, a], [, b]) => b - a);
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
