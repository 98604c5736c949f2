import { LuaError } from "./errors.ts";
import { Frame } from "./frame.ts";
import { limitMemory } from "./memory-limit.ts";
import { showFloatsAsIn51 } from "./number-text.ts";
import { References } from "./references.ts";
import { StepLimit } from "./step-limit.ts";
import { LUA_OK, LUA_YIELD, type LuaApi, loadLua, type Pointer, REGISTRY } from "./wasm.ts";

/** A function of the host. It reads its parameters from the frame, pushes its results and returns their number. */
export type HostFunction = (frame: Frame) => number;

export interface MachineOptions {
  /** How much memory a program's values can use, in bytes. Default: no limit. */
  readonly maxMemoryBytes?: number | undefined;
  /** How many steps a program can run before it waits or ends. Default: no limit. */
  readonly maxSteps?: number | undefined;
}

/** A Lua coroutine that the host runs. */
export interface Thread {
  readonly L: Pointer;
}

/** How a thread stopped, and the number of values on its stack. */
export interface Stop {
  readonly hasEnded: boolean;
  readonly values: number;
}

/** The name of Portico's chunks. Errors in them are reported at the place in the program that called them. */
export const OWN_CHUNK = "[portico]";
/** What `longjmp` throws through JavaScript in the wasm of Lua. */
const LONG_JUMP = Infinity;

/**
 * A Lua machine with a state for one program. Values cross the border as numbers, booleans, bytes and references; Lua code
 * runs in threads, which can wait in the middle of any call. It knows nothing of servers.
 */
export class Machine {
  readonly frame: Frame;
  private readonly lua: LuaApi;
  private readonly main: Pointer;
  private readonly functions: HostFunction[] = [];
  private readonly references: References;
  private readonly dispatcher: Pointer;
  private readonly results: Pointer;
  private readonly idle: Thread[] = [];
  private readonly steps: StepLimit | undefined;
  private readonly memory: { isEnforced: boolean };
  private depth = 0;
  /** The coroutine that has called the host, while it waits for the answer. */
  private caller: Pointer = 0;
  private death: LuaError | undefined;

  static async create(options: MachineOptions = {}): Promise<Machine> {
    return new Machine(await loadLua(), options);
  }

  private constructor(lua: LuaApi, options: MachineOptions) {
    this.lua = lua;
    this.memory = { isEnforced: false };
    showFloatsAsIn51(lua);
    this.main =
      options.maxMemoryBytes === undefined
        ? lua._luaL_newstate()
        : lua._lua_newstate(limitMemory(lua, options.maxMemoryBytes, this.memory), 0);
    this.references = new References(lua);
    this.frame = new Frame(lua, this.references);
    this.frame.L = this.main;
    this.results = lua._malloc(4);
    this.dispatcher = lua.addFunction((L) => this.dispatch(L), "ii");
    if (options.maxSteps !== undefined) this.steps = new StepLimit(lua, this.frame, options.maxSteps);
    this.openLibraries();
    this.steps?.watch(this.main);
  }

  /** Whether a program was stopped while it ran. The machine can then no longer be used. */
  get isDead(): boolean {
    return this.death !== undefined;
  }

  /** Limits the steps from now on. */
  beginProgram(): void {
    this.steps?.begin();
  }

  /** Sets a global table of host functions. */
  define(name: string, functions: Readonly<Record<string, HostFunction>>): void {
    const { frame, lua } = this;
    frame.L = this.main;
    lua._lua_createtable(this.main, 0, Object.keys(functions).length);
    for (const key of Object.keys(functions)) {
      const code = functions[key];
      if (code === undefined) continue;
      frame.pushText(key);
      this.pushFunction(code);
      lua._lua_rawset(this.main, -3);
    }
    this.withText(name, (at) => lua._lua_setglobal(this.main, at));
  }

  /** Pushes a host function on the stack of the frame. It stays for the life of the machine. */
  pushFunction(code: HostFunction): void {
    this.frame.pushNumber(this.functions.push(code) - 1);
    this.lua._lua_pushcclosure(this.frame.L, this.dispatcher, 1);
  }

  /**
   * Compiles a chunk.
   * @param name as in Lua: "@server.lua" is a file, "=stdin" is shown as it is
   * @returns a reference to its function
   * @throws LuaError for a syntax error
   */
  load(code: Uint8Array, name: string): number {
    const { lua, frame } = this;
    const at = lua._malloc(Math.max(1, code.length));
    lua.HEAPU8.set(code, at);
    frame.L = this.main;
    try {
      const status = this.withText(name, (chunk) =>
        this.withText("t", (mode) => lua._luaL_loadbufferx(this.main, at, code.length, chunk, mode)),
      );
      if (status === LUA_OK) return this.references.keep(this.main);
      throw this.takeError(this.main);
    } finally {
      lua._free(at);
    }
  }

  /**
   * Creates a thread that starts with a kept function. Push its parameters on {@link frame}, then {@link resume} it.
   */
  prepare(reference: number): Thread {
    if (this.death !== undefined) throw this.death;
    const thread = this.idle.pop() ?? this.newThread();
    this.frame.L = thread.L;
    this.frame.pushKept(reference);
    return thread;
  }

