import type { LuaApi, Pointer } from "./wasm.ts";

/**
 * An allocator for `lua_newstate` that refuses memory beyond a limit. Lua collects garbage then, and raises "not enough
 * memory" if that does not help.
 * @param limit the host switches it off while it pushes values by itself: there is nobody who could catch the error
 */
export function limitMemory(lua: LuaApi, maxBytes: number, limit: { readonly isEnforced: boolean }): Pointer {
  let used = 0;
  const allocate = (_data: number, at: Pointer, oldBytes: number, newBytes: number): Pointer => {
    const before = at === 0 ? 0 : oldBytes;
    if (newBytes === 0) {
      lua._free(at);
      used -= before;
      return 0;
    }
    if (limit.isEnforced && newBytes > before && used + newBytes - before > maxBytes) return 0;
    const moved = lua._realloc(at, newBytes);
    if (moved !== 0) used += newBytes - before;
    return moved;
  };
  return lua.addFunction(allocate, "iiiii");
}
