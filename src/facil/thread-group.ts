import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { ENVELOPE, type Message, type Orders, type ThreadData } from "./orders.ts";
import { THREAD_BOOTSTRAP } from "./thread-bootstrap.ts";
import { settledWithin } from "./waiting.ts";

/** How much longer than its server may take a thread may take to end, in milliseconds. */
const END_MS = 1_000;

/** The further threads of a process. Each runs the program's main script again. */
export class ThreadGroup {
  private readonly orders: Orders;
  private readonly threads: Thread[] = [];

  /**
   * @param count how many
   * @param askStop called when the program in a thread wants everything to stop
   */
  constructor(count: number, orders: Orders, askStop: () => void) {
    this.orders = orders;
    for (let i = 0; i < count; i++) this.threads.push(new Thread(orders, askStop));
  }

  /** @returns when all of them serve @throws the first error, when one of them cannot */
  async started(): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.ready));
  }

  /** @param graceMs how long the servers in them may take */
  async stop(graceMs: number): Promise<void> {
    const lasting = this.orders.sharing === "descriptor";
    await Promise.all(this.threads.map((thread) => thread.stop(graceMs, lasting)));
  }
}

class Thread {
  /** Resolves when it serves. */
  readonly ready: Promise<void>;
  private readonly worker: Worker;
  private readonly channel: MessagePort;
  private readonly stopped: Promise<void>;
  private readonly exited: Promise<void>;
  private stopping = false;
  private serving = false;

  constructor(orders: Orders, askStop: () => void) {
    const { port1, port2 } = new MessageChannel();
    const workerData: ThreadData = { [ENVELOPE]: { orders, channel: port2 } };
    const script = process.argv[1];
    if (script === undefined) throw new Error("threads need a main script that they can run again");
    // Loaders that are preloaded may need a hand in a thread.
    const preloaded = process.execArgv.some((argument) => argument.includes("tsx"));
    this.worker = new Worker(preloaded ? THREAD_BOOTSTRAP : script, {
      argv: preloaded ? [script, ...process.argv.slice(2)] : process.argv.slice(2),
      eval: preloaded,
      workerData,
      transferList: [port2],
    });
    this.channel = port1;
    let tellStopped: () => void = () => {};
    this.stopped = new Promise((resolve) => {
      tellStopped = resolve;
    });
    this.exited = new Promise((resolve) => this.worker.once("exit", () => resolve()));
    this.ready = new Promise((resolve, reject) => {
      port1.on("message", (message: Message) => {
        if (message.type === "ready") {
          this.serving = true;
          resolve();
        } else if (message.type === "failed")
          reject(Object.assign(new Error(message.message), { code: message.code }));
        else if (message.type === "stop") askStop();
        else tellStopped();
      });
      this.worker.on("error", (error) => {
        if (this.serving) this.crashed(error);
        reject(error);
      });
      this.worker.on("exit", (code) => {
        tellStopped();
        if (this.serving && !this.stopping) this.crashed(`a thread has ended with ${code}`);
        reject(new Error(`a thread has ended with ${code} before it served`));
      });
    });
    // Who has been asked to stop meanwhile does not wait for it any more.
    this.ready.catch(() => {});
  }

  /**
   * @param lasting it has the descriptor of the process in use. Its end would close that number, which may be another
   *   file's by then; so it stays, idle, and ends with the process
   */
  async stop(graceMs: number, lasting: boolean): Promise<void> {
    this.stopping = true;
    this.channel.postMessage({ type: "stop" } satisfies Message);
    const stopped = await settledWithin(this.stopped, graceMs + END_MS);
    if (lasting) this.worker.unref();
    else if (!stopped || !(await settledWithin(this.exited, graceMs + END_MS))) await this.worker.terminate();
    this.channel.close();
  }

  /** As in the original a thread takes its process with it. */
  private crashed(error: unknown): void {
    if (this.stopping) return;
    console.error(error);
    process.exit(1);
  }
}
