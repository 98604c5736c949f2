import type { Exchange } from "../exchange/exchange.ts";
import { MAX_TIMER_MS } from "../node/max-timer.ts";
import { checkOptions, type OptionNames } from "../options/check-options.ts";

export interface EventStreamOptions {
  /** How long the client is to wait before it connects again, in milliseconds. By default the client's own few seconds. */
  retryMs?: number;
  /**
   * After this time without an event a comment is sent, so that proxies keep the stream open. In milliseconds; 0: never.
   * Default 15,000.
   */
  heartbeatMs?: number;
  /** A client that has more than this waiting at the next event is cut off. It can connect again. In bytes, default 1 MiB. */
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
  /** The type that the client listens for, in place of "message". */
  event?: string;
  /** The client sends it as `Last-Event-ID` when it connects again; "" clears it. */
  id?: string;
  /** The new time to wait before connecting again, in milliseconds. */
  retry?: number;
}

const LINE_END = /\r\n|\r|\n/;
const UNSAFE = /[\r\n\0]/;

/** A response that sends events to an EventSource. Safe to keep: after its end calls return false. */
export class EventStream {
  /** The id of the last event that this client got before it connected again; undefined the first time. */
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

  /** Whether it has ended: it was closed, or the client has disconnected. */
  get closed(): boolean {
    return this.over || this.exchange.finished;
  }

  /**
   * Sends an event.
   * @returns whether to go on. After false, wait for {@link drained}. False also after its end
   * @throws TypeError for a type or an id with CR, LF or NUL, RangeError for a time that is not a whole number
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

  /** Sends a comment, which clients ignore. @returns like {@link send} */
  comment(text = ""): boolean {
    const lines = text.split(LINE_END).map((line) => `: ${line}\n`);
    return this.write(`${lines.join("")}\n`);
  }

  /** Resolves with true when the client can receive more, or with false after its end. */
  drained(): Promise<boolean> {
    return this.exchange.drained();
  }

  /** Ends the response. The client connects again, until its program closes it, or it gets a 204. */
  close(): void {
    this.exchange.end();
    this.finish();
  }

  /**
   * Calls back once when it ends, for any reason; in the next microtask if it has ended before. `onError` gets the errors of
   * the listener.
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
 * @returns the stream; closed if the response has ended before, or the request is HEAD
 * @throws RangeError for a time that is not a whole number
 */
export function eventStream(exchange: Exchange, options: EventStreamOptions = {}): EventStream {
  return new EventStream(exchange, options);
}

// §9.2.6: only ASCII digits count.
function retryLine(ms: number): string {
  if (!Number.isSafeInteger(ms) || ms < 0) throw new RangeError(`${ms} is not a time in milliseconds`);
  return `retry: ${ms}\n`;
}