  /**
   * Runs a thread until it ends or waits. Its results, or what it yields, are on {@link frame} then; take them, and call
   * {@link recycle} when it has ended.
   * @param values how many values were pushed on its stack
   * @throws LuaError what the program raised; the thread has ended then
   */
  resume(thread: Thread, values: number): Stop {
    if (this.death !== undefined) throw this.death;
    const { lua } = this;
    if (this.depth++ === 0) this.steps?.restart();
    this.memory.isEnforced = true;
    let status: number;
    try {
      status = lua._lua_resume(thread.L, this.caller, values, this.results);
    } catch (error) {
      // The stack of the machine was left as it was, in the middle of something.
      this.death = error instanceof LuaError ? error : new LuaError(String(error), "", { cause: error });
      throw this.death;
    } finally {
      if (--this.depth === 0) this.memory.isEnforced = false;
    }
    this.frame.L = thread.L;
    if (status !== LUA_OK && status !== LUA_YIELD) {
      const error = this.takeError(thread.L);
      // It is not used again: after an error of the step limit, its steps would no longer be counted.
      lua._lua_pushnil(this.main);
      lua._lua_rawsetp(this.main, REGISTRY, thread.L);
      throw error;
    }
    return { hasEnded: status === LUA_OK, values: lua.HEAPU32[this.results >> 2] ?? 0 };
  }

  /** Returns a thread that has ended to the machine. */
  recycle(thread: Thread): void {
    this.lua._lua_settop(thread.L, 0);
    this.idle.push(thread);
  }

  /** Forgets a kept value. */
  release(reference: number): void {
    this.references.release(this.main, reference);
  }

  private openLibraries(): void {
    const { lua, main } = this;
    const open = (name: string, code: (L: Pointer) => number): void => {
      const at = lua.addFunction(code, "ii");
      this.withText(name, (text) => lua._luaL_requiref(main, text, at, 1));
    };
    // Without io, os and package, which reach what is outside of the machine.
    open("_G", (L) => lua._luaopen_base(L));
    open("coroutine", (L) => lua._luaopen_coroutine(L));
    open("debug", (L) => lua._luaopen_debug(L));
    open("math", (L) => lua._luaopen_math(L));
    open("string", (L) => lua._luaopen_string(L));
    open("table", (L) => lua._luaopen_table(L));
    open("utf8", (L) => lua._luaopen_utf8(L));
    lua._lua_settop(main, 0);
  }

  private newThread(): Thread {
    const { lua, main } = this;
    const L = lua._lua_newthread(main);
    // The registry keeps it, as long as the machine exists.
    lua._lua_rawsetp(main, REGISTRY, L);
    return { L };
  }

  /** Runs a host function that Lua has called. */
  private dispatch(L: Pointer): number {
    const { frame, lua, caller } = this;
    const { L: outer } = frame;
    frame.L = L;
    this.caller = L;
    try {
      const code = this.functions[lua._lua_tonumberx(L, REGISTRY - 1, 0)];
      if (code === undefined) throw new TypeError("attempt to call an unknown function of the host");
      return code(frame);
    } catch (error) {
      if (error === LONG_JUMP || this.death !== undefined) throw error;
      frame.pushUtf8(error instanceof LuaError ? error.message : `${this.place(L)}${messageOf(error)}`);
    } finally {
      this.caller = caller;
      frame.L = outer;
    }
    return lua._lua_error(L);
  }

  /** "server.lua:3: ", the place in the program that has called the host. */
  private place(L: Pointer): string {
    for (let level = 1; ; level++) {
      this.lua._luaL_where(L, level);
      const place = this.frame.utf8(-1);
      this.lua._lua_settop(L, -2);
      if (!place.startsWith(OWN_CHUNK)) return place;
    }
  }

  /** The error on top of a stack, with the traceback of the functions that are still on it. */
  private takeError(L: Pointer): LuaError {
    const { frame, lua } = this;
    frame.L = L;
    const message =
      lua._lua_tolstring(L, -1, 0) === 0 ? `(error object is a ${frame.typeName(-1)} value)` : frame.utf8(-1);
    lua._lua_settop(L, -2);
    lua._luaL_traceback(L, L, 0, 0);
    const traceback = frame.utf8(-1);
    lua._lua_settop(L, -2);
    return new LuaError(placed(message, traceback), traceback);
  }

  private withText<Result>(text: string, use: (at: Pointer) => Result): Result {
    const bytes = Buffer.from(`${text}\0`);
    const at = this.lua._malloc(bytes.length);
    this.lua.HEAPU8.set(bytes, at);
    try {
      return use(at);
    } finally {
      this.lua._free(at);
    }
  }
}

/** A message that names a place in the chunks of Portico names the program's call instead. */
function placed(message: string, traceback: string): string {
  if (!message.startsWith(`${OWN_CHUNK}:`)) return message;
  const [, place = ""] = /\n\t(?!\[)(.*?:\d+: )in /.exec(traceback) ?? [];
  return message.replace(/^\S+:\d+: /, place);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
