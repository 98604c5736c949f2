import { cpSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { createLua, type LuaOptions } from "../../src/lua/index.ts";
import { Changes } from "../support/changes.ts";
import { temporaryFolder } from "../support/places.ts";

type Lua = Awaited<ReturnType<typeof createLua>>;
const PROGRAMS = fileURLToPath(new URL("./programs/", import.meta.url));

/** A Lua program while it runs. */
export class Running {
  readonly lua: Lua;
  /** Its exit code. */
  readonly ended: Promise<number>;
  readonly folder: string;
  text = "";
  private readonly changes = new Changes();

  constructor(lua: Lua, folder: string, start: (lua: Lua) => Promise<number>) {
    this.lua = lua;
    this.folder = folder;
    this.ended = start(lua);
    this.ended.catch(() => {}).finally(this.changes.tell);
  }

  write(data: Buffer): void {
    this.text += data;
    this.changes.tell();
  }

  /** Lines that were printed. */
  get lines(): string[] {
    return this.text.split("\n").slice(0, -1);
  }

  /** Waits for something that is printed. @returns the first group of the pattern */
  printed(pattern: RegExp): Promise<string> {
    const look = (): string | undefined => {
      const match = pattern.exec(this.text);
      return match?.[1] ?? match?.[0];
    };
    return this.changes.find(look, `${pattern}`);
  }

  async port(): Promise<number> {
    return Number(await this.printed(/listening on (\d+)/));
  }
}

interface How extends Partial<LuaOptions> {
  readonly parameters?: readonly string[];
  /** Called before the program runs. */
  readonly prepare?: (lua: Lua) => void;
}

/** Runs Lua code; the program is ended after the test. */
export function run(
  t: TestContext,
  flavour: LuaOptions["flavour"],
  code: string,
  options: How = {},
): Promise<Running> {
  const { parameters = [] } = options;
  return start(t, flavour, options, (lua) => lua.run(code, "@test.lua", ...parameters));
}

/** The same, until it has ended. */
export async function runToEnd(...given: Parameters<typeof run>): Promise<Running> {
  const program = await run(...given);
  await program.ended;
  return program;
}

/** Runs one of the programs of this folder, with arguments. */
export function runProgram(
  t: TestContext,
  name: string,
  parameters: readonly string[] = [],
  files: Readonly<Record<string, string | Buffer>> = {},
): Promise<Running> {
  const folder = temporaryFolder(t, files);
  const program = join(folder, "program.lua");
  cpSync(join(PROGRAMS, `${name}.lua`), program);
  const flavour = name.startsWith("evo/") ? "evo" : "craftos";
  return start(t, flavour, { folder }, (lua) => lua.runFile(program, ...parameters));
}

/** The same, until it listens. */
export async function serveProgram(
  ...given: Parameters<typeof runProgram>
): Promise<{ program: Running; port: number }> {
  const program = await runProgram(...given);
  return { program, port: await program.port() };
}

async function start(
  t: TestContext,
  flavour: LuaOptions["flavour"],
  options: How,
  begin: (lua: Lua) => Promise<number>,
): Promise<Running> {
  const { parameters, prepare, ...others } = options;
  const folder = others.folder ?? temporaryFolder(t);
  const early: Buffer[] = [];
  let write = (data: Buffer): unknown => early.push(data);
  const print = (data: Buffer): unknown => write(data);
  const given = { flavour, folder, host: "127.0.0.1", write: print, writeError: print, ...others };
  const lua = await createLua(given);
  t.after(() => lua.close());
  prepare?.(lua);
  const running = new Running(lua, folder, begin);
  for (const data of early) running.write(data);
  write = (data) => running.write(data);
  return running;
}
