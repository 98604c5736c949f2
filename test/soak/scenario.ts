import type { Random } from "../support/random.ts";

/** Where the server is. */
export interface Target {
  readonly plain: number;
  readonly secure: number;
}

export interface Context {
  readonly target: Target;
  readonly random: Random;
}

/** One kind of traffic. */
export interface Scenario {
  readonly name: string;
  /** How often it is chosen, beside the others. */
  readonly weight: number;
  /** @throws when a byte is not as it should be */
  readonly run: (context: Context) => Promise<void>;
}
