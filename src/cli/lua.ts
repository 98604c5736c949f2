import { readFileSync, statSync } from "node:fs";
import { resolve as absolute, dirname, relative } from "node:path";
import type { Command } from "commander";
import { createLua, type Lua, LuaError, LuaLoadError, type LuaOptions } from "../lua/index.ts";
import { whole } from "./arguments.ts";
import { codeOf, EXIT, Failure, messageOf } from "./failure.ts";
import { complain, print } from "./terminal.ts";
import { FileWatch } from "./watching.ts";

interface LuaCommandOptions {
  evo?: boolean;
  craftos?: boolean;
  watch?: boolean;
  keepGoing?: boolean;
  memory?: number;
  maxSteps?: number;
  host?: string;
  folder?: string;
  rom?: string;
}

const MIB = 1_048_576;
/** How often the list of the loaded files is looked up. */
const LOOK_MS = 100;
const EXAMPLES = `
Examples:
  portico lua server.lua                        a program for Evo or for CraftOS, which is found by what it uses
  portico lua server.lua --watch -- 8080 test   run again when a file changes; "8080" and "test" are its arguments
  portico lua startup.lua --craftos --memory 64 --max-steps 100000000`;

/** Adds `portico lua`. */
export function addLua(program: Command): void {
  program
    .command("lua")
    .description("run a Lua program for Evo or CraftOS")
    .argument("<program>", "a .lua file")
    .argument("[arguments...]", "arguments of the program, ... in Lua")
    .option("--evo", "treat the program as one for Evo")
    .option("--craftos", "treat the program as one for CraftOS")
    .option("-w, --watch", "run it again when one of its files changes")
    .option("--keep-going", "print errors of callbacks and continue")
    .option("--memory <MiB>", "memory limit of the program's values", whole(1, 2_048))
    .option("--max-steps <count>", "limit of steps without waiting", whole(1_000, Number.MAX_SAFE_INTEGER))
    .option("--host <address>", "the address that its servers listen on, instead of all")
    .option("--folder <dir>", "the folder that it can read and write")
    .option("--rom <dir>", "for CraftOS: a folder with a ROM")
    .addHelpText("after", EXAMPLES)
    .action(runLua);
}

async function runLua(
  name: string,
  parameters: readonly string[],
  options: LuaCommandOptions,
): Promise<void> {
  const code = readProgram(name);
  const given = luaOptions(name, code, options);
  const lua = await create(given);
  if (options.watch) await runWatching(name, parameters, { ...options, [given.flavour]: true }, lua);
  else process.exitCode = await runToEnd(lua, code, name, parameters);
}

/** @returns the exit code of the program */
async function runToEnd(
  lua: Lua,
  code: Buffer,
  name: string,
  parameters: readonly string[],
): Promise<number> {
  // Node ends a process that has nothing left to wait for, in the middle of the program.
  const onIdle = (): void => {
    complain(`${name} waits, but nothing can wake it`);
    process.exit(EXIT.failure);
  };
  process.once("beforeExit", onIdle);
  try {
    return await lua.run(code, `@${name}`, ...parameters);
  } catch (error) {
    reportLuaError(error);
    return EXIT.failure;
  } finally {
    process.off("beforeExit", onIdle);
  }
}

/** Runs a program, and each time that one of its files changes the next version of it. */
async function runWatching(
  name: string,
  parameters: readonly string[],
  options: LuaCommandOptions,
  first: Lua,
): Promise<never> {
  const begin = (lua: Lua, code: Buffer): void => {
    void lua
      .run(code, `@${name}`, ...parameters)
      .then((exitCode) => print(`${name} ended with exit code ${exitCode}`), reportLuaError);
  };
  let running = first;
  begin(running, readProgram(name));
  for (;;) {
    await nextChange(name, running);
    const next = await nextVersion(name, options);
    if (next === undefined) continue;
    print(`Running ${name} again`);
    next.lua.takeOver(running);
    running = next.lua;
    begin(running, next.code);
  }
}

