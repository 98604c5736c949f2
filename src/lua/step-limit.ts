import { LuaError } from "./errors.ts";
import type { Frame } from "./frame.ts";
import { LUA_MASKCOUNT, type LuaApi, type Pointer } from "./wasm.ts";

/** How many errors a program can catch before it is stopped. */
const PATIENCE = 8;
const MESSAGE = "too many steps without waiting";

/**
 * Interrupts a program that runs on without waiting. It gets an error, as if a function had raised it. If it catches
 * the error and continues, the machine is stopped.
 */
export class StepLimit {
  private readonly lua: LuaApi;
  private readonly stride: number;
  private readonly maxSteps: number;
  private readonly hook: Pointer;
  private steps = 0;
  private errors = 0;

  constructor(lua: LuaApi, frame: Frame, maxSteps: number) {
    this.lua = lua;
    this.maxSteps = maxSteps;
    this.stride = Math.max(1_000, Math.min(100_000, Math.ceil(maxSteps / 10)));
    this.hook = lua.addFunction((L) => {
      this.steps += this.stride;
      if (this.steps < this.maxSteps) return undefined;
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
    this.lua._lua_sethook(L, this.hook, LUA_MASKCOUNT, this.stride);
  }

  /** Begins to count from 0: the host has resumed the program. */
  restart(): void {
    this.steps = 0;
    this.errors = 0;
  }
}
