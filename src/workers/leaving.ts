import { setTimeout as sleep } from "node:timers/promises";
import type { FleetListener } from "../server/fleet.ts";
import { beginLeaving, closeAfter, isLeaving } from "../server/readiness.ts";
import type { Server } from "../server/server.ts";
import type { WorkerTask } from "./protocol.ts";

/** How a worker stops without losing a request. */
export class Leaving {
  private readonly task: WorkerTask;
  private readonly onDone: () => void;
  private readonly servers = new Set<Server>();
  private readonly listeners = new Set<FleetListener>();
  private readonly callbacks: (() => unknown)[] = [];
  private hasBegun = false;

  /** @param onDone called when all servers are closed and all callbacks have settled */
  constructor(task: WorkerTask, onDone: () => void) {
    this.task = task;
    this.onDone = onDone;
  }

  addServer(server: Server): void {
    this.servers.add(server);
    server.onClose(() => this.servers.delete(server));
  }

  addListener(listener: FleetListener): void {
    this.listeners.add(listener);
  }

  onStop(callback: () => unknown): void {
    this.callbacks.push(callback);
  }

  /** @param isReplaced whether another worker accepts connections already */
  stop(isReplaced = false): void {
    if (this.hasBegun) return;
    this.hasBegun = true;
    void this.leave(isReplaced);
  }

  private async leave(isReplaced: boolean): Promise<void> {
    const { readyDelayMs, drainMs, graceMs } = this.task;
    const servers = [...this.servers];
    for (const server of servers) {
      beginLeaving(server);
      for (const exchange of server.exchanges) if (!exchange.headSent) closeAfter(exchange);
      server.onRequest((exchange) => {
        if (isLeaving(server)) closeAfter(exchange);
      });
    }
    if (!isReplaced) await sleep(readyDelayMs);
    // Connections that wait to be accepted are left to the other workers.
    for (const listener of this.listeners) listener.close();
    await sleep(isReplaced ? drainMs : 0);
    await Promise.all(servers.map((server) => server.close({ graceMs })));
    for (const callback of this.callbacks) {
      try {
        await callback();
      } catch (error) {
        console.error(error);
      }
    }
    this.onDone();
  }
}
