import type { LuaApi } from "./wasm.ts";

/** What Lua 5.4 compares the text of a float with, to add ".0" to one that looks like an integer. */
const DIGITS = Buffer.from("\0-0123456789\0");

/**
 * Has 10 / 2 printed as "5", as Lua 5.1 does, also where a number is joined to a string. Lua 5.4 decides that by a constant in
 * its memory, which no option changes; where it is not found, "5.0" is printed.
 */
export function showFloatsAsIn51(lua: LuaApi): void {
  const memory = Buffer.from(lua.HEAPU8.buffer);
  const at = memory.indexOf(DIGITS);
  if (at >= 0) memory[at + 1] = 0;
}
