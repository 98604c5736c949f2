import { channel } from "node:diagnostics_channel";
import type { Transport } from "../transport/transport.ts";
import { callHandler } from "./call-handler.ts";
import type { Exchange } from "./exchange.ts";
import type { Server } from "./server.ts";
import { connectionOn } from "./server-connection.ts";
import { isThenable } from "./thenable.ts";
import type { WebSocket } from "./web-socket.ts";

/**
 * How an exchange has ended: its response is complete; the peer has gone before, or the response was broken off; or
 * it has become a WebSocket.
 */
export type Outcome = "complete" | "aborted" | "upgraded";

/** What a response hook is told. */
export interface ResponseReport {
  readonly outcome: Outcome;
  /** The status that was sent, 0 when none was. */
  readonly status: number;
  /** From the head of the request to the end of the response, in milliseconds. */
  readonly durationMs: number;
}

export type RequestHook = (exchange: Exchange) => unknown;
export type ResponseHook = (exchange: Exchange, report: ResponseReport) => unknown;

/** Hooks that are added and removed together, in the order in which they run. */
export interface Hooks {
  readonly request: RequestHook[];
  readonly response: ResponseHook[];
}

const connectionOpen = channel("portico:connection:open");
const connectionClose = channel("portico:connection:close");
const request = channel("portico:request");
const response = channel("portico:response");
const webSocketOpen = channel("portico:websocket:open");
const webSocketClose = channel("portico:websocket:close");
const failure = channel("portico:error");

/** Who looks on: the hooks of a server, and the subscribers of node:diagnostics_channel. */
export class Observers {
  /** Undefined for a client. */
  private readonly server: Server | undefined;
  requestHooks: RequestHook[] = [];
  responseHooks: ResponseHook[] = [];

  constructor(server: Server | undefined) {
    this.server = server;
  }

  /** Puts hooks in place of others, behind those that stay. */
  replaceHooks(former: Hooks, next: Hooks): void {
    const { requestHooks, responseHooks } = this;
    this.requestHooks = [...requestHooks.filter((hook) => !former.request.includes(hook)), ...next.request];
    this.responseHooks = [
      ...responseHooks.filter((hook) => !former.response.includes(hook)),
      ...next.response,
    ];
  }

  /** Whether {@link begun} and {@link ended} are to be called. */
  get watchesExchanges(): boolean {
    return (
      this.requestHooks.length > 0 ||
      this.responseHooks.length > 0 ||
      request.hasSubscribers ||
      response.hasSubscribers
    );
  }

  /**
   * A request has arrived; a hook may answer it.
   * @param failed gets what a promise of a hook rejects with
   * @throws what a hook throws
   */
  begun(exchange: Exchange, failed: (error: unknown) => void): void {
    exchange.startedAt = performance.now();
    if (request.hasSubscribers) request.publish({ server: this.server, exchange });
    for (const hook of this.requestHooks) {
      const result = hook(exchange);
      if (isThenable(result)) result.then(undefined, failed);
      if (exchange.headSent) return;
    }
  }

  /** @param failed gets what a hook throws, or its promise rejects with; the others run all the same */
  ended(exchange: Exchange, outcome: Outcome, status: number, failed: (error: unknown) => void): void {
    const report = { outcome, status, durationMs: performance.now() - exchange.startedAt };
    if (response.hasSubscribers) response.publish({ server: this.server, exchange, ...report });
    for (const hook of this.responseHooks) callHandler(() => hook(exchange, report), failed);
  }

  connectionOpened(transport: Transport): void {
    if (!connectionOpen.hasSubscribers) return;
    connectionOpen.publish({ server: this.server, connection: connectionOn(transport) });
  }

  connectionClosed(transport: Transport): void {
    if (!connectionClose.hasSubscribers) return;
    connectionClose.publish({ server: this.server, connection: connectionOn(transport) });
  }

  webSocketOpened(socket: WebSocket): void {
    if (webSocketOpen.hasSubscribers) webSocketOpen.publish({ server: this.server, socket });
  }

  webSocketClosed(socket: WebSocket, code: number, reason: string): void {
    if (webSocketClose.hasSubscribers) webSocketClose.publish({ server: this.server, socket, code, reason });
  }

  failed(error: unknown, where: Exchange | WebSocket | undefined): void {
    if (failure.hasSubscribers) failure.publish({ server: this.server, error, where });
  }
}
