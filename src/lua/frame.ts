import { type LuaApi, LuaType, type Pointer, TYPE_NAMES } from "./wasm.ts";

/** Strings up to this size, in bytes, are copied to the machine through memory that is allocated once. */
const SCRATCH_BYTES = 65_536;

/** Remembers Lua values for the host. */
export interface References {
  /** Removes the value on top of a stack and keeps it. */
  keep(L: Pointer): number;
  push(L: Pointer, reference: number): void;
}

/**
 * The stack of a Lua coroutine: the parameters of a host function, from 1 on, and its results. A Lua string is bytes.
 * As JavaScript text it has one character for each byte (Latin-1), so no byte is lost or changed.
 */
export class Frame {
  /** The coroutine that the calls below are about. */
  L: Pointer = 0;
  private readonly lua: LuaApi;
  private readonly references: References;
  private readonly scratch: Pointer;
  private readonly sizeAt: Pointer;
  private memory: Buffer;

  constructor(lua: LuaApi, references: References) {
    this.lua = lua;
    this.references = references;
    this.scratch = lua._malloc(SCRATCH_BYTES);
    this.sizeAt = lua._malloc(4);
    this.memory = Buffer.from(lua.HEAPU8.buffer);
  }

  /** The number of values on the stack. */
  get count(): number {
    return this.lua._lua_gettop(this.L);
  }

  set count(values: number) {
    this.lua._lua_settop(this.L, values);
  }

  type(at: number): number {
    return this.lua._lua_type(this.L, at);
  }

  /** The name of a value's type, as Lua's `type` returns it. */
  typeName(at: number): string {
    return TYPE_NAMES[this.type(at)] ?? "no value";
  }

  /** Whether there is no value, or nil. */
  isNil(at: number): boolean {
    return this.type(at) <= LuaType.nil;
  }

  /** Whether a value is true in Lua: neither false nor nil. */
  isTruthy(at: number): boolean {
    return this.lua._lua_toboolean(this.L, at) !== 0;
  }

  /** @throws TypeError for a value that is not a number, or text that is not one */
  number(at: number): number {
    this.lua.HEAPU32[this.sizeAt >> 2] = 0;
    const value = this.lua._lua_tonumberx(this.L, at, this.sizeAt);
    if (this.lua.HEAPU32[this.sizeAt >> 2] === 0) throw this.badArgument(at, "number");
    return value;
  }

  /** Returns a number, or `other` if the value is absent or nil. */
  numberOr<Other>(at: number, other: Other): number | Other {
    return this.isNil(at) ? other : this.number(at);
  }

  /**
   * Returns the bytes of a string as text, one character for each byte.
   * @throws TypeError for a value that is neither a string nor a number
   */
  text(at: number): string {
    const start = this.locate(at);
    return this.view().toString("latin1", start, start + this.found);
  }

  textOr<Other>(at: number, other: Other): string | Other {
    return this.isNil(at) ? other : this.text(at);
  }

  /** A string in UTF-8 as text. */
  utf8(at: number): string {
    const start = this.locate(at);
    return this.view().toString("utf8", start, start + this.found);
  }

  /** The bytes of a string. Valid until something is pushed. Copy them to keep them. */
  borrowedBytes(at: number): Buffer {
    const start = this.locate(at);
    return this.view().subarray(start, start + this.found);
  }

  /** A copy of the bytes of a string. */
  bytes(at: number): Buffer {
    const start = this.locate(at);
    const copy = Buffer.allocUnsafe(this.found);
    this.view().copy(copy, 0, start, start + this.found);
    return copy;
  }

  /** Remembers a value, which stays in the machine until it is released. */
  keep(at: number): number {
    this.lua._lua_pushvalue(this.L, at);
    return this.references.keep(this.L);
  }

  pushNil(): void {
    this.lua._lua_pushnil(this.L);
  }

  pushBoolean(value: boolean): void {
    this.lua._lua_pushboolean(this.L, value ? 1 : 0);
  }

  pushNumber(value: number): void {
    this.lua._lua_pushnumber(this.L, value);
  }

  /** Pushes text, one byte for each character. Higher bits are lost: use {@link pushUtf8} for other text. */
  pushText(text: string): void {
    const bytes = text.length;
    const at = bytes <= SCRATCH_BYTES ? this.scratch : this.lua._malloc(bytes);
    this.view().write(text, at, "latin1");
    this.pushAndFree(at, bytes);
  }

