import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

import { Changes } from "../support/changes.ts";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
/** For anything that a program is waited for. */
const PATIENCE_MS = 20_000;

export interface RunOptions {
  readonly cwd?: string;
  readonly input?: string;
  /** In addition to that of the tests. */
  readonly environment?: Environment;
}

type Environment = Readonly<Record<string, string>>;

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `portico` while it runs. */
export class Running {
  readonly child: ChildProcessWithoutNullStreams;
  readonly finished: Promise<Finished>;
  stdout = "";
  stderr = "";
  private readonly changes = new Changes();

  constructor(args: readonly string[], cwd: string | undefined, environment: Environment = {}) {
    this.child = spawn(process.execPath, [MAIN, ...args], { cwd, env: { ...process.env, ...environment } });
    this.child.stdin.on("error", () => {});
    this.child.stdout.on("data", (data: Buffer) => {
      this.stdout += data;
      this.changes.tell();
    });
    this.child.stderr.on("data", (data: Buffer) => {
      this.stderr += data;
      this.changes.tell();
    });
    this.finished = once(this.child, "close").then(([code]: (number | null)[]) => {
      this.changes.tell();
      return { code: code ?? null, stdout: this.stdout, stderr: this.stderr };
    });
  }

  /**
   * Waits for something that is printed, on stdout or stderr, and gives the first group of the pattern.
   * @param after how often the pattern has to have been printed before
   */
  printed(pattern: RegExp, after = 0): Promise<string> {
    const all = new RegExp(pattern.source, `g${pattern.flags}`);
    const look = (): string | undefined => {
      const match = [...`${this.stdout}\n${this.stderr}`.matchAll(all)][after];
      if (match !== undefined) return match[1] ?? match[0];
      if (this.child.exitCode !== null) throw new Error(`it ended before it printed ${pattern}`);
      return undefined;
    };
    return this.changes.find(look, `${pattern}`, PATIENCE_MS).catch((error: unknown) => {
      throw new Error(`${error}:\n${this.stdout}\n${this.stderr}`);
    });
  }

  /** The address that a server has printed. */
  url(): Promise<string> {
    return this.printed(/((?:https?|wss?):\/\/127\.0\.0\.1:\d+)/);
  }

  stop(signal: NodeJS.Signals = "SIGINT"): Promise<Finished> {
    this.child.kill(signal);
    return this.finished;
  }
}

/** Starts `portico`; it ends with the test. */
export function start(
  t: TestContext,
  args: readonly string[],
  cwd?: string,
  environment?: Environment,
): Running {
  const running = new Running(args, cwd, environment);
  t.after(async () => {
    running.child.kill("SIGKILL");
    await running.finished;
  });
  return running;
}

/** Runs `portico` until it ends. */
export function portico(
  t: TestContext,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  const running = start(t, args, options.cwd, options.environment);
  running.child.stdin.end(options.input ?? "");
  return running.finished;
}
