import type { Exchange } from "../exchange/exchange.ts";
import { MAX_TIMER_MS } from "../node/max-timer.ts";
import { checkOptions, type OptionNames } from "../options/check-options.ts";

export interface EventStreamOptions {
  /** How long the client waits before it reconnects, in milliseconds. Default: a few seconds, as the client chooses. */
  retryMs?: number;
  /**
   * The time without an event after which a comment is sent, so that proxies keep the stream open. In milliseconds; 0
   * means never. Default 15,000.
   */
  heartbeatMs?: number;
  /**
   * How much data can wait for a client, in bytes. If more waits at the next event, the client is disconnected; it can
   * reconnect. Default 1 MiB.
   */
  maxBufferedBytes?: number;
}

const eventStreamOptionNames: OptionNames<EventStreamOptions> = {
  retryMs: true,
  heartbeatMs: true,
  maxBufferedBytes: true,
};

/** An event of EventSource (HTML Living Standard §9.2.6). */
export interface ServerSentEvent {
  /** Any text; CRLF and CR arrive as LF. */
  data: string;
  /** The event type that the client listens for. Default "message". */
  event?: string;
  /** The id, which the client sends as `Last-Event-ID` when it reconnects; "" clears it. */
  id?: string;
  /** The new time to wait before reconnecting, in milliseconds. */
  retry?: number;
}

const LINE_END = /\r\n|\r|\n/;
const UNSAFE = /[\r\n\0]/;

/** A response that sends events to an EventSource. You can keep it: after it has ended, calls return false. */
export class EventStream {
  /** The id of the last event that this client received before it reconnected; undefined the first time. */
  readonly lastEventId: string | undefined;
  private readonly exchange: Exchange;
  private readonly maxBufferedBytes: number;
  private readonly listeners: (() => unknown)[] = [];
  private heartbeat: NodeJS.Timeout | undefined;
  private over = false;

  /** @internal Made by {@link eventStream}. */
  constructor(exchange: Exchange, options: EventStreamOptions) {
    checkOptions("eventStream", options, eventStreamOptionNames);
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

  /** Whether it was closed, or the client has disconnected. */
  get closed(): boolean {
    return this.over || this.exchange.finished;
  }

  /**
   * Sends an event.
   * @returns whether to continue. After false, wait for {@link drained}. Also false after its end
   * @throws TypeError for a type or an id with CR, LF or NUL, RangeError for a time that is not an integer
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

  /** Sends a comment, which clients ignore. @returns the same as {@link send} */
  comment(text = ""): boolean {
    const lines = text.split(LINE_END).map((line) => `: ${line}\n`);
    return this.write(`${lines.join("")}\n`);
  }

  /** Resolves with true when the client can receive more, or with false after its end. */
  drained(): Promise<boolean> {
    return this.exchange.drained();
  }

  /** Ends the response. The client reconnects, unless its program closes the EventSource or it gets a 204. */
  close(): void {
    this.exchange.end();
    this.finish();
  }

  /**
   * Calls back once when it ends for any reason, or in the next microtask if it has already ended. `onError` receives
   * errors of the listener.
   */
  onClose(listener: () => unknown): void {
    if (this.over) queueMicrotask(() => this.exchange.driver.call(listener));
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
    for (const listener of this.listeners) this.exchange.driver.call(listener);
  }
}

/**
 * Answers with server-sent events (HTML Living Standard §9.2): `text/event-stream`, not stored by caches, sent at once.
 * @returns the stream, which is closed if the response has already ended, or if the request is HEAD
 * @throws RangeError for a time that is not an integer
 */
export function eventStream(exchange: Exchange, options: EventStreamOptions = {}): EventStream {
  return new EventStream(exchange, options);
}

// §9.2.6: only ASCII digits count.
function retryLine(ms: number): string {
  if (!Number.isSafeInteger(ms) || ms < 0)
    throw new RangeError(`${ms} is not a time in milliseconds. Use a number of at least 0`);
  return `retry: ${ms}\n`;
}
