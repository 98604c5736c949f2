// The server that the bots play on, in a separate process.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { LoopFigures } from "portico/loop";

/** What the server says of itself since it was last asked. */
export interface Measured {
  readonly loop: LoopFigures;
  /** Of the processor, by the server and by the bots. */
  readonly usedMs: number;
  readonly botsMs: number;
}

export interface Running {
  readonly url: string;
  measure(): Promise<Measured>;
  stall(ms: number): Promise<void>;
  /** @returns the exit code */
  stop(): Promise<number | null>;
}

export async function start(file: string): Promise<Running> {
  const program = fileURLToPath(new URL("server.ts", import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, program, "0", file], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  process.once("exit", () => child.kill("SIGKILL"));
  const exited = once(child, "exit") as Promise<[number | null]>;
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  const url = /http:\S+(?=\/)/.exec(line)?.[0] ?? "";
  const sum = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1_000;
  let usedMs = 0;
  let botsMs = 0;
  const measure = async (): Promise<Measured> => {
    const { loop, cpu } = (await (await fetch(`${url}/stats`)).json()) as {
      loop: LoopFigures;
      cpu: NodeJS.CpuUsage;
    };
    const measured = { loop, usedMs: sum(cpu) - usedMs, botsMs: sum(process.cpuUsage()) - botsMs };
    usedMs += measured.usedMs;
    botsMs += measured.botsMs;
    return measured;
  };
  return {
    url,
    measure,
    stall: async (ms) => {
      child.kill("SIGSTOP");
      await delay(ms);
      child.kill("SIGCONT");
    },
    stop: async () => {
      child.kill("SIGTERM");
      return (await exited)[0];
    },
  };
}
