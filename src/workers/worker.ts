import { type Supervisor, supervisor } from "../processes/supervisor.ts";
import { setDefaultBroker } from "../server/broker.ts";
import { type FleetAnswers, joinFleet } from "../server/fleet.ts";
import { Server } from "../server/server.ts";
import { Batch } from "./batch.ts";
import { ChannelBroker } from "./channel-broker.ts";
import { Leaving } from "./leaving.ts";
import type { ToPrimary, ToWorker, WorkerTask } from "./protocol.ts";

/** Where a question waits for its answers. */
type Waiting = (answers: FleetAnswers) => void;

/** This process as a worker. */
export class Worker {
  private readonly supervisor: Supervisor;
  private readonly toPrimary: Batch<ToPrimary>;
  private readonly brokers: ChannelBroker[] = [];
  private readonly answers = new Map<string, (detail: unknown) => unknown>();
  private readonly waiting = new Map<number, Waiting>();
  private readonly leaving: Leaving;
  private lastQuestion = 0;
  private port: number | undefined;
  private isLoaded = false;
  private isReady = false;
  /** The number of this worker, from 1. A replacement keeps the number. */
  readonly id: number;
  /** The number of workers. */
  readonly count: number;
  /** @internal The URL of the module that this worker runs. */
  readonly module: string;

  /** @internal */
  constructor(link: Supervisor, task: WorkerTask) {
    this.supervisor = link;
    this.toPrimary = new Batch((data, onSent) => link.send({ type: "data", data }, onSent));
    this.id = task.number;
    this.count = task.workers;
    this.module = task.module;
    this.leaving = new Leaving(task, () => this.exit());
    link.onMessage((message) => {
      if (message.type === "stop") this.leaving.stop();
      else if (message.type === "replaced") this.leaving.stop(true);
      else if (message.type === "data") for (const data of message.data as ToWorker[]) this.onData(data);
    });
    // The primary passes on what a terminal sends to all processes.
    process.on("SIGINT", () => {});
    process.on("SIGHUP", () => {});
    process.on("SIGTERM", () => this.leaving.stop());
    joinFleet({
      worker: task.number,
      onServer: (server) => server instanceof Server && this.leaving.addServer(server),
      onListening: (listener) => {
        this.leaving.addListener(listener);
        this.port ??= listener.port;
        this.readyIfDone();
      },
      ask: (name, timeoutMs, detail) => this.ask(name, timeoutMs, detail),
      answer: (name, answer) => void this.answers.set(name, answer),
    });
    setDefaultBroker(() => {
      const broker = new ChannelBroker(this.brokers.length, this.toPrimary);
      this.brokers.push(broker);
      return broker;
    });
  }

  /**
   * Reports that this worker serves. This happens automatically once its module has been evaluated and a server
   * listens. Call it in a module whose evaluation does not end.
   */
  ready(): void {
    this.isLoaded = true;
    this.readyIfDone();
  }

  /** Runs a function when this worker stops, after its servers have closed. A returned promise is awaited. */
  onStop(callback: () => unknown): void {
    this.leaving.onStop(callback);
  }

  private readyIfDone(): void {
    if (!this.isLoaded || this.port === undefined || this.isReady) return;
    this.isReady = true;
    this.supervisor.send({ type: "ready", port: this.port });
  }

  private ask(name: string, timeoutMs: number, detail: unknown): Promise<FleetAnswers> {
    const id = ++this.lastQuestion;
    return new Promise((resolve) => {
      this.waiting.set(id, resolve);
      this.toPrimary.add({ kind: "ask", id, name, timeoutMs, detail });
    });
  }

  private onData(data: ToWorker): void {
    if (data.kind === "message") this.brokers[data.server]?.onMessage(data.topic, data.message);
    else if (data.kind === "question") void this.answer(data.id, data.name, data.detail);
    else {
      this.waiting.get(data.id)?.(data);
      this.waiting.delete(data.id);
    }
  }

  private async answer(id: number, name: string, detail: unknown): Promise<void> {
    let value: unknown;
    try {
      value = await this.answers.get(name)?.(detail);
    } catch (error) {
      console.error(error);
    }
    this.toPrimary.add({ kind: "answer", id, value });
  }

  private exit(): void {
    this.toPrimary.flush();
    this.supervisor.send({ type: "stopped" }, () => process.exit());
  }
}

/** This process as a worker; undefined in the primary, and in a program that runs alone. */
export const worker: Worker | undefined = workerOf(supervisor);

function workerOf(given: Supervisor | undefined): Worker | undefined {
  return given?.config.kind === "workers" ? new Worker(given, given.config as WorkerTask) : undefined;
}
