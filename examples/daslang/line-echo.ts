// One loop that serves and calls: a server that sends every line back, and a client that tries it once at the start.
import { Client, Server } from "portico/daslang";

const TICK_MS = 16;
const MAX_LINE_BYTES = 4_096;

class EchoServer extends Server {
  private typed: Buffer = Buffer.alloc(0);

  override onConnect(): void {
    this.typed = Buffer.alloc(0);
  }

  override onData(buf: Buffer): void {
    const all = Buffer.concat([this.typed, buf]);
    const end = all.lastIndexOf("\n") + 1;
    if (end > 0) this.send(all, end);
    this.typed = all.subarray(end, end + MAX_LINE_BYTES);
  }

  override onError(msg: string, code: number): void {
    console.error(`server: ${msg} (${code})`);
  }
}

class Trial extends Client {
  private answer = "";
  private readonly begun = performance.now();

  override onConnect(): void {
    this.send("is anybody there?\n");
  }

  override onData(buf: Buffer): void {
    this.answer += buf;
    if (!this.answer.endsWith("\n")) return;
    console.log(`Tried in ${Math.round(performance.now() - this.begun)} ms: ${this.answer.trimEnd()}`);
    this.disconnect();
  }

  override onError(msg: string, code: number): void {
    console.error(`client: ${msg} (${code})`);
  }
}

const server = new EchoServer({ host: "127.0.0.1" });
server.make_server_adapter();
if (!server.init(Number(process.argv[2] ?? 9012))) process.exit(1);
const trial = new Trial();
trial.connect("127.0.0.1", server.port);

const loop = setInterval(() => {
  server.tick();
  trial.tick();
}, TICK_MS);

function stop(): void {
  clearInterval(loop);
  trial.disconnect();
  server.close();
  // A client that does not read must not keep the program.
  setTimeout(() => process.exit(), 500).unref();
}
process.once("SIGTERM", stop);
process.once("SIGINT", stop);
console.log(`Listening at tcp://127.0.0.1:${server.port}`);
