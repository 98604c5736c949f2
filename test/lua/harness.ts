import { cpSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { createLua, type LuaOptions } from "../../src/lua/index.ts";
import { temporaryFolder } from "../support/places.ts";
import { within } from "../support/waiting.ts";

type Lua = Awaited<ReturnType<typeof createLua>>;
const PROGRAMS = fileURLToPath(new URL("./programs/", import.meta.url));

/** A Lua program while it runs. */
export class Running {
  readonly lua: Lua;
  /** Its exit code. */
  readonly ended: Promise<number>;
  readonly folder: string;
  text = "";
  private looks: (() => void)[] = [];

  constructor(lua: Lua, folder: string, start: (lua: Lua) => Promise<number>) {
    this.lua = lua;
    this.folder = folder;
    this.ended = start(lua);
    this.ended.catch(() => {}).finally(() => this.look());
  }

  write(data: Buffer): void {
    this.text += data;
    this.look();
  }

  /** Lines that were printed. */
  get lines(): string[] {
    return this.text.split("\n").slice(0, -1);
  }

  /** Waits for something that is printed. @returns the first group of the pattern */
  async printed(pattern: RegExp): Promise<string> {
    for (;;) {
      const match = pattern.exec(this.text);
      if (match !== null) return match[1] ?? match[0];
      await within(new Promise<void>((resolve) => this.looks.push(resolve)), `${pattern} in ${this.text}`);
    }
  }

  async port(): Promise<number> {
    return Number(await this.printed(/listening on (\d+)/));
  }

  look(): void {
    const { looks } = this;
    this.looks = [];
    for (const look of looks) look();
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
