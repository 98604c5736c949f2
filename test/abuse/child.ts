import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { constants, setPriority } from "node:os";
import { fileURLToPath } from "node:url";
import { within } from "../support/waiting.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
/** How long a program may take to begin or to answer, in milliseconds. */
const CHILD_PATIENCE_MS = 20_000;

type Question = { readonly id: number; readonly ask: string; readonly with: unknown };
type Reply = { readonly id: number; readonly value?: unknown; readonly error?: string };

/** A program of the tests in a process of its own, which answers questions. */
export interface Child {
  readonly pid: number;
  ask<Answer>(name: string, argument?: unknown, ms?: number): Promise<Answer>;
  /** Ends it at once, unless it has ended. */
  stop(): Promise<void>;
  readonly exited: Promise<unknown>;
}

export interface ChildOptions {
  readonly plan?: unknown;
  readonly nodeOptions?: readonly string[];
  /** The most descriptors that it may have open. */
  readonly descriptors?: number;
}

/**
 * Starts a program beside this file that calls {@link answer}.
 * @returns when it has answered its first question, "ready"
 */
export async function startChild(file: URL, options: ChildOptions = {}): Promise<Child> {
  const { plan = {}, nodeOptions = [], descriptors } = options;
  const { NODE_TEST_CONTEXT: _, ...inherited } = process.env;
  const args = ["--expose-gc", "--import", "tsx", ...nodeOptions, fileURLToPath(file)];
  const [command, ...rest] =
    descriptors === undefined
      ? [process.execPath, ...args]
      : ["/bin/sh", "-c", `ulimit -n ${descriptors} && exec "$@"`, "sh", process.execPath, ...args];
  const child = spawn(command as string, rest, {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    env: { ...inherited, PLAN: JSON.stringify(plan) },
  });
  for (const pid of [process.pid, child.pid]) if (pid !== undefined) beforeOthers(pid);
  const exited = once(child, "exit");
  const ask = asker(child, exited);
  await ask("ready");
  return {
    pid: child.pid as number,
    ask,
    exited,
    async stop() {
      child.kill("SIGKILL");
      await within(exited, "the program to end", CHILD_PATIENCE_MS);
    },
  };
}

/**
 * Times are measured here: what else this machine does must not count as the server's. Only root can give a process
 * this right; without it a busy machine can fail these tests.
 */
function beforeOthers(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_HIGHEST);
  } catch {
    // Not root.
  }
}

function asker(child: ChildProcess, exited: Promise<unknown>): Child["ask"] {
  const waiting = new Map<number, (reply: Reply) => void>();
  let asked = 0;
  child.on("message", (reply: Reply) => {
    waiting.get(reply.id)?.(reply);
    waiting.delete(reply.id);
  });
  const ended = exited.then((how): never => {
    throw new Error(`the program has ended: ${String(how)}`);
  });
  ended.catch(() => {});
  return async <Answer>(name: string, argument?: unknown, ms = CHILD_PATIENCE_MS) => {
    const id = asked++;
    const replied = new Promise<Reply>((resolve) => waiting.set(id, resolve));
    child.send({ id, ask: name, with: argument } satisfies Question);
    const reply = await within(Promise.race([replied, ended]), `the answer to "${name}"`, ms);
    if (reply.error !== undefined) throw new Error(`${name}: ${reply.error}`);
    return reply.value as Answer;
  };
}

/** In the program: what it was started with. */
export function planOf<Plan>(): Plan {
  return JSON.parse(process.env["PLAN"] ?? "{}") as Plan;
}

/** In the program: answers the questions of who started it, and ends with it. */
export function answer(answers: Record<string, (argument: never) => unknown>): void {
  process.on("disconnect", () => process.exit());
  const reply = async (question: Question): Promise<void> => {
    const { id } = question;
    try {
      const found = answers[question.ask] as ((argument: unknown) => unknown) | undefined;
      if (found === undefined && question.ask !== "ready") throw new Error("not a question that it knows");
      process.send?.({ id, value: await found?.(question.with) } satisfies Reply);
    } catch (error) {
      process.send?.({ id, error: String(error) } satisfies Reply);
    }
  };
  process.on("message", (question: Question) => void reply(question));
}
