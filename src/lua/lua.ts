import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { NO_BYTES } from "../bytes/no-bytes.ts";
import { isThenable } from "../delivery/call-handler.ts";
import { checkOptions } from "../options/check-options.ts";
import { COMPAT } from "./compat.ts";
import { CraftosFlavour } from "./craftos/flavour.ts";
import { EvoFlavour } from "./evo/flavour.ts";
import type { Flavour, Surroundings } from "./flavour.ts";
import { Folder } from "./folder.ts";
import type { Frame } from "./frame.ts";
import { LIMITS } from "./limits-prelude.ts";
import { type LuaOptions, limitOf, luaOptionNames } from "./lua-options.ts";
import { Machine, OWN_CHUNK } from "./machine.ts";
import { MODULES } from "./modules-prelude.ts";
import { matchPattern } from "./pattern.ts";
import { NOTHING, Tasks } from "./tasks.ts";
import { Values } from "./values.ts";

/** Functions that a Node program provides to a Lua program. */
export type LuaModule = Readonly<Record<string, (...parameters: never[]) => unknown>>;

/** A host for one Lua program. */
export class Lua implements AsyncDisposable {
  private readonly machine: Machine;
  private readonly tasks: Tasks;
  private readonly values: Values;
  private readonly flavour: Flavour;
  private readonly folder: Folder;
  private readonly callGlobalCode: number;
  private readonly addModuleCode: number;
  private readonly loaded = new Set<string>();
  private hasStarted = false;
  private isEnded = false;
  private finish: { resolve(exitCode: number): void; reject(error: unknown): void } | undefined;

  /** @internal Made by {@link createLua}. */
  constructor(machine: Machine, options: LuaOptions) {
    this.machine = machine;
    this.tasks = new Tasks(machine);
    this.values = new Values(machine, this.tasks);
    this.folder = new Folder(options.folder ?? ".");
    const {
      write = (data) => process.stdout.write(data),
      writeError = (data) => process.stderr.write(data),
      onError,
    } = options;
    const around: Surroundings = {
      machine,
      tasks: this.tasks,
      folder: this.folder,
      host: options.host,
      limits: options.limits,
      rom: options.rom,
      onModule: (path) => void this.loaded.add(path),
      write: (text) => void write(Buffer.from(text, "latin1")),
      writeError: (text) => void writeError(Buffer.from(text, "latin1")),
      onError: (error) => {
        if (onError !== undefined && !machine.isDead) onError(error);
        else this.fail(error);
      },
      onEnd: (exitCode) => this.end(exitCode),
    };
    this.flavour = options.flavour === "evo" ? new EvoFlavour(around) : new CraftosFlavour(around);
    this.tasks.onWait = (thread) => this.flavour.onWait?.(thread);
    machine.define("host", {
      print(frame) {
        around.write(`${frame.text(1)}\n`);
        return 0;
      },
      write(frame) {
        around.write(frame.text(1));
        return 0;
      },
      writeError(frame) {
        around.writeError(frame.text(1));
        return 0;
      },
      matchPattern,
      ...this.flavour.functions,
    });
    const limits = options.maxSteps === undefined ? [] : [LIMITS];
    for (const chunk of [COMPAT, ...limits, ...this.flavour.chunks, MODULES]) this.runOwn(chunk);
    const find = (name: string): number => this.findOwn(name);
    this.flavour.begin(find);
    this.callGlobalCode = find("callGlobal");
    this.addModuleCode = find("addModule");
    this.runOwn("host = nil");
  }

  /**
   * Provides functions to the program as the module `name`, for `require(name)`. Numbers, booleans, UTF-8 text, lists
   * and plain objects pass in both directions. Lua functions become functions that return a promise. If a function
   * returns a promise, the Lua call waits for it.
   */
  module(name: string, functions: LuaModule): void {
    this.tasks.start(
      this.addModuleCode,
      (frame) => {
        frame.pushUtf8(name);
        frame.pushTable(0, 8);
        for (const key of Object.keys(functions)) {
          const call = functions[key];
          if (typeof call !== "function") throw new TypeError(`${name}.${key} is not a function`);
          this.machine.pushFunction((stack) =>
            this.callHost(stack, call as (...parameters: unknown[]) => unknown),
          );
          frame.setField(key);
        }
        return 2;
      },
      { onError: rethrow },
    );
  }

  /**
   * Runs a program from a file until it has ended: its main chunk has returned, and nothing is left to wait for.
   * @returns the exit code, 0 unless the program calls `os.exit`
   * @throws LuaError for an uncaught error; the system's error if the file cannot be read
   */
  runFile(path: string, ...parameters: string[]): Promise<number> {
    return this.run(readFileSync(resolve(path)), `@${path}`, ...parameters);
  }

