import type { Exchange } from "../engine/exchange.ts";
import { MAX_TIMER_MS } from "../transport/max-timer.ts";

export interface EventStreamOptions {
  /** How long the client is to wait before it connects again, in milliseconds. By default the client's own few seconds. */
  retryMs?: number;
  /**
   * After so long without an event a comment is sent, so that no proxy takes the stream for dead, in milliseconds;
   * 0: never. Default 15,000.
   */
  heartbeatMs?: number;
  /** A client for which more than this waits at the next event is cut off, and connects again where it was. Default 1 MiB. */
  maxBufferedBytes?: number;
}

/** An event as EventSource gives it (HTML Living Standard §9.2.6). */
export interface ServerSentEvent {
  /** Any text; CRLF and CR arrive as LF. */
  data: string;
  /** The type that the client listens for, in place of "message". */
  event?: string;
  /** What the client sends as `Last-Event-ID` when it connects again; "" forgets it. */
  id?: string;
  /** The new time to wait before connecting again, in milliseconds. */
  retry?: number;
}

const LINE_END = /\r\n|\r|\n/;
const UNSAFE = /[\r\n\0]/;

/** A response that goes on telling events to an EventSource. Safe to keep: after its end calls answer false. */
export class EventStream {
  /** The id of the last event that this client got before it connected again; undefined the first time. */
  readonly lastEventId: string | undefined;
  private readonly exchange: Exchange;
  private readonly maxBufferedBytes: number;
  private readonly listeners: (() => unknown)[] = [];
  private heartbeat: NodeJS.Timeout | undefined;
  private over = false;

  /** Made by {@link eventStream}. */
  constructor(exchange: Exchange, options: EventStreamOptions) {
    const { retryMs, heartbeatMs = 15_000, maxBufferedBytes = 1_048_576 } = options;
    const id = exchange.header("last-event-id");
    this.exchange = exchange;
    this.maxBufferedBytes = maxBufferedBytes;
    // §9.2.4: it is sent as UTF-8.
    this.lastEventId = id === undefined ? undefined : Buffer.from(id, "latin1").toString();
    const first = retryMs === undefined ? "" : `${retryLine(retryMs)}\n`;
    exchange.setHeader("Content-Type", "text/event-stream").setHeader("Cache-Control", "no-store");
    exchange.onAbort(() => this.finish());
    exchange.write(first);
    if (exchange.finished) this.finish();
    else if (heartbeatMs > 0) {
      this.heartbeat = setInterval(() => this.comment(), Math.min(heartbeatMs, MAX_TIMER_MS)).unref();
    }
  }

  /** Whether it is over: closed, or the client has gone. */
  get closed(): boolean {
    return this.over || this.exchange.finished;
  }

  /**
   * Sends an event.
   * @returns whether to go on; after false wait for {@link drained}. False, too, when it is over
   * @throws TypeError for a type or an id with CR, LF or NUL, RangeError for a time that is no whole number
   */
  send({ data, event = "", id, retry }: ServerSentEvent): boolean {
    if (UNSAFE.test(event)) throw new TypeError("the type of an event cannot hold CR, LF or NUL");
    if (id !== undefined && UNSAFE.test(id)) throw new TypeError("an id cannot hold CR, LF or NUL");
    let text = retry === undefined ? "" : retryLine(retry);
    if (event !== "") text += `event: ${event}\n`;
    if (id !== undefined) text += `id: ${id}\n`;
    for (const line of String(data).split(LINE_END)) text += `data: ${line}\n`;
    this.heartbeat?.refresh();
    return this.write(`${text}\n`);
  }

  /** Sends what clients ignore. @returns like {@link send} */
  comment(text = ""): boolean {
    const lines = text.split(LINE_END).map((line) => `: ${line}\n`);
    return this.write(`${lines.join("")}\n`);
  }

  /** Resolves when it can take more: true, or false when it is over. */
  drained(): Promise<boolean> {
    return this.exchange.drained();
  }

  /** Ends the response. The client connects again unless it is told not to by the program, or by a 204 then. */
  close(): void {
    this.exchange.end();
    this.finish();
  }

  /**
   * Calls back once when it is over, for whichever reason; in the next microtask, when it was before. What the listener
   * throws goes to `onError`.
   */
  onClose(listener: () => unknown): void {
    if (this.over) queueMicrotask(() => this.exchange.guard(listener));
    else this.listeners.push(listener);
  }

  private write(text: string): boolean {
    const { exchange } = this;
    if (this.closed) {
      this.finish();
      return false;
    }
    if (exchange.bufferedBytes <= this.maxBufferedBytes) return exchange.write(text);
    exchange.abort();
    return false;
  }

  private finish(): void {
    if (this.over) return;
    this.over = true;
    clearInterval(this.heartbeat);
    for (const listener of this.listeners) this.exchange.guard(listener);
  }
}

/**
 * Answers with server-sent events (HTML Living Standard §9.2): `text/event-stream`, not to be stored, sent as they come.
 * @returns what events are sent with; closed when the response was over already, or the request is HEAD
 * @throws RangeError for a time that is no whole number
 */
export function eventStream(exchange: Exchange, options: EventStreamOptions = {}): EventStream {
  return new EventStream(exchange, options);
}

// §9.2.6: only ASCII digits count.
function retryLine(ms: number): string {
  if (!Number.isSafeInteger(ms) || ms < 0) throw new RangeError(`${ms} is not a time in milliseconds`);
  return `retry: ${ms}\n`;
}
