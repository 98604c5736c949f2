import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Agent, get } from "node:http";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { PATIENCE_MS, within } from "../support/waiting.ts";

/** A line that a primary or a worker has printed. */
export interface Line {
  readonly type: string;
  readonly worker?: number;
  readonly id?: number;
  readonly pid?: number;
  readonly port?: number;
  readonly reason?: string;
  readonly restartInMs?: number;
  readonly messages?: number;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Workers and their primary, while they run. */
export class Running {
  readonly lines: Line[] = [];
  stderr = "";
  readonly child: ChildProcess;
  private readonly exited: Promise<unknown[]>;
  private looks: (() => void)[] = [];

  /** @param options of the program "primary.ts" */
  constructor(options: object, env: Record<string, string>, primary = "primary.ts") {
    const path = fileURLToPath(new URL(`programs/${primary}`, import.meta.url));
    this.child = spawn(process.execPath, ["--import", "tsx", path], {
      env: { ...process.env, OPTIONS: JSON.stringify(options), ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.exited = once(this.child, "exit");
    this.child.stderr?.on("data", (data: Buffer) => {
      this.stderr += data;
    });
    if (this.child.stdout === null) throw new Error("there is no stdout");
    createInterface(this.child.stdout).on("line", (line) => {
      this.lines.push(JSON.parse(line) as Line);
      for (const look of this.looks.splice(0)) look();
    });
  }

  /** Waits for so many lines of a type. */
  async printed(type: string, count = 1, ms: number = PATIENCE_MS): Promise<Line[]> {
    const wait = async (): Promise<Line[]> => {
      for (;;) {
        const found = this.lines.filter((line) => line.type === type);
        if (found.length >= count) return found;
        await new Promise<void>((resolve) => this.looks.push(resolve));
      }
    };
    return within(wait(), `${count} lines "${type}"\n${this.stderr}`, ms);
  }

  get port(): number {
    return this.lines.find(({ type }) => type === "ready")?.port ?? 0;
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** The exit code. */
  async exit(ms: number = PATIENCE_MS): Promise<unknown> {
    const [code] = await within(this.exited, "the primary to end", ms);
    return code;
  }

  /** One request, by default on a new connection. */
  async ask(path: string, agent: Agent | false = false): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const request = get({ host: "127.0.0.1", port: this.port, path, agent }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => {
          text += part;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
        response.on("error", reject);
      });
      request.on("error", reject);
    });
  }

  /** Asks until one worker has answered. @returns its answer */
  async askWorker(id: number, path: string): Promise<Answer> {
    for (;;) {
      // A connection belongs to one worker.
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      try {
        const { text } = await this.ask("/", agent);
        if ((JSON.parse(text) as { id: number }).id === id) return await this.ask(path, agent);
      } finally {
        agent.destroy();
      }
    }
  }
}

/** Starts workers, and waits until all serve. */
export async function runningWorkers(
  t: TestContext,
  options: { workers: number; [name: string]: unknown },
  env: Record<string, string> = {},
): Promise<Running> {
  const running = started(t, options, env);
  await running.printed("ready", options.workers, 30_000);
  return running;
}

export function started(
  t: TestContext,
  options: object,
  env: Record<string, string> = {},
  primary?: string,
): Running {
  const running = new Running(options, env, primary);
  t.after(() => running.child.kill("SIGKILL"));
  return running;
}
