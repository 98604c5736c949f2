// docs/tutorial.md as somebody follows it: the files of its blocks are written and changed in a folder that has the package
// as it is published, and its commands are run there.
//
//   ```js file: server.js          the whole file
//   ```diff file: server.js        lines to replace: the lines with "-" and " " must be there, once
//   ```sh                          commands. The comments below one are lines that it prints; "…" stands for anything
//
// Each port of the page is replaced by a free one, in files, commands, comments and addresses.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { freePort } from "../support/places.ts";
import { sleep, within } from "../support/waiting.ts";
import type { Project } from "./installed.ts";
import { type Block, blocksOf } from "./programs.ts";

const PATIENCE_MS = 20_000;

export interface Step {
  readonly title: string;
  readonly text: string;
  /** The addresses that the reader opens, in order. */
  readonly addresses: readonly string[];
}

/** The numbered sections of the page, with free ports. */
export async function stepsOf(page: string): Promise<Step[]> {
  const ports = new Map<string, number>();
  for (const port of new Set(page.match(/(?<=:|PORT=|--port )\d{4}\b/g))) ports.set(port, await freePort());
  const text = page.replace(/\b\d{4}\b/g, (number) => String(ports.get(number) ?? number));
  return text
    .split(/^## (?=\d)/m)
    .slice(1)
    .map((section) => ({
      title: section.slice(0, section.indexOf("\n")),
      text: section,
      addresses: [...section.matchAll(/<(http:[^>]+)>/g)].map(([, address = ""]) => address),
    }));
}

/** Writes the files of a step, and changes those that it changes. */
export function writeFiles(project: Project, step: Step): void {
  for (const { language, info, text } of blocksOf(step.text)) {
    const [, file] = /^file: (\S+)$/.exec(info) ?? [];
    if (file === undefined) continue;
    if (language === "diff")
      project.write(file, changed(readFileSync(join(project.folder, file), "utf8"), text));
    else project.write(file, text);
  }
}

function changed(before: string, diff: string): string {
  const lines = diff.trimEnd().split("\n");
  const side = (sign: string): string =>
    lines
      .filter((line) => line.startsWith(sign) || line.startsWith(" "))
      .map((line) => `${line.slice(1)}\n`)
      .join("");
  const [head, tail, ...more] = before.split(side("-"));
  if (head === undefined || tail === undefined || more.length > 0) {
    throw new Error(`these lines are not there once:\n${side("-")}`);
  }
  return head + side("+") + tail;
}

/** Whether a step needs a program, such as nginx. */
export function needs(step: Step, program: string): boolean {
  return commandsOf(blocksOf(step.text)).some(({ line }) => line.startsWith(`${program} `));
}

interface Command {
  readonly line: string;
  readonly prints: readonly RegExp[];
}

function commandsOf(blocks: readonly Block[]): Command[] {
  const shell = blocks.filter(({ language }) => language === "sh").map(({ text }) => text);
  return shell.flatMap((text) =>
    text.split(/^(?!#)/m).map((part) => {
      const [line = "", ...comments] = part.trimEnd().split("\n");
      return { line, prints: comments.map((comment) => patternOf(comment.replace(/^# /, ""))) };
    }),
  );
}

function patternOf(comment: string): RegExp {
  const parts = comment.split("…").map((part) => part.trim().replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "m");
}

/** A command that was started, and what it has printed. */
class Running {
  private printed = "";
  private readonly child: ChildProcess;
  private readonly exit: Promise<unknown>;
  private onOutput = (): void => {};

  constructor(line: string, folder: string) {
    const command = line
      .replace("npx portico", "node node_modules/portico/dist/cli/main.js")
      .replace(/^curl /, "curl -sS --max-time 10 ");
    const PATH = `${dirname(process.execPath)}:${process.env["PATH"]}:/usr/sbin`;
    // The runner of a test that is run inside of another one would report to that one.
    const env = { ...process.env, PATH, NODE_TEST_CONTEXT: undefined };
    // A server takes the place of the shell, so that signals reach it.
    const shell = isServer(line) ? command.replace(/^(?:\w+=\S+ )*/, "$&exec ") : command;
    this.child = spawn("bash", ["-c", shell], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
    this.exit = once(this.child, "close");
    for (const output of [this.child.stdout, this.child.stderr]) {
      output?.setEncoding("utf8").on("data", (text: string) => {
        this.printed += text;
        this.onOutput();
      });
    }
  }

  /** Resolves when all lines are there; rejects when the command ends without them, or takes too long. */
  async shows(prints: readonly RegExp[], line: string): Promise<void> {
    const complete = new Promise<void>((resolve) => {
      this.onOutput = () => {
        if (prints.every((pattern) => pattern.test(this.printed))) resolve();
      };
      this.onOutput();
    });
    const late = await within(Promise.race([complete, this.exit]), line, PATIENCE_MS).catch((error) => error);
    const missing = prints.find((pattern) => !pattern.test(this.printed));
    if (missing !== undefined || late instanceof Error) {
      throw new Error(`${line}\ndid not print ${missing}, but\n${this.printed}`, { cause: late });
    }
  }

  get exited(): Promise<unknown> {
    return this.exit;
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    this.child.kill(signal);
    await within(this.exit, "the end of a command", PATIENCE_MS).catch(() => this.child.kill("SIGKILL"));
    return this.child.exitCode;
  }
}

/** Goes on until it is stopped. */
function isServer(line: string): boolean {
  return /^(?:\w+=\S+ )*(?:node server\.js|redis-server|nginx)\b/.test(line);
}

/** The commands of a step, at work. */
export class Terminal {
  private readonly servers: { readonly command: Command; running: Running }[] = [];
  private readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  async run(step: Step): Promise<void> {
    for (const command of commandsOf(blocksOf(step.text))) {
      if (/^(?:mkdir|npm) /.test(command.line)) continue; // the folder has what they make
      if (isServer(command.line)) this.servers.push({ command, running: await this.start(command) });
      else await this.ask(command);
    }
  }

  private async start({ line, prints }: Command): Promise<Running> {
    const running = new Running(line, this.folder);
    await running.shows(prints, line);
    return running;
  }

  /** Runs a command to its end. curl asks again while a server that prints nothing is starting. */
  private async ask({ line, prints }: Command): Promise<void> {
    const end = Date.now() + PATIENCE_MS;
    for (;;) {
      const running = new Running(line, this.folder);
      const error = await running.shows(prints, line).catch((reason: unknown) => reason);
      await running.exited;
      if (error === undefined) return;
      if (!line.startsWith("curl ") || Date.now() > end) throw error;
      await sleep(100);
    }
  }

  /**
   * Stops the first server whose command has these words, as Ctrl-C does.
   * @returns its exit code, and a function that starts it again
   */
  async interrupt(words: string): Promise<{ code: number | null; again(): Promise<void> }> {
    const server = this.servers.find(({ command }) => command.line.includes(words));
    if (server === undefined) throw new Error(`no server was started with ${words}`);
    const code = await server.running.stop("SIGINT");
    const again = async (): Promise<void> => {
      server.running = await this.start(server.command);
    };
    return { code, again };
  }

  /** Stops all servers. */
  async close(): Promise<void> {
    for (const { running } of this.servers.splice(0).reverse()) await running.stop();
  }
}
