// A TCP server that is driven by ticks, and whose script is replaced
// while a client is connected: the client notices nothing.
import { type NetworkServerHolder, Server } from "portico/daslang";

const TICK_MS = 16;
const MAX_LINE_LENGTH = 1_000;

/** What outlives a script: a line that is half typed, a count, a wish. */
const memory = { typed: "", count: 0, reload: false };

class Script extends Server {
  readonly version: number;
  constructor(version: number) {
    super({ host: "127.0.0.1" });
    this.version = version;
  }
  override onConnect(): void {
    memory.typed = "";
    this.send(`Welcome to version ${this.version}. Type a line, or: reload\n`);
  }
  override onData(data: Buffer): void {
    const lines = (memory.typed + data.toString("utf8")).split("\n");
    memory.typed = (lines.pop() ?? "").slice(0, MAX_LINE_LENGTH);
    for (const line of lines) this.onLine(line.trim());
  }
  onLine(line: string): void {
    if (line === "reload") memory.reload = true;
    else this.send(`version ${this.version}, line ${++memory.count}: ${line}\n`);
  }
}

export function start(): { url: string; stop(): void } {
  let script = new Script(1);
  script.make_server_adapter();
  if (!script.init(0)) throw new Error("there is no free port");
  const { port } = script;
  const orphan: NetworkServerHolder = { current: null };
  const loop = setInterval(() => {
    script.tick();
    if (!memory.reload) return;
    memory.reload = false;
    // The old script leaves its connections, and the new one takes them.
    const next = new Script(script.version + 1);
    script.save(orphan);
    next.restore(orphan);
    script = next;
    script.send(`now version ${script.version}\n`);
  }, TICK_MS);
  const stop = (): void => {
    clearInterval(loop);
    script.close();
  };
  return { url: `tcp://127.0.0.1:${port}`, stop };
}
