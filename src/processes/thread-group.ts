import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { ENVELOPE, type Message, type ThreadData } from "./supervisor.ts";
import { THREAD_BOOTSTRAP } from "./thread-bootstrap.ts";
import { settledWithin } from "./waiting.ts";

/** Extra time for a thread to end, on top of the time of its server, in milliseconds. */
const END_MS = 1_000;

/** The further threads of a process. Each runs the program's main script again. */
export class ThreadGroup {
  private readonly isLasting: boolean;
  private readonly threads: Thread[] = [];

  /**
   * @param count how many
   * @param isLasting whether they use the descriptor of the process, see {@link Thread.stop}
   * @param onStopRequest called when the program in a thread asks to stop everything
   */
  constructor(
    count: number,
    config: { readonly kind: string },
    isLasting: boolean,
    onStopRequest: () => void,
  ) {
    this.isLasting = isLasting;
    for (let i = 0; i < count; i++) this.threads.push(new Thread(config, onStopRequest));
  }

  /** @returns when all of them serve @throws the first error, when one of them cannot */
  async started(): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.ready));
  }

  /** @param graceMs how long the servers in them can take, in milliseconds */
  async stop(graceMs: number): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.stop(graceMs, this.isLasting)));
  }
}

class Thread {
  /** Resolves when it serves. */
  readonly ready: Promise<void>;
  private readonly worker: Worker;
  private readonly channel: MessagePort;
  private readonly stopped: Promise<void>;
  private readonly exited: Promise<void>;
  private isStopping = false;
  private isServing = false;

  constructor(config: { readonly kind: string }, onStopRequest: () => void) {
    const { port1, port2 } = new MessageChannel();
    const workerData: ThreadData = { [ENVELOPE]: { config, channel: port2 } };
    const script = process.argv[1];
    if (script === undefined) throw new Error("threads need a main script to run again");
    // Hooks of a preloaded loader must be registered again in a thread.
    const preloaded = process.execArgv.some((argument) => argument.includes("tsx"));
    this.worker = new Worker(preloaded ? THREAD_BOOTSTRAP : script, {
      argv: preloaded ? [script, ...process.argv.slice(2)] : process.argv.slice(2),
      eval: preloaded,
      workerData,
      transferList: [port2],
    });
    this.channel = port1;
    let resolveStopped: () => void = () => {};
    this.stopped = new Promise((resolve) => {
      resolveStopped = resolve;
    });
    this.exited = new Promise((resolve) => this.worker.once("exit", () => resolve()));
    this.ready = new Promise((resolve, reject) => {
      port1.on("message", (message: Message) => {
        if (message.type === "ready") {
          this.isServing = true;
          resolve();
        } else if (message.type === "failed")
          reject(Object.assign(new Error(message.message), { code: message.code }));
        else if (message.type === "stop") onStopRequest();
        else if (message.type === "stopped") resolveStopped();
      });
      this.worker.on("error", (error) => {
        if (this.isServing) this.crashed(error);
        reject(error);
      });
      this.worker.on("exit", (code) => {
        resolveStopped();
        if (this.isServing && !this.isStopping) this.crashed(`a thread has ended with ${code}`);
        reject(new Error(`a thread ended with ${code} before it was ready`));
      });
    });
    // A group that stops while it starts does not wait for `ready`. A rejection is then not an error.
    this.ready.catch(() => {});
  }

  /**
   * @param isLasting whether the thread uses the descriptor of the process. Its end would close that number, which can be
   *   another file by then, so the thread stays idle and ends with the process
   */
  async stop(graceMs: number, isLasting: boolean): Promise<void> {
    this.isStopping = true;
    this.channel.postMessage({ type: "stop" } satisfies Message);
    const stopped = await settledWithin(this.stopped, graceMs + END_MS);
    if (isLasting) this.worker.unref();
    else if (!stopped || !(await settledWithin(this.exited, graceMs + END_MS))) await this.worker.terminate();
    this.channel.close();
  }

  /** Ends the process, as a crashed thread does in the original. */
  private crashed(error: unknown): void {
    if (this.isStopping) return;
    console.error(error);
    process.exit(1);
  }
}
