import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import type { HttpSettings } from "../../src/facil/index.ts";
import { temporaryFolder } from "../support/places.ts";
import { type RawClient, tcpClient } from "../support/raw-client.ts";
import { eventually, sleep, within } from "../support/waiting.ts";
import { open, type WebSocketClient } from "../support/web-socket-client.ts";

/** How long programs may take for what they do at once, in milliseconds: several start at the same time. */
const PROGRAM_PATIENCE_MS = 25_000;

/** One line of what a program noted. */
interface Note {
  readonly event: string;
  readonly pid: number;
  readonly thread: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly detail: string;
}

/** Who answered. */
export interface Who {
  readonly pid: number;
  readonly thread: number;
  /** Made anew wherever the program is loaded. */
  readonly mark: string;
}

/** `programs/service.ts` while it runs, in a process group of its own. */
export interface ServiceProgram {
  readonly pid: number;
  readonly port: number;
  notes(event?: string): Note[];
  connect(): Promise<RawClient>;
  /** A WebSocket and who serves it. */
  open(): Promise<{ client: WebSocketClient; who: Who }>;
  /** Asks over new connections, until the answers are enough. */
  askUntil(enough: (answers: Who[]) => boolean, what: string): Promise<Who[]>;
  /** To the first process alone. */
  signal(name: NodeJS.Signals): void;
  /** To all its processes, as a terminal does it. */
  signalAll(name: NodeJS.Signals): void;
  /** The exit code, or the signal that ended it. */
  exit(ms?: number): Promise<number | string | null>;
  /** Waits until none of its processes is left. */
  gone(): Promise<void>;
}

/**
 * Starts the program and waits until it serves everywhere.
 * @param serving how many processes and threads that is
 */
export async function runService(
  t: TestContext,
  settings: HttpSettings,
  serving = 1,
  environment: Record<string, string> = {},
): Promise<ServiceProgram> {
  const log = join(temporaryFolder(t), "log");
  const { NODE_TEST_CONTEXT: _, ...inheritedEnvironment } = process.env;
  const child = spawn(
    process.execPath,
    ["--import", "tsx", fileURLToPath(new URL("programs/service.ts", import.meta.url))],
    {
      cwd: fileURLToPath(new URL("../../", import.meta.url)),
      stdio: ["ignore", "inherit", environment["QUIET"] === undefined ? "inherit" : "ignore"],
      detached: true,
      env: { ...inheritedEnvironment, LOG: log, SETTINGS: JSON.stringify(settings), ...environment },
    },
  );
  const exited = once(child, "exit") as Promise<[number | null, string | null]>;
  const pid = child.pid as number;
  const clients: RawClient[] = [];
  t.after(async () => {
    for (const client of clients) client.destroy();
    if (groupLives(pid)) process.kill(-pid, "SIGKILL");
    await within(exited, "the program to end after the test", 5_000);
  });
  const notes = (event?: string): Note[] => (existsSync(log) ? parse(readFileSync(log, "utf8"), event) : []);
  const inits = (): Note[] => notes("init");
  await eventually(
    () => ended(child) || inits().length >= serving,
    `${serving} to serve`,
    PROGRAM_PATIENCE_MS,
  );
  if (ended(child)) throw new Error(`it ended with ${child.exitCode ?? child.signalCode} before it served`);
  const port = Number(inits()[0]?.detail);
  const connect = async (): Promise<RawClient> => {
    const client = await tcpClient(port);
    clients.push(client);
    return client;
  };
  const ask = async (): Promise<Who | undefined> => {
    try {
      const client = await connect();
      const { text } = await client.get("/").answer("GET", 5_000);
      client.destroy();
      return who(text);
    } catch {
      return undefined; // one that crashed meanwhile
    }
  };
  return {
    pid,
    port,
    notes,
    connect,
    async open() {
      const client = await open(await connect(), "/");
      return { client, who: who(await client.text()) };
    },
    async askUntil(enough, what) {
      const answers: Who[] = [];
      const end = Date.now() + PROGRAM_PATIENCE_MS;
      while (!enough(answers)) {
        if (Date.now() > end) throw new Error(`still waiting for ${what}: ${JSON.stringify(answers)}`);
        const got = await Promise.all(Array.from({ length: 20 }, ask));
        answers.push(...got.filter((answer) => answer !== undefined));
        await sleep(20);
      }
      return answers;
    },
    signal: (name) => void child.kill(name),
    signalAll: (name) => void process.kill(-pid, name),
    async exit(ms = PROGRAM_PATIENCE_MS) {
      const [code, signalName] = await within(exited, "the program to end", ms);
      return code ?? signalName;
    },
    gone: () => eventually(() => !groupLives(pid), "all processes to be gone", PROGRAM_PATIENCE_MS),
  };
}

const ended = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

export function who(text: string): Who {
  const [pid, thread, mark = ""] = text.split(" ");
  return { pid: Number(pid), thread: Number(thread), mark };
}

function parse(text: string, event: string | undefined): Note[] {
  const lines = text.split("\n").slice(0, -1);
  const notes = lines.map((line) => {
    const [name = "", pid, thread, time, detail = ""] = line.split(" ");
    return { event: name, pid: Number(pid), thread: Number(thread), time: Number(time), detail };
  });
  return event === undefined ? notes : notes.filter((note) => note.event === event);
}

function groupLives(pid: number): boolean {
  try {
    process.kill(-pid, 0);
    return true;
  } catch {
    return false;
  }
}