/** The program as it is now, or undefined for one that does not compile. */
async function nextVersion(
  name: string,
  options: LuaCommandOptions,
): Promise<{ lua: Lua; code: Buffer } | undefined> {
  try {
    const code = readProgram(name);
    const lua = await create(luaOptions(name, code, options));
    lua.check(code, `@${name}`);
    return { lua, code };
  } catch (error) {
    reportLuaError(error);
    complain(`${name} keeps running unchanged`);
    return undefined;
  }
}

/** Waits until a file of the program changes. */
function nextChange(name: string, lua: Lua): Promise<void> {
  return new Promise((resolve) => {
    const files = new FileWatch(() => {
      clearInterval(looks);
      files.close();
      resolve();
    });
    const look = (): void => files.set([absolute(name), ...lua.files], true);
    // Modules are loaded at any time.
    const looks = setInterval(look, LOOK_MS);
    look();
  });
}

async function create(options: LuaOptions): Promise<Lua> {
  try {
    return await createLua(options);
  } catch (error) {
    if (error instanceof LuaLoadError) throw new Failure(error.message);
    const folder = codeOf(error) === "ENOENT" ? `there is no folder ${options.folder}` : messageOf(error);
    throw new Failure(folder, EXIT.usage);
  }
}

function luaOptions(name: string, code: Buffer, options: LuaCommandOptions): LuaOptions {
  const flavour = flavourOf(name, code.toString("latin1"), options);
  const own = dirname(absolute(name));
  // As in the originals: relative to the current folder for Evo, and the root of the computer for CraftOS.
  const isBelow = !relative(process.cwd(), own).startsWith("..");
  return {
    flavour,
    folder: options.folder ?? (flavour === "evo" && isBelow ? process.cwd() : own),
    ...(options.host === undefined ? {} : { host: options.host }),
    ...(options.memory === undefined ? {} : { maxMemoryBytes: options.memory * MIB }),
    ...(options.maxSteps === undefined ? {} : { maxSteps: options.maxSteps }),
    ...(options.rom === undefined ? {} : { rom: options.rom }),
    ...(options.keepGoing ? { onError: reportLuaError } : {}),
  };
}

function reportLuaError(error: unknown): void {
  if (error instanceof LuaError) complain(`${error.message}\n${error.traceback}`.trimEnd());
  else complain(messageOf(error));
}

function readProgram(name: string): Buffer {
  if (!statSync(name, { throwIfNoEntry: false })?.isFile()) {
    throw new Failure(`The file ${name} does not exist. Pass the path of a Lua program.`, EXIT.usage);
  }
  return readFileSync(name);
}

const USES_EVO =
  /\brequire\s*\(?\s*["'](?:HttpServer|WebSocketServer|uv|assertions|bdd|json|uuid)["']|\bC_(?:Timer|FileSystem)\b/;
const USES_CRAFTOS =
  /\bos\.(?:pullEvent|queueEvent|startTimer|getComputerID)|\bhttp\.(?:listen|addListener|websocketServer|websocket|get|post|request)\b|\b(?:parallel|textutils|term|peripheral|rednet|settings)\.\w|\bfs\.(?:open|exists|combine)\b|\bsleep\s*\(/;

/** Finds out what a program was written for. */
function flavourOf(name: string, code: string, options: LuaCommandOptions): "evo" | "craftos" {
  if (options.evo && options.craftos)
    throw new Failure("Use either --evo or --craftos, not both.", EXIT.usage);
  if (options.evo) return "evo";
  if (options.craftos) return "craftos";
  const isEvo = USES_EVO.test(code);
  if (isEvo !== USES_CRAFTOS.test(code)) return isEvo ? "evo" : "craftos";
  throw new Failure(`Cannot tell whether ${name} is for Evo or CraftOS. Add --evo or --craftos.`, EXIT.usage);
}
