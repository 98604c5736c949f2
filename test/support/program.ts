import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

const ADDRESS = /((?:https?|wss?|tcp):\/\/[^\s/]+)/;

/** A program of the repository that runs as a user would run it. */
export interface Program {
  /** The address that it printed. */
  readonly url: string;
  readonly lines: string[];
  /** What the group of a pattern captures in the first line that matches, printed already or to come. */
  line(pattern: RegExp): Promise<string>;
  /** Its exit code. */
  readonly exited: Promise<number | null>;
  /** Sends a signal and resolves with the exit code. */
  stop(signal: NodeJS.Signals): Promise<number | null>;
}

/**
 * Starts `node` with these arguments in the repository's root and waits for a line with an address.
 * @throws when it ends before
 */
export async function startProgram(...args: string[]): Promise<Program> {
  const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit").then(([code]): number | null => code);
  const lines: string[] = [];
  const output = createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
  const line = (pattern: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (text: string): void => {
        const found = pattern.exec(text)?.[1];
        if (found === undefined) return;
        output.off("line", look);
        resolve(found);
      };
      output.on("line", look);
      child.once("exit", (code) => reject(new Error(`it ended with ${code} and never printed ${pattern}`)));
      for (const text of lines) look(text);
    });
  const url = await line(ADDRESS);
  const stop = (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal);
    return exited;
  };
  return { url, lines, line, exited, stop };
}
