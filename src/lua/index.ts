export type { Limits } from "../limits/limits.ts";
export { LuaError, LuaLoadError } from "./errors.ts";
export type { Lua, LuaModule } from "./lua.ts";
export { createLua } from "./lua.ts";
export type { LuaOptions } from "./lua-options.ts";
export type { LuaFunction } from "./values.ts";
