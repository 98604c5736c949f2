import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Exchange, Outcome, Server, ServerConnection, WebSocket } from "../index.ts";
import { EventSample } from "./event-sample.ts";
import { type Figures, nameOf } from "./figures.ts";
import type { EventRow } from "./messages.ts";

/** Events that are shown of each quarter of a second. */
const EVENTS_PER_TURN = 25;
const MAX_EVENT_TEXT = 300;

/** What the channels of the engine publish; each has some of these. */
interface Report {
  readonly server: Server | undefined;
  readonly connection: ServerConnection;
  readonly exchange: Exchange;
  readonly socket: WebSocket;
  readonly outcome: Outcome;
  readonly status: number;
  readonly durationMs: number;
  readonly code: number;
  readonly reason: string;
  readonly error: unknown;
  readonly where: Exchange | WebSocket | undefined;
}

/** What is said of an event of each channel "portico:…". */
const CHANNELS: Readonly<Record<string, (report: Report) => string>> = {
  "connection:open": ({ connection }) => remoteOf(connection),
  "connection:close": ({ connection }) => remoteOf(connection),
  request: ({ exchange }) => nameOf(exchange),
  response: ({ exchange, status, outcome, durationMs }) =>
    `${nameOf(exchange)}: ${status || "no status"}, ${outcome}, ${durationMs.toFixed(2)} ms`,
  "websocket:open": ({ socket }) => `${socket.request?.path ?? ""} by ${remoteOf(socket)}`,
  "websocket:close": ({ socket, code, reason }) =>
    `${socket.request?.path ?? ""} by ${remoteOf(socket)}: ${code}${reason && ` ${reason}`}`,
  error: ({ error, where }) => `${textOf(error)}${where === undefined ? "" : `, at ${placeOf(where)}`}`,
};

/**
 * Listens to the diagnostics channels for as long as a console is open, and takes what concerns its server, but for
 * the console itself.
 */
export class Watch {
  private readonly sample = new EventSample<EventRow>(EVENTS_PER_TURN);
  private readonly listeners: (readonly [channel: string, listener: (report: unknown) => void])[];

  /**
   * @param figures gets the durations of responses
   * @param isOwn whether an exchange is the console's own
   */
  constructor(server: Server, figures: Figures, isOwn: (exchange: Exchange) => boolean) {
    this.listeners = Object.entries(CHANNELS).map(([kind, describe]) => {
      const listener = (message: unknown): void => {
        const report = message as Report;
        if (report.server !== server) return;
        const exchange = report.exchange ?? report.socket?.request;
        if (exchange !== undefined && isOwn(exchange)) return;
        if (kind === "response") figures.respond(report.outcome, report.durationMs);
        this.sample.add(() => ({
          at: Date.now(),
          kind,
          text: describe(report).slice(0, MAX_EVENT_TEXT),
        }));
      };
      return [`portico:${kind}`, listener];
    });
    for (const [channel, listener] of this.listeners) subscribe(channel, listener);
  }

  /** The events since the last call, and how many were left out because there were too many. */
  take(): { rows: EventRow[]; skipped: number } {
    const { values, skipped } = this.sample.take();
    return { rows: values, skipped };
  }

  stop(): void {
    for (const [channel, listener] of this.listeners) unsubscribe(channel, listener);
  }
}

/** The address of a peer, with its port where there is one. */
export function remoteOf({
  remoteAddress,
  remotePort,
}: Pick<ServerConnection, "remoteAddress" | "remotePort">): string {
  if (remoteAddress === undefined) return "local socket";
  return remoteAddress.includes(":") ? `[${remoteAddress}]:${remotePort}` : `${remoteAddress}:${remotePort}`;
}

/** A program may throw anything, also what cannot be made a text: an error here would end the process. */
function textOf(error: unknown): string {
  try {
    return String(error);
  } catch {
    return "something that has no text";
  }
}

function placeOf(where: Exchange | WebSocket): string {
  return "method" in where ? nameOf(where) : (where.request?.path ?? "");
}
