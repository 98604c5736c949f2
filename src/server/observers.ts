import { channel } from "node:diagnostics_channel";
import type { Outcome } from "../connection/http-context.ts";
import { callHandler, isThenable } from "../delivery/call-handler.ts";
import type { Exchange, WebSocket } from "../exchange/exchange.ts";
import type { Connection } from "../limits/connection.ts";
import { publishClose, publishError, publishOpen } from "../websocket/channels.ts";
import type { FailureHook } from "./failures.ts";
import { fleet } from "./fleet.ts";
import { serverConnectionOf } from "./server-connection.ts";

/** The details of a response, for response hooks. */
export interface ResponseReport {
  readonly outcome: Outcome;
  /** The status that was sent; 0 if none was sent. */
  readonly status: number;
  /** From the head of the request to the end of the response, in milliseconds. */
  readonly durationMs: number;
}

/**
 * A hook that runs before the route. A returned promise is awaited. There are two types, so that linters accept
 * asynchronous hooks, and synchronous hooks can return any value.
 */
export type RequestHook = ((exchange: Exchange) => void) | ((exchange: Exchange) => Promise<void>);
export type ResponseHook = (exchange: Exchange, report: ResponseReport) => unknown;

/** Hooks that are added and removed together, in the order in which they run. */
export interface Hooks {
  readonly request: RequestHook[];
  readonly response: ResponseHook[];
  readonly failure: FailureHook[];
}

const connectionOpen = channel("portico:connection:open");
const connectionClose = channel("portico:connection:close");
const request = channel("portico:request");
const response = channel("portico:response");

/** Runs the hooks of a server, and notifies the subscribers of node:diagnostics_channel. */
export class Observers {
  private readonly server: object;
  requestHooks: RequestHook[] = [];
  responseHooks: ResponseHook[] = [];
  failureHooks: FailureHook[] = [];

  constructor(server: object) {
    this.server = server;
    fleet()?.onServer(server);
  }

  /** Replaces hooks by others, after those that stay. */
  replaceHooks(former: Hooks, next: Hooks): void {
    this.requestHooks = replaced(this.requestHooks, former.request, next.request);
    this.responseHooks = replaced(this.responseHooks, former.response, next.response);
    this.failureHooks = replaced(this.failureHooks, former.failure, next.failure);
  }

  /** Whether {@link requestBegan} and {@link responseEnded} are to be called. */
  get hasExchangeObservers(): boolean {
    return (
      this.requestHooks.length > 0 ||
      this.responseHooks.length > 0 ||
      request.hasSubscribers ||
      response.hasSubscribers
    );
  }

  /**
   * Called when a request has arrived. A hook can answer it.
   * @returns undefined if all hooks are done, or a promise, which rejects with the error of a hook
   * @throws the error of a hook
   */
  requestBegan(exchange: Exchange): Promise<void> | undefined {
    exchange.driver.startedAt = performance.now();
    if (request.hasSubscribers) request.publish({ server: this.server, exchange });
    const { requestHooks } = this;
    let next = 0;
    for (const hook of requestHooks) {
      next++;
      const result: unknown = hook(exchange);
      if (isThenable(result)) return finishHooks(result, requestHooks.slice(next), exchange);
      if (exchange.driver.hasAnswer) return undefined;
    }
    return undefined;
  }

  /** Runs the response hooks. @param onError receives errors and rejections of hooks; the other hooks still run */
  responseEnded(
    exchange: Exchange,
    outcome: Outcome,
    status: number,
    onError: (error: unknown) => void,
  ): void {
    const report = { outcome, status, durationMs: performance.now() - exchange.driver.startedAt };
    if (response.hasSubscribers) response.publish({ server: this.server, exchange, ...report });
    for (const hook of this.responseHooks) callHandler(() => hook(exchange, report), onError);
  }

  connectionOpened(connection: Connection): void {
    if (!connectionOpen.hasSubscribers) return;
    connectionOpen.publish({ server: this.server, connection: serverConnectionOf(connection) });
  }

  connectionClosed(connection: Connection): void {
    if (!connectionClose.hasSubscribers) return;
    connectionClose.publish({ server: this.server, connection: serverConnectionOf(connection) });
  }

  webSocketOpened(socket: WebSocket): void {
    publishOpen(this.server, socket);
  }

  webSocketClosed(socket: WebSocket, code: number, reason: string): void {
    publishClose(this.server, socket, code, reason);
  }

  errorReported(error: unknown, where: Exchange | WebSocket | undefined): void {
    publishError(this.server, error, where);
  }
}

/** Waits for a hook, and runs the others one after the other; none of them when the request has been answered or lost. */
async function finishHooks(
  first: PromiseLike<unknown>,
  others: readonly RequestHook[],
  exchange: Exchange,
): Promise<void> {
  await first;
  for (const hook of others) {
    if (exchange.driver.hasAnswer) return;
    await hook(exchange);
  }
}

function replaced<Hook>(hooks: readonly Hook[], former: readonly Hook[], next: readonly Hook[]): Hook[] {
  return [...hooks.filter((hook) => !former.includes(hook)), ...next];
}