  /** Pushes text in UTF-8. */
  pushUtf8(text: string): void {
    this.pushBytes(Buffer.from(text));
  }

  pushBytes(data: Uint8Array): void {
    const at = data.length <= SCRATCH_BYTES ? this.scratch : this.lua._malloc(data.length);
    this.view().set(data, at);
    this.pushAndFree(at, data.length);
  }

  /** Pushes a value of the stack once more. */
  pushCopy(at: number): void {
    this.lua._lua_pushvalue(this.L, at);
  }

  /** Pushes a value that was kept. */
  pushKept(reference: number): void {
    this.references.push(this.L, reference);
  }

  /** Pushes an empty table. Fill it with {@link setItem} and {@link setField}. */
  pushTable(items: number, fields: number): void {
    this.lua._lua_checkstack(this.L, 4);
    this.lua._lua_createtable(this.L, items, fields);
  }

  /** Puts the value on top of the stack into the table below it, which has it as its item `index`. */
  setItem(index: number): void {
    this.pushNumber(index);
    this.lua._lua_rotate(this.L, -2, 1);
    this.lua._lua_rawset(this.L, -3);
  }

  /** Puts the value on top of the stack into the table below it, under a name in UTF-8. */
  setField(name: string): void {
    this.pushUtf8(name);
    this.lua._lua_rotate(this.L, -2, 1);
    this.lua._lua_rawset(this.L, -3);
  }

  /** Goes through a table: `visit` finds a copy of the key at -2 and the value at -1. */
  forEach(at: number, visit: () => void): void {
    const table = at < 0 ? this.count + 1 + at : at;
    this.lua._lua_checkstack(this.L, 6);
    this.pushNil();
    while (this.lua._lua_next(this.L, table) !== 0) {
      // Reading a number as text would change the key in its place, and the traversal with it.
      const top = this.count;
      this.lua._lua_pushvalue(this.L, -2);
      this.lua._lua_pushvalue(this.L, -2);
      visit();
      this.lua._lua_settop(this.L, top - 1);
    }
  }

  /** The number of items of a table, as `#` counts them without metamethods. */
  length(at: number): number {
    return Number(this.lua._lua_rawlen(this.L, at));
  }

  /** Identifies a table or function. */
  identity(at: number): number {
    return this.lua._lua_topointer(this.L, at);
  }

  /** Identifies the metatable of a table; 0 where there is none. */
  metatableIdentity(at: number): number {
    if (this.lua._lua_getmetatable(this.L, at) === 0) return 0;
    const identity = this.identity(-1);
    this.lua._lua_settop(this.L, -2);
    return identity;
  }

  /** Pushes a table of texts by name. */
  pushRecord(record: Readonly<Record<string, string>>): void {
    this.pushTable(0, 8);
    for (const name of Object.keys(record)) {
      this.pushText(record[name] ?? "");
      this.setField(name);
    }
  }

  /** Pushes a list of texts. */
  pushList(texts: readonly string[]): void {
    this.pushTable(texts.length, 0);
    texts.forEach((text, index) => {
      this.pushText(text);
      this.setItem(index + 1);
    });
  }

  /** The names and values of a table of texts; an empty record where there is none. */
  record(at: number): Record<string, string> {
    const record: Record<string, string> = {};
    if (this.isNil(at)) return record;
    if (this.type(at) !== LuaType.table) throw this.badArgument(at, "table");
    this.forEach(at, () => {
      record[this.text(-2)] = this.text(-1);
    });
    return record;
  }

  badArgument(at: number, wanted: string): TypeError {
    return new TypeError(`bad argument #${at} (${wanted} expected, got ${this.typeName(at)})`);
  }

  /** Bytes of the string that was located last. */
  private found = 0;

  private locate(at: number): Pointer {
    const start = this.lua._lua_tolstring(this.L, at, this.sizeAt);
    if (start === 0) throw this.badArgument(at, "string");
    this.found = this.lua.HEAPU32[this.sizeAt >> 2] ?? 0;
    return start;
  }

  private pushAndFree(at: Pointer, bytes: number): void {
    try {
      this.lua._lua_pushlstring(this.L, at, bytes);
    } finally {
      if (at !== this.scratch) this.lua._free(at);
    }
  }

  /** The memory of the machine, which is another buffer after it has grown. */
  private view(): Buffer {
    const { buffer } = this.lua.HEAPU8;
    if (this.memory.buffer !== buffer) this.memory = Buffer.from(buffer);
    return this.memory;
  }
}
