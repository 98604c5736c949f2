import type { Limits } from "../evo/index.ts";
import type { OptionNames } from "../options/check-options.ts";

export interface LuaOptions {
  /** The runtime that the program is written for. */
  flavour: "evo" | "craftos";
  /** The folder whose files the program can read and write. Default: the current working directory. */
  folder?: string;
  /** The IP address that the program's servers listen on. Default: all addresses. */
  host?: string;
  /** Limits of the program's servers that differ from the defaults. */
  limits?: Partial<Limits>;
  /**
   * How much memory the program's values can use, in bytes. Beyond it the program gets the error "not enough memory".
   * Default: no limit.
   */
  maxMemoryBytes?: number;
  /**
   * How many virtual machine steps the program can run before it waits or ends. Beyond it the program gets the error
   * "too many steps without waiting". Counting makes calculations about half as fast. Default: no limit.
   */
  maxSteps?: number;
  /** For CraftOS: a folder with a ROM, which appears as `/rom`. */
  rom?: string;
  /** Receives the output of the program. Default: standard output. */
  write?: (data: Buffer) => unknown;
  /** Receives the error output of the program. Default: standard error. */
  writeError?: (data: Buffer) => unknown;
  /**
   * Receives uncaught errors of callbacks, and the program continues. Without it such an error ends the program, as in
   * the originals.
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

/** Checks a limit. @throws RangeError for a value that is not a positive integer */
export function limitOf(name: string, value: number | undefined): number | undefined {
  if (value === undefined || (Number.isSafeInteger(value) && value > 0)) return value;
  throw new RangeError(`${name} is ${value}. Use an integer above 0`);
}
