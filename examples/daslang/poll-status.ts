// Asks an HTTP server every second whether it is well, from a loop that never waits:
// node --import tsx examples/daslang/poll-status.ts http://127.0.0.1:9001/ 5
import { HttpClient } from "portico/daslang";

const TICK_MS = 16;
const PERIOD_MS = 1_000;
const PATIENCE_MS = 5_000;

const url = process.argv[2] ?? "http://127.0.0.1:9001/";
const wanted = Number(process.argv[3] ?? 5);

class StatusClient extends HttpClient {
  answers = 0;
  private asked: { id: number; at: number; status: number; bytes: number } | undefined;

  /** Asks, or gives up waiting for what was asked long ago. */
  poll(now: number): void {
    if (this.asked === undefined) {
      this.asked = { id: this.request("GET", url), at: now, status: 0, bytes: 0 };
    } else if (now - this.asked.at > PATIENCE_MS) {
      this.cancel(this.asked.id);
      this.report("no answer in time");
    }
  }

  override onResponse(_id: number, status: number): void {
    if (this.asked !== undefined) this.asked.status = status;
  }

  override onData(_id: number, _buf: Buffer, size: number): void {
    if (this.asked !== undefined) this.asked.bytes += size;
  }

  override onComplete(): void {
    this.report(`status ${this.asked?.status}, ${this.asked?.bytes} bytes`);
  }

  override onError(_id: number, msg: string, code: number): void {
    this.report(`${msg} (${code})`);
  }

  private report(result: string): void {
    const took = this.asked === undefined ? 0 : performance.now() - this.asked.at;
    this.answers++;
    console.log(`${this.answers}: ${result}, ${Math.round(took)} ms`);
    this.asked = undefined;
  }
}

const client = new StatusClient();
let due = performance.now();

const loop = setInterval(() => {
  client.tick();
  if (client.answers >= wanted) stop();
  else if (performance.now() >= due) {
    due += PERIOD_MS;
    client.poll(performance.now());
  }
}, TICK_MS);

function stop(): void {
  clearInterval(loop);
  process.exit();
}
process.once("SIGTERM", stop);
process.once("SIGINT", stop);
