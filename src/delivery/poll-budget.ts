import { checkOptions, type OptionNames } from "../options/check-options.ts";

/** Limits of one poll. */
export interface PollBudget {
  /** The number of events. Default: all that waited when the poll began. */
  maxEvents?: number;
  /** The time after which no further event is started, in milliseconds. One event always runs. Default: no limit. */
  maxMs?: number;
}

const budgetNames: OptionNames<PollBudget> = { maxEvents: true, maxMs: true };
const UNLIMITED: Required<PollBudget> = {
  maxEvents: Number.POSITIVE_INFINITY,
  maxMs: Number.POSITIVE_INFINITY,
};

/** Fills in the defaults. @throws RangeError for a number below 0; TypeError for an unknown option */
export function budgetOf(given: number | PollBudget | undefined): Required<PollBudget> {
  if (given === undefined) return UNLIMITED;
  if (typeof given !== "number") checkOptions("poll", given, budgetNames);
  const budget = { ...UNLIMITED, ...(typeof given === "number" ? { maxEvents: given } : given) };
  for (const [name, value] of Object.entries(budget)) {
    if (!(value >= 0))
      throw new RangeError(`${name} of a poll cannot be ${value}. Use a number of at least 0`);
  }
  return budget;
}