  /**
   * Runs a program.
   * @param name the name for messages, as in Lua: "@server.lua" is a file
   * @param parameters the program's arguments, `...` in Lua
   * @throws LuaError for an uncaught error
   */
  run(code: string | Uint8Array, name: string, ...parameters: string[]): Promise<number> {
    if (this.hasStarted)
      throw new Error("This Lua has already run a program. Create another one for another program.");
    this.hasStarted = true;
    this.machine.beginProgram();
    return new Promise((resolve, reject) => {
      this.finish = { resolve, reject };
      const bytes = typeof code === "string" ? Buffer.from(code) : Buffer.from(code);
      this.flavour.runMain(withoutShebang(bytes), name, parameters);
    });
  }

  /**
   * Ends another program and gives its servers to this one, which has not run yet. `StartListening` with the same port
   * then continues the server with its connections and WebSockets. Servers that the new main chunk does not use are
   * stopped. CraftOS programs do not pass on their servers. Call `run` right after this, because the other program no
   * longer answers.
   */
  takeOver(previous: Lua): void {
    this.flavour.takeOver?.(previous.flavour);
    void previous.close();
  }

  /** Compiles a program without running it. @throws LuaError for a syntax error */
  check(code: string | Uint8Array, name: string): void {
    const bytes = typeof code === "string" ? Buffer.from(code) : Buffer.from(code);
    this.machine.release(this.machine.load(withoutShebang(bytes), name));
  }

  /**
   * Calls a global function of the program.
   * @returns its first result, once the function has returned
   * @throws LuaError if the function raises an error or does not exist
   */
  call(name: string, ...parameters: unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.tasks.start(
        this.callGlobalCode,
        (frame) => {
          frame.pushUtf8(name);
          for (const parameter of parameters) this.values.push(frame, parameter);
          return 1 + parameters.length;
        },
        {
          onEnd: (frame, values) => resolve(this.values.read(frame, frame.count - values + 1)[0]),
          onError: reject,
        },
      );
    });
  }

  /** The absolute paths of the files that the program has loaded, without its main chunk. */
  get files(): string[] {
    return [...this.loaded];
  }

  /** Ends the program with its servers, timers and connections. The promise of `run` resolves. */
  async close(): Promise<void> {
    this.end(0);
    await this.flavour.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private end(exitCode: number): void {
    if (this.isEnded) return;
    this.isEnded = true;
    const { finish } = this;
    void this.flavour.stop().then(() => finish?.resolve(exitCode), finish?.reject);
  }

  private fail(error: unknown): void {
    if (this.isEnded) return;
    this.isEnded = true;
    const { finish } = this;
    const reject = (): void => finish?.reject(error);
    void this.flavour.stop().then(reject, reject);
  }

  /** Runs a function of a module. @returns whether it has finished, and its result or the number to wait for */
  private callHost(frame: Frame, call: (...parameters: unknown[]) => unknown): number {
    const result: unknown = call(...this.values.read(frame, 1));
    if (!isThenable(result)) {
      frame.pushBoolean(true);
      this.values.push(frame, result);
      return 2;
    }
    const number = this.flavour.await(Promise.resolve(result), (stack, value) =>
      this.values.push(stack, value),
    );
    frame.pushBoolean(false);
    frame.pushNumber(number);
    return 2;
  }

  private runOwn(chunk: string): void {
    const reference = this.machine.load(Buffer.from(chunk), `=${OWN_CHUNK}`);
    this.tasks.start(reference, NOTHING, { onError: rethrow });
    this.machine.release(reference);
  }

  /** Keeps a function that a chunk has put in `host`. */
  private findOwn(name: string): number {
    let found = 0;
    const reference = this.machine.load(Buffer.from(`return host.${name}`), `=${OWN_CHUNK}`);
    this.tasks.start(reference, NOTHING, {
      onEnd: (frame) => {
        found = frame.keep(-1);
      },
      onError: rethrow,
    });
    this.machine.release(reference);
    return found;
  }
}

function rethrow(error: unknown): void {
  throw error;
}

/** The first line of a program can be for a shell. */
function withoutShebang(code: Buffer): Buffer {
  if (code[0] !== 0x23) return code;
  const end = code.indexOf(0x0a);
  return end < 0 ? NO_BYTES : Buffer.concat([Buffer.from("--"), code.subarray(end)]);
}

/**
 * Creates a host for one Lua program. Several hosts share only the process.
 * @throws LuaLoadError if the package wasmoon is missing; TypeError or RangeError for an invalid option
 */
export async function createLua(options: LuaOptions): Promise<Lua> {
  checkOptions("createLua", options, luaOptionNames);
  if (options.flavour !== "evo" && options.flavour !== "craftos") {
    throw new TypeError(`flavour cannot be ${JSON.stringify(options.flavour)}. Use "evo" or "craftos"`);
  }
  const maxMemoryBytes = limitOf("maxMemoryBytes", options.maxMemoryBytes);
  const maxSteps = limitOf("maxSteps", options.maxSteps);
  return new Lua(await Machine.create({ maxMemoryBytes, maxSteps }), options);
}
