import { LuaError } from "./errors.ts";
import type { Frame } from "./frame.ts";
import { LUA_MASKCOUNT, type LuaApi, type Pointer } from "./wasm.ts";

/** How many errors a program can catch before it is stopped. */
const PATIENCE = 8;
const MESSAGE = "too many steps without waiting";
/** How often the steps are counted. */
const STRIDE = 1_000;
/**
 * A call such as a copy of a long string is one step. So processor time counts, too, for about a tenth of what the machine can
 * do in it.
 */
const STEPS_PER_MS = 10_000;
const LEAST_MS = 50;

/**
 * Interrupts a program that runs on without waiting. It gets an error, as if a function had raised it. If it catches
 * the error and continues, the machine is stopped.
 */
export class StepLimit {
  private readonly lua: LuaApi;
  private readonly maxSteps: number;
  private readonly hook: Pointer;
  private steps = 0;
  private startedAt = 0;
  private usedBefore = process.cpuUsage();
  private errors = 0;
  /** The host prepares the machine with Lua code as well, which has no limit. */
  private isCounting = false;

  constructor(lua: LuaApi, frame: Frame, maxSteps: number) {
    this.lua = lua;
    this.maxSteps = maxSteps;
    this.hook = lua.addFunction((L) => {
      if (!this.isCounting) return undefined;
      this.steps += STRIDE;
      if (this.steps < this.maxSteps && !this.isLate()) return undefined;
      if (++this.errors > PATIENCE) throw new LuaError(`${MESSAGE}, and the program goes on after the error`);
      const caller = frame.L;
      frame.L = L;
      frame.pushText(MESSAGE);
      frame.L = caller;
      return lua._lua_error(L);
    }, "vii");
  }

  /** Counts the steps of a state and of all coroutines that it makes. */
  watch(L: Pointer): void {
    this.lua._lua_sethook(L, this.hook, LUA_MASKCOUNT, STRIDE);
  }

  /** From now on the code is the program's. */
  begin(): void {
    this.isCounting = true;
  }

  /** Begins to count from 0: the host has resumed the program. */
  restart(): void {
    this.steps = 0;
    this.errors = 0;
    this.startedAt = performance.now();
    this.usedBefore = process.cpuUsage();
  }

  /** Whether the program has used the time of its steps. */
  private isLate(): boolean {
    const maxMs = Math.max(LEAST_MS, this.maxSteps / STEPS_PER_MS);
    // Asking for processor time takes longer.
    if (performance.now() - this.startedAt < maxMs) return false;
    const { user, system } = process.cpuUsage(this.usedBefore);
    return (user + system) / 1_000 >= maxMs;
  }
}
