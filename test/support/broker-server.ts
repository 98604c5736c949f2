// Redis, NATS and PostgreSQL of Debian's packages, on free ports of this machine.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sleep } from "./waiting.ts";

/** A server that can be stopped and started again on the same port. */
export interface BrokerServer {
  readonly port: number;
  start(): Promise<void>;
  /** Ends it at once, as a crash does. */
  stop(): Promise<void>;
  /** Stops it and removes its files. */
  remove(): Promise<void>;
}

const postgresFolders = existsSync("/usr/lib/postgresql")
  ? readdirSync("/usr/lib/postgresql").map((version) => `/usr/lib/postgresql/${version}/bin`)
  : [];

function find(name: string, ...folders: string[]): string | undefined {
  return ["/usr/local/bin", "/usr/bin", "/usr/sbin", ...folders]
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));
}

export const redis: string | undefined = find("redis-server");
export const nats: string | undefined = find("nats-server");
export const postgres: string | undefined = find("postgres", ...postgresFolders);
const initdb = find("initdb", ...postgresFolders);

/** Debian's user for what needs no rights: PostgreSQL refuses to be run by root. */
const NOBODY = 65_534;
const other = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("there is no port");
  return address.port;
}

export async function answers(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function serverFrom(
  program: string,
  argumentsFor: (port: number, folder: string) => string[],
  { prepare = (_folder: string): void => {}, signal = "SIGKILL" as NodeJS.Signals, user = {} } = {},
): Promise<BrokerServer> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "portico-broker-"));
  prepare(folder);
  let child: ChildProcess | undefined;
  const kill = (): void => void child?.kill(signal);
  process.once("exit", kill);
  const server = {
    port,
    async start(): Promise<void> {
      const started = spawn(program, argumentsFor(port, folder), { stdio: "ignore", cwd: folder, ...user });
      child = started;
      while (!(await answers(port))) {
        if (started.exitCode !== null) throw new Error(`${program} ended with ${started.exitCode}`);
        await sleep(20);
      }
    },
    async stop(): Promise<void> {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      kill();
      await ended;
    },
    async remove(): Promise<void> {
      await server.stop();
      process.off("exit", kill);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}

export function startRedis(...more: string[]): Promise<BrokerServer> {
  return serverFrom(redis ?? "redis-server", (port) =>
    ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"].concat(more),
  );
}

export function startNats(): Promise<BrokerServer> {
  return serverFrom(nats ?? "nats-server", (port) => ["-a", "127.0.0.1", "-p", `${port}`]);
}

export function startPostgres(): Promise<BrokerServer> {
  const prepare = (folder: string): void => {
    if (other.uid !== undefined) chownSync(folder, other.uid, other.gid);
    const options = ["-D", join(folder, "data"), "-U", "postgres", "-A", "trust", "--no-sync"];
    execFileSync(initdb ?? "initdb", options, { stdio: "ignore", cwd: folder, ...other });
  };
  const settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off"];
  const argumentsFor = (port: number, folder: string): string[] => [
    ...["-D", join(folder, "data"), "-p", `${port}`],
    ...settings.flatMap((setting) => ["-c", setting]),
  ];
  // Its immediate shutdown: killed, it would leave its processes behind.
  return serverFrom(postgres ?? "postgres", argumentsFor, { prepare, signal: "SIGQUIT", user: other });
}
