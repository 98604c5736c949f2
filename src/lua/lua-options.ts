import type { Limits } from "../evo/index.ts";
import type { OptionNames } from "../options/check-options.ts";

export interface LuaOptions {
  /** Which runtime the program is written for. */
  flavour: "evo" | "craftos";
  /** The folder whose files the program can read and write; default the current one. */
  folder?: string;
  /** A literal address that servers of the program bind; all addresses when absent. */
  host?: string;
  /** Limits of its servers that differ from the defaults. */
  limits?: Partial<Limits>;
  /** Bytes that the values of the program can hold; unlimited when absent. Beyond, it gets the error "not enough memory". */
  maxMemoryBytes?: number;
  /**
   * Steps of the machine that the program can make in one go, before it waits or ends; unlimited when absent. Processor time
   * counts, too: 1 ms for each 10,000 steps. Beyond, it gets the error "too many steps without waiting". Counting makes
   * calculations about half as fast.
   */
  maxSteps?: number;
  /** For CraftOS: a folder with a ROM, which the program sees as `/rom`. */
  rom?: string;
  /** Receives what the program prints. Default: standard output. */
  write?: (data: Buffer) => unknown;
  /** Receives what it prints as errors. Default: standard error. */
  writeError?: (data: Buffer) => unknown;
  /**
   * Called with errors that reach the top of a callback, and the program goes on. When absent, such an error ends it, as it
   * does in the originals.
   */
  onError?: (error: unknown) => unknown;
}

export const luaOptionNames: OptionNames<LuaOptions> = {
  flavour: true,
  folder: true,
  host: true,
  limits: true,
  maxMemoryBytes: true,
  maxSteps: true,
  rom: true,
  write: true,
  writeError: true,
  onError: true,
};

/** @throws RangeError for a number that is not whole and above 0 */
export function limitOf(name: string, value: number | undefined): number | undefined {
  if (value === undefined || (Number.isSafeInteger(value) && value > 0)) return value;
  throw new RangeError(`${name} is ${value}: give a whole number above 0`);
}
