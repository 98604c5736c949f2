import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** A program of the repository that runs as a user would run it. */
export interface Program {
  /** The address that it printed. */
  readonly url: string;
  readonly lines: string[];
  /** Sends a signal and resolves with the exit code. */
  stop(signal: NodeJS.Signals): Promise<number | null>;
}

/**
 * Starts `node` with these arguments in the repository's root and waits for a line with an address.
 * @throws when it ends before
 */
export async function startProgram(...args: string[]): Promise<Program> {
  const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit") as Promise<[number | null]>;
  const lines: string[] = [];
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      lines.push(line);
      const found = /https?:\/\/[^\s/]+/.exec(line);
      if (found !== null) resolve(found[0]);
    });
    child.once("exit", (code) => reject(new Error(`it ended with ${code} before it printed an address`)));
  });
  return { url, lines, stop: (signal) => stop(child, signal, exited) };
}

async function stop(
  child: ChildProcess,
  signal: NodeJS.Signals,
  exited: Promise<[number | null]>,
): Promise<number | null> {
  child.kill(signal);
  const [code] = await exited;
  return code;
}
