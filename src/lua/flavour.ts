import type { Limits } from "../evo/index.ts";
import type { Folder } from "./folder.ts";
import type { Frame } from "./frame.ts";
import type { HostFunction, Machine, Thread } from "./machine.ts";
import type { Tasks } from "./tasks.ts";

/** What a flavour works with. */
export interface Surroundings {
  readonly machine: Machine;
  readonly tasks: Tasks;
  readonly folder: Folder;
  readonly host: string | undefined;
  readonly limits: Partial<Limits> | undefined;
  readonly rom: string | undefined;
  /** Called with each file that is loaded as a part of the program. */
  readonly onModule: (path: string) => void;
  /** Prints bytes, each of which is a character of the text. */
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
  /** Called with errors that reach the top of a callback. */
  readonly onError: (error: unknown) => void;
  /** Called once the program has ended. */
  readonly onEnd: (exitCode: number) => void;
}

/** A runtime that programs are written for. */
export interface Flavour {
  /** Functions of the table `host`. */
  readonly functions: Readonly<Record<string, HostFunction>>;
  /** Chunks that run first, in this order. They leave functions in `host`. */
  readonly chunks: readonly string[];
  /** Takes the functions that the chunks have left. */
  begin(find: (name: string) => number): void;
  /** Called when a task waits. */
  onWait?(thread: Thread): void;
  runMain(code: Uint8Array, name: string, parameters: readonly string[]): void;
  /**
   * Lets Lua wait for a promise.
   * @returns the number that `host.await` is called with
   */
  await(promise: Promise<unknown>, push: (frame: Frame, value: unknown) => void): number;
  /** Takes over what another program has opened, as far as that is possible. */
  takeOver?(previous: Flavour): void;
  /** Closes what the program has opened. */
  stop(): Promise<void>;
}
