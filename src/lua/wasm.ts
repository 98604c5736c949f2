import { LuaLoadError } from "./errors.ts";

/** A pointer into the memory of the machine: a `lua_State`, a string, a function. */
export type Pointer = number;

/** The parts of Lua's C API (Lua 5.4 manual, sections 4 and 5) and of its module that are used. */
export interface LuaApi {
  readonly HEAPU8: Uint8Array;
  readonly HEAPU32: Uint32Array;
  addFunction(code: (...parameters: number[]) => number | undefined, signature: string): Pointer;
  _malloc(bytes: number): Pointer;
  _realloc(at: Pointer, bytes: number): Pointer;
  _free(at: Pointer): void;
  _luaL_loadbufferx(L: Pointer, code: Pointer, bytes: number, name: Pointer, mode: Pointer): number;
  _luaL_newstate(): Pointer;
  _luaL_requiref(L: Pointer, name: Pointer, open: Pointer, global: number): void;
  _luaL_traceback(L: Pointer, of: Pointer, message: Pointer, level: number): void;
  _luaL_where(L: Pointer, level: number): void;
  _lua_checkstack(L: Pointer, values: number): number;
  _lua_createtable(L: Pointer, items: number, fields: number): void;
  _lua_error(L: Pointer): number;
  _lua_getmetatable(L: Pointer, at: number): number;
  _lua_newstate(allocator: Pointer, data: Pointer): Pointer;
  _lua_newthread(L: Pointer): Pointer;
  _lua_next(L: Pointer, at: number): number;
  _lua_gettop(L: Pointer): number;
  _lua_pushboolean(L: Pointer, value: number): void;
  _lua_pushcclosure(L: Pointer, code: Pointer, upvalues: number): void;
  _lua_pushlstring(L: Pointer, text: Pointer, bytes: number): Pointer;
  _lua_pushnil(L: Pointer): void;
  _lua_pushnumber(L: Pointer, value: number): void;
  _lua_pushvalue(L: Pointer, at: number): void;
  _lua_rawgetp(L: Pointer, at: number, key: Pointer): number;
  _lua_rawlen(L: Pointer, at: number): bigint;
  _lua_rawset(L: Pointer, at: number): void;
  _lua_rawsetp(L: Pointer, at: number, key: Pointer): void;
  _lua_resume(L: Pointer, from: Pointer, values: number, results: Pointer): number;
  _lua_rotate(L: Pointer, at: number, by: number): void;
  _lua_setglobal(L: Pointer, name: Pointer): void;
  _lua_sethook(L: Pointer, hook: Pointer, mask: number, count: number): void;
  _lua_settop(L: Pointer, top: number): void;
  _lua_toboolean(L: Pointer, at: number): number;
  _lua_tolstring(L: Pointer, at: number, length: Pointer): Pointer;
  _lua_tonumberx(L: Pointer, at: number, isNumber: Pointer): number;
  _lua_topointer(L: Pointer, at: number): Pointer;
  _lua_type(L: Pointer, at: number): number;
  _lua_xmove(from: Pointer, to: Pointer, values: number): void;
  _luaopen_base(L: Pointer): number;
  _luaopen_coroutine(L: Pointer): number;
  _luaopen_debug(L: Pointer): number;
  _luaopen_math(L: Pointer): number;
  _luaopen_string(L: Pointer): number;
  _luaopen_table(L: Pointer): number;
  _luaopen_utf8(L: Pointer): number;
}

/** The names of the API, which a later version of the package might lack. */
const NAMES: Readonly<Record<keyof LuaApi, true>> = {
  HEAPU8: true,
  HEAPU32: true,
  addFunction: true,
  _malloc: true,
  _realloc: true,
  _free: true,
  _luaL_loadbufferx: true,
  _luaL_newstate: true,
  _luaL_requiref: true,
  _luaL_traceback: true,
  _luaL_where: true,
  _lua_checkstack: true,
  _lua_createtable: true,
  _lua_error: true,
  _lua_getmetatable: true,
  _lua_newstate: true,
  _lua_newthread: true,
  _lua_next: true,
  _lua_gettop: true,
  _lua_pushboolean: true,
  _lua_pushcclosure: true,
  _lua_pushlstring: true,
  _lua_pushnil: true,
  _lua_pushnumber: true,
  _lua_pushvalue: true,
  _lua_rawgetp: true,
  _lua_rawlen: true,
  _lua_rawset: true,
  _lua_rawsetp: true,
  _lua_resume: true,
  _lua_rotate: true,
  _lua_setglobal: true,
  _lua_sethook: true,
  _lua_settop: true,
  _lua_toboolean: true,
  _lua_tolstring: true,
  _lua_tonumberx: true,
  _lua_topointer: true,
  _lua_type: true,
  _lua_xmove: true,
  _luaopen_base: true,
  _luaopen_coroutine: true,
  _luaopen_debug: true,
  _luaopen_math: true,
  _luaopen_string: true,
  _luaopen_table: true,
  _luaopen_utf8: true,
};

export const LUA_OK = 0;
export const LUA_YIELD = 1;
/** `lua_type`. */
export const LuaType = {
  nil: 0,
  boolean: 1,
  number: 3,
  string: 4,
  table: 5,
  function: 6,
} as const;
/** Names of all types, by number. */
export const TYPE_NAMES = [
  "nil",
  "boolean",
  "userdata",
  "number",
  "string",
  "table",
  "function",
  "userdata",
  "thread",
] as const;
/** The pseudo-index of the registry. The upvalues of a C function lie below. */
export const REGISTRY = -1_001_000;
export const LUA_MASKCOUNT = 8;

/**
 * Loads a new machine with separate memory.
 * @throws LuaLoadError when the package is missing or has another interface
 */
export async function loadLua(): Promise<LuaApi> {
  let wasmoon: typeof import("wasmoon");
  try {
    wasmoon = await import("wasmoon");
  } catch (error) {
    throw new LuaLoadError("Lua programs need the package wasmoon. Install it: npm install wasmoon", {
      cause: error,
    });
  }
  const { module } = await wasmoon.LuaWasm.initialize();
  if (isLuaApi(module)) return module;
  throw new LuaLoadError(
    "This version of the package wasmoon has another interface. Install the version that Portico names in its peerDependencies.",
  );
}

function isLuaApi(module: object): module is LuaApi {
  return Object.keys(NAMES).every((name) => name in module);
}
