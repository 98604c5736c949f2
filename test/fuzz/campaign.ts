import type fc from "fast-check";
import type { Random } from "../support/random.ts";
import { reduced } from "./shrink.ts";

/** One input: what it is made of, so that it can be made smaller, and how it is to be read. */
export interface Sample<Item, Setting> {
  /** How it was made: valid, nearly, soup, random. */
  kind: string;
  items: Item[];
  setting: Setting;
  /** What must be told of a valid input. */
  expected: string | null;
}

/** What the runner needs to know of a protocol. Checks throw; what they throw says what is wrong. */
export interface Campaign<Item, Setting> {
  readonly name: string;
  /** Every outcome that inputs are to reach. */
  readonly outcomes: readonly string[];
  generate(random: Random): Sample<Item, Setting>;
  /** Reads the input in several ways, checks what holds for every input, and answers its outcome. */
  check(sample: Sample<Item, Setting>, random: Random): string;
  /** Compares with another implementation; answers the names of the explained disagreements, or null. */
  compare(sample: Sample<Item, Setting>): Promise<string | null> | string | null;
  /** Makes one item smaller or plainer. */
  readonly item: fc.Arbitrary<Item>;
  show(sample: Sample<Item, Setting>): string;
}

export interface RunOptions {
  seed: number;
  seconds: number;
  inputs: number;
  /** Number of the first input. */
  from: number;
  /** Compare every so many inputs; 0: never. */
  compareEvery: number;
  /** Leave the own checks out. */
  onlyCompare: boolean;
}

export interface Report {
  inputs: number;
  compared: number;
  seconds: number;
  /** Inputs by outcome and kind. */
  outcomes: Map<string, Map<string, number>>;
  disagreements: Map<string, number>;
  missed: string[];
}

export async function run<Item, Setting>(
  campaign: Campaign<Item, Setting>,
  random: Random,
  options: RunOptions,
): Promise<Report> {
  const report: Report = {
    inputs: 0,
    compared: 0,
    seconds: 0,
    outcomes: new Map(),
    disagreements: new Map(),
    missed: [],
  };
  const begin = performance.now();
  // Half of the inputs end in an error: their stacks would take most of the time.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    await runAll(campaign, random, options, report, begin);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
  report.seconds = (performance.now() - begin) / 1000;
  if (!options.onlyCompare) {
    report.missed = campaign.outcomes.filter((outcome) => !report.outcomes.has(outcome));
  }
  return report;
}

async function runAll<Item, Setting>(
  campaign: Campaign<Item, Setting>,
  random: Random,
  options: RunOptions,
  report: Report,
  begin: number,
): Promise<void> {
  const { seed, from, compareEvery, onlyCompare } = options;
  while (report.inputs < options.inputs) {
    // The clock is read, and the event loop runs, once in a while only.
    if (report.inputs % 512 === 0) {
      report.seconds = (performance.now() - begin) / 1000;
      if (report.seconds > options.seconds) break;
      await new Promise(setImmediate);
    }
    const index = from + report.inputs;
    const sample = campaign.generate(random.begin(seed, index));
    report.inputs += 1;
    try {
      if (!onlyCompare) count(report.outcomes, campaign.check(sample, random), sample.kind);
      if (compareEvery > 0 && index % compareEvery === 0) {
        report.compared += 1;
        const answer = campaign.compare(sample);
        const explained = answer instanceof Promise ? await answer : answer;
        if (explained !== null) {
          report.disagreements.set(explained, (report.disagreements.get(explained) ?? 0) + 1);
        }
      }
    } catch (error) {
      throw await reduced(campaign, sample, `seed ${seed}, input ${index}`, error);
    }
  }
}

function count(table: Map<string, Map<string, number>>, outcome: string, kind: string): void {
  const row = table.get(outcome) ?? new Map<string, number>();
  table.set(outcome, row);
  row.set(kind, (row.get(kind) ?? 0) + 1);
}
