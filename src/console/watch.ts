import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Exchange, Outcome, Server, ServerConnection, WebSocket } from "../index.ts";
import type { TickReport } from "../loop/index.ts";
import { fleet } from "../server/fleet.ts";
import { EventSample } from "./event-sample.ts";
import { type Figures, nameOf } from "./figures.ts";
import type { EventRow } from "./messages.ts";
import { RouteFigures } from "./route-figures.ts";

/** Events that are shown of each second. */
const EVENTS_PER_SECOND = 100;
const MAX_EVENT_TEXT = 300;

/** What the channels of the engine publish; each has some of these. */
interface Report extends TickReport {
  readonly server: Server | undefined;
  readonly connection: ServerConnection;
  readonly exchange: Exchange;
  readonly socket: WebSocket;
  readonly outcome: Outcome;
  readonly status: number;
  readonly durationMs: number;
  readonly code: number;
  readonly reason: string;
}

/** Describes an event of each channel "portico:…". Errors have a separate log. */
const CHANNELS: Readonly<Record<string, (report: Report) => string>> = {
  "connection:open": ({ connection }) => remoteOf(connection),
  "connection:close": ({ connection }) => remoteOf(connection),
  request: ({ exchange }) => nameOf(exchange),
  response: ({ exchange, status, outcome, durationMs }) =>
    `${nameOf(exchange)}: ${status || "no status"}, ${outcome}, ${durationMs.toFixed(2)} ms`,
  "websocket:open": ({ socket }) => `${socket.request?.path ?? ""} by ${remoteOf(socket)}`,
  "websocket:close": ({ socket, code, reason }) =>
    `${socket.request?.path ?? ""} by ${remoteOf(socket)}: ${code}${reason && ` ${reason}`}`,
  "loop:tick": ({ tick, skippedTicks }) => `${skippedTicks} given up before step ${tick}`,
};

/** Ticks of loops, of which only those are shown as events that come after ticks were given up. */
const TICK = "loop:tick";

/** Listens to the diagnostics channels while a page is open, and keeps what concerns its server but not the console. */
export class Watch {
  private readonly sample = new EventSample<EventRow>(EVENTS_PER_SECOND);
  readonly routes: RouteFigures = new RouteFigures();
  private readonly startedAt = performance.now();
  /** When the requests began that have arrived since the first page was opened. */
  private readonly beganAt = new WeakMap<Exchange, number>();
  private readonly listeners: (readonly [channel: string, listener: (report: unknown) => void])[];

  /**
   * @param figures gets each response
   * @param isOwn whether an exchange is the console's own
   */
  constructor(server: Server, figures: Figures, isOwn: (exchange: Exchange) => boolean) {
    this.listeners = Object.entries(CHANNELS).map(([kind, describe]) => {
      const listener = (message: unknown): void => {
        const report = message as Report;
        if (report.server !== server) return;
        const exchange = report.exchange ?? report.socket?.request;
        if (exchange !== undefined && isOwn(exchange)) return;
        if (kind === TICK && report.skippedTicks === 0) return;
        if (kind === "request") this.beganAt.set(report.exchange, performance.now());
        if (kind === "response") {
          const { outcome, status, durationMs } = report;
          figures.respond(outcome, status, durationMs);
          this.routes.respond(report.exchange, status, outcome, durationMs);
        }
        this.sample.add(() => ({
          at: Date.now(),
          worker: fleet()?.worker ?? 0,
          kind,
          text: describe(report).slice(0, MAX_EVENT_TEXT),
        }));
      };
      return [`portico:${kind}`, listener];
    });
    for (const [channel, listener] of this.listeners) subscribe(channel, listener);
  }

  /** How long a request has been in progress. It is older when it began before this watch. */
  ageOf(exchange: Exchange): { requestAgeMs: number; requestIsOlder: boolean } {
    const beganAt = this.beganAt.get(exchange);
    const requestAgeMs = Math.round(performance.now() - (beganAt ?? this.startedAt));
    return { requestAgeMs, requestIsOlder: beganAt === undefined };
  }

  /** The events since the last call, and how many were left out because there were too many. */
  take(): { values: EventRow[]; skipped: number } {
    return this.sample.take();
  }

  stop(): void {
    for (const [channel, listener] of this.listeners) unsubscribe(channel, listener);
  }
}

/** The address of a client, with its port where there is one. */
export function remoteOf({
  remoteAddress,
  remotePort,
}: Pick<ServerConnection, "remoteAddress" | "remotePort">): string {
  if (remoteAddress === undefined) return "local socket";
  return remoteAddress.includes(":") ? `[${remoteAddress}]:${remotePort}` : `${remoteAddress}:${remotePort}`;
}
