// Folders and ports that a test has for itself.
import { once } from "node:events";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";

/** A folder with files, which is removed after the test. */
export function temporaryFolder(
  t: TestContext,
  files: Readonly<Record<string, string | Uint8Array>> = {},
): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "portico-")));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) put(folder, name, content);
  return folder;
}

/** Writes a file, with the folders on the way. */
export function put(folder: string, name: string, content: string | Uint8Array): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), content);
}

/** Lets a server listen on 127.0.0.1 until the test ends. @returns its port */
export async function listenOn(t: TestContext, server: Server): Promise<number> {
  await once(server.listen(0, "127.0.0.1"), "listening");
  t.after(() => server.close());
  return portOf(server);
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("there is no port");
  return address.port;
}

async function listening(host: string): Promise<{ readonly holder: Server; readonly port: number }> {
  const holder = createServer().listen(0, host);
  await once(holder, "listening");
  return { holder, port: portOf(holder) };
}

/** A port on which somebody else listens, until the test ends. */
export async function takenPort(
  t: TestContext,
  host = "127.0.0.1",
): Promise<{ readonly holder: Server; readonly port: number }> {
  const taken = await listening(host);
  t.after(() => taken.holder.close());
  return taken;
}

/** Below what systems give to connections (32,768 on Linux, 49,152 elsewhere), which could take the port meanwhile. */
const [LOWEST_PORT, PORTS] = [10_000, 20_000];

/** A port that is free now, for programs whose listener cannot tell. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = LOWEST_PORT + Math.floor(Math.random() * PORTS);
    const holder = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      holder.once("error", () => resolve(false));
      holder.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!isFree) continue;
    holder.close();
    await once(holder, "close");
    return port;
  }
}
