import { Server } from "portico/daslang";

/** What the script remembers; the host keeps it while the script is changed. */
export interface Memory {
  /** What has been typed of a line, as latin1. */
  typed: string;
  /** Lines so far. */
  count: number;
}

/** What the script gets from the host. */
export interface Host {
  readonly memory: Memory;
  /** How often the script has been loaded. */
  readonly version: number;
  /** Has the host load the script again, after this tick. */
  reload(): void;
}

const GREETING = "Welcome. Type a line, or: version, reload.\r\n";
const MAX_LINE_LENGTH = 1_000;

/** Change the words below while somebody is connected: nobody has to connect again. */
function answer(line: string, count: number): string {
  return `${count}: you said ${line}`;
}

export class Script extends Server {
  private readonly host: Host;

  constructor(host: Host) {
    super({ host: "127.0.0.1" });
    this.host = host;
  }

  override onConnect(): void {
    this.host.memory.typed = "";
    this.send(GREETING);
  }

  override onData(buf: Buffer): void {
    const { memory } = this.host;
    const lines = (memory.typed + buf.toString("latin1")).split("\n");
    memory.typed = (lines.pop() ?? "").slice(0, MAX_LINE_LENGTH);
    for (const line of lines) this.onLine(line.replace(/\r$/, "").slice(0, MAX_LINE_LENGTH));
  }

  override onError(msg: string, code: number): void {
    console.error(`${msg} (${code})`);
  }

  override onLog(msg: string): void {
    console.log(msg);
  }

  private onLine(line: string): void {
    const { memory, version } = this.host;
    let text: string;
    if (line === "version") {
      text = `version ${version}`;
    } else if (line === "reload") {
      this.host.reload();
      text = "reloading";
    } else {
      text = answer(line, ++memory.count);
    }
    this.send(Buffer.from(`${text}\r\n`, "latin1"));
  }
}
