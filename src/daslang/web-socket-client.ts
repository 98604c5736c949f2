import { connect } from "../client/client.ts";
import { Fifo } from "../delivery/fifo.ts";
import type { WebSocket } from "../exchange/exchange.ts";
import { errnoOf } from "./system-error.ts";

const TEXT = 1;
const BINARY = 2;
/** What can wait for a call of `process_event_que` before the server is paused. */
const MAX_WAITING_BYTES = 1_048_576;
/** What an event counts in addition to its data. */
const EVENT_BYTES = 128;

interface Waiting {
  readonly bytes: number;
  readonly run: () => void;
}

/** A WebSocket to a server, for programs with their own loop. Callbacks run inside `process_event_que` only. */
export class WebSocketClient {
  private readonly waiting = new Fifo<Waiting>();
  private waitingBytes = 0;
  private socket: WebSocket | undefined;
  private attempt: AbortController | undefined;
  private isOpen = false;

  /** Called when the WebSocket has opened. */
  onOpen(): void {}
  /** Called when it has ended or could not be opened. */
  onClose(): void {}
  /** Called with a message: text as a string, binary data as a Buffer. */
  onMessage(_msg: string | Buffer): void {}
  /** Called with the same message, its length in bytes, and 1 for text or 2 for binary data. */
  onMessageFrame(_msg: string | Buffer, _byte_count: number, _opcode: number): void {}
  /** Called when it could not be opened. @param _code the system's error number (negative); -1 if there is none */
  onError(_msg: string, _code: number): void {}

  /** Returns whether it is open, as of the last call of `process_event_que`. */
  is_connected(): boolean {
    return this.isOpen;
  }

  /**
   * Starts to connect. A later `process_event_que` calls `onOpen`, or `onError` and `onClose`.
   * @param url a ws: or wss: URL
   * @returns false if it is connecting or connected
   */
  init(url: string): boolean {
    if (this.attempt !== undefined) return false;
    const attempt = new AbortController();
    this.attempt = attempt;
    connect(
      url,
      {
        open: (socket) => {
          this.socket = socket;
          this.add(0, () => {
            this.isOpen = true;
            this.onOpen();
          });
        },
        message: (_, data, binary) => {
          const msg = binary ? data : data.toString("utf8");
          this.add(data.length, () => {
            this.onMessageFrame(msg, data.length, binary ? BINARY : TEXT);
            this.onMessage(msg);
          });
        },
        close: () => this.add(0, () => this.end()),
      },
      { signal: attempt.signal },
    ).catch((error: unknown) => {
      this.add(0, () => {
        this.end(() => this.onError(error instanceof Error ? error.message : String(error), errnoOf(error)));
      });
    });
    return true;
  }

  /** Runs the callbacks for everything that has happened, in order. An error of a callback is thrown from here. */
  process_event_que(): void {
    for (let left = this.waiting.length; left > 0; left--) {
      const event = this.waiting.shift();
      if (event === undefined) return;
      this.waitingBytes -= event.bytes;
      if (this.waitingBytes <= MAX_WAITING_BYTES / 2) this.socket?.resume();
      event.run();
    }
  }

  /**
   * Sends a message.
   * @param opcode 1 for text, 2 for binary data; by default depends on the type of `msg`
   * @returns false if it is not open, or the server is too slow to receive more
   */
  send(msg: string | Uint8Array, opcode: number = typeof msg === "string" ? TEXT : BINARY): boolean {
    if (this.socket === undefined) return false;
    const own = typeof msg === "string" ? msg : Buffer.from(msg);
    const result = this.socket.send(own, { binary: opcode !== TEXT });
    return result === "sent" || result === "queued";
  }

  /** Closes it, or cancels the attempt. A later `process_event_que` calls `onClose`. */
  close(): void {
    if (this.socket === undefined) this.attempt?.abort(new Error("closed by the program"));
    else this.socket.close();
  }

  private add(bytes: number, run: () => void): void {
    const cost = bytes + EVENT_BYTES;
    this.waiting.push({ bytes: cost, run });
    this.waitingBytes += cost;
    if (this.waitingBytes > MAX_WAITING_BYTES) this.socket?.pause();
  }

  private end(report: () => void = () => {}): void {
    this.isOpen = false;
    this.socket = undefined;
    this.attempt = undefined;
    try {
      report();
    } finally {
      this.onClose();
    }
  }
}
