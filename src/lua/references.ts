import { type LuaApi, type Pointer, REGISTRY } from "./wasm.ts";

/** Lua values that the host remembers, in the registry. Numbers of released ones are used again. */
export class References {
  private readonly lua: LuaApi;
  private readonly free: number[] = [];
  private last = 0;

  constructor(lua: LuaApi) {
    this.lua = lua;
  }

  /** Takes the value on top of a stack. */
  keep(L: Pointer): number {
    const reference = this.free.pop() ?? ++this.last;
    // Threads are kept below their addresses, which are larger and even: these numbers are odd.
    this.lua._lua_rawsetp(L, REGISTRY, reference * 2 + 1);
    return reference;
  }

  push(L: Pointer, reference: number): void {
    this.lua._lua_rawgetp(L, REGISTRY, reference * 2 + 1);
  }

  release(L: Pointer, reference: number): void {
    this.lua._lua_pushnil(L);
    this.lua._lua_rawsetp(L, REGISTRY, reference * 2 + 1);
    this.free.push(reference);
  }
}
