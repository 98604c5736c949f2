import { callProgram } from "./call-program.ts";
import { checkTimes, later } from "./timers.ts";

/** The parts of a WebSocket that are used, from a browser or another runtime. */
export interface SocketLike {
  binaryType: string;
  readonly protocol: string;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
}

/**
 * "connecting": an attempt is in progress. "open": messages can be sent. "waiting": the next attempt follows after a pause.
 * "offline": the browser has no network, and the next attempt follows once it has. "closed": there are no more attempts.
 */
export type ConnectionState = "connecting" | "open" | "waiting" | "offline" | "closed";

export interface ReconnectOptions {
  /** Subprotocols to offer. */
  protocols?: string[];
  /** The first pause before another attempt, in milliseconds. Each further pause is twice as long. Default 500. */
  minPauseMs?: number;
  /** The longest pause, in milliseconds. Default 30 s. */
  maxPauseMs?: number;
  /** How long an attempt can take, including the sign-in, in milliseconds. Default 10 s. */
  connectTimeoutMs?: number;
  /** How long to wait for any message after a ping, in milliseconds. Default 10 s. */
  pongTimeoutMs?: number;
  /** Creates each WebSocket, for example through a proxy. Default: the `WebSocket` of the runtime. */
  makeSocket?: (url: string, protocols: string[]) => SocketLike;
}

export interface ReconnectEvents {
  /** A connection is open. Call {@link ReconnectingSocket.settle} once it works; otherwise the attempt times out. */
  onOpen(): void;
  onMessage(data: string | ArrayBuffer): void;
  /** A connection has ended. @param wasStable whether it had worked for a while @returns false to stop reconnecting */
  onClose(code: number, reason: string, wasStable: boolean): boolean;
  onState(state: ConnectionState): void;
  /** Returns the message to send after a silence. The server must answer it. */
  ping(): string | Uint8Array<ArrayBuffer>;
}

const ABNORMAL = 1006;
/** A connection that has worked for so long is stable. */
const STABLE_MS = 3_000;

interface PageLike {
  readonly visibilityState?: string;
  addEventListener(type: string, listener: () => void): void;
  removeEventListener(type: string, listener: () => void): void;
}

const { navigator, document } = globalThis as {
  navigator?: { readonly onLine?: boolean };
  document?: PageLike;
};

/**
 * A WebSocket that reconnects after growing pauses. A random part of each pause (jitter) keeps the clients of a restarting
 * server from coming all at once. When the network or the page is back, it reconnects without a pause. A connection whose
 * server stays silent is replaced.
 */
export class ReconnectingSocket {
  state: ConnectionState = "waiting";
  private readonly url: () => string | Promise<string>;
  private readonly options: ReconnectOptions;
  private readonly times: Readonly<
    Record<"minPauseMs" | "maxPauseMs" | "connectTimeoutMs" | "pongTimeoutMs", number>
  >;
  private readonly events: ReconnectEvents;
  private socket: SocketLike | undefined;
  /** Failed attempts and unstable connections in a row. */
  private attempts = 0;
  private isStable = false;
  /** The timer of the current attempt or pause. */
  private timer: ReturnType<typeof setTimeout> | undefined;
  private heartbeat: ReturnType<typeof setTimeout> | undefined;
  private pingAfterMs = 0;
  private readonly wake = (): void => this.onWake();

  /** @throws Error in a runtime without WebSocket, unless `makeSocket` is set; RangeError for a time that is not above 0 */
  constructor(url: () => string | Promise<string>, options: ReconnectOptions, events: ReconnectEvents) {
    if (options.makeSocket === undefined && !("WebSocket" in globalThis)) {
      throw new Error(
        "This runtime has no WebSocket. Set makeSocket to a function that creates one, for example with the package ws.",
      );
    }
    const {
      minPauseMs = 500,
      maxPauseMs = 30_000,
      connectTimeoutMs = 10_000,
      pongTimeoutMs = 10_000,
    } = options;
    this.times = { minPauseMs, maxPauseMs, connectTimeoutMs, pongTimeoutMs };
    checkTimes(this.times);
    this.url = url;
    this.options = options;
    this.events = events;
    const page = globalThis as Partial<PageLike>;
    page.addEventListener?.("online", this.wake);
    page.addEventListener?.("offline", this.wake);
    document?.addEventListener("visibilitychange", this.wake);
    this.next(0);
  }

  /** The subprotocol of the open connection. */
  get protocol(): string {
    return this.socket?.protocol ?? "";
  }

  /** Sends a message. @returns false when no connection is open */
  send(data: string | Uint8Array<ArrayBuffer>): boolean {
    if (this.state !== "open") return false;
    this.socket?.send(data);
    return true;
  }

  /**
   * Reports that the connection works, which ends the timeout of the attempt. If it works for a while, the next pause is
   * short.
   * @param pingAfterMs sends a ping after such a silence, in milliseconds; 0: never
   */
  settle(pingAfterMs: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.isStable = true;
    }, STABLE_MS);
    this.pingAfterMs = pingAfterMs;
    this.listenForSilence();
  }

  /** Ends the connection, and reconnects. */
  restart(): void {
    if (this.state !== "closed") this.ended(ABNORMAL, "");
  }

  /** Ends the connection for good. */
  close(code = 1000, reason = ""): void {
    if (this.state === "closed") return;
    const { socket } = this;
    this.drop();
    socket?.close(code, reason);
    const page = globalThis as Partial<PageLike>;
    page.removeEventListener?.("online", this.wake);
    page.removeEventListener?.("offline", this.wake);
    document?.removeEventListener("visibilitychange", this.wake);
    this.setState("closed");
  }

  private async connect(): Promise<void> {
    const { protocols = [], makeSocket = standardSocket } = this.options;
    // An attempt that a newer one has replaced does nothing, nor does one that the program ends when it hears of it.
    const timer = later(() => this.ended(ABNORMAL, "timeout"), this.times.connectTimeoutMs);
    this.timer = timer;
    this.setState("connecting");
    try {
      const url = await this.url();
      if (this.timer !== timer) return;
      const socket = makeSocket(url, protocols);
      this.socket = socket;
      socket.binaryType = "arraybuffer";
      socket.onopen = () => {
        this.setState("open");
        if (this.socket === socket) this.events.onOpen();
      };
      socket.onmessage = ({ data }: { data: string | ArrayBuffer }) => {
        if (this.pingAfterMs > 0) this.listenForSilence();
        this.events.onMessage(data);
      };
      socket.onclose = ({ code, reason }: { code: number; reason: string }) => this.ended(code, reason);
      // A close event follows each error.
      socket.onerror = () => {};
    } catch (error) {
      if (this.timer === timer) this.ended(ABNORMAL, String(error));
    }
  }

  private ended(code: number, reason: string): void {
    const { socket } = this;
    const wasStable = this.isStable;
    if (wasStable) this.attempts = 0;
    this.isStable = false;
    this.drop();
    // The close event is not awaited: a silent server would delay it.
    socket?.close();
    if (!this.events.onClose(code, reason, wasStable)) this.close();
    else if (this.state !== "closed") {
      const { minPauseMs, maxPauseMs } = this.times;
      const pause = Math.min(maxPauseMs, minPauseMs * 2 ** this.attempts++);
      this.next(pause * (0.5 + Math.random() / 2));
    }
  }

  private next(pauseMs: number): void {
    if (navigator?.onLine === false) this.setState("offline");
    else {
      this.timer = later(() => void this.connect(), pauseMs);
      this.setState("waiting");
    }
  }

  /** Releases the socket and all timers. */
  private drop(): void {
    clearTimeout(this.timer);
    clearTimeout(this.heartbeat);
    this.timer = undefined;
    this.pingAfterMs = 0;
    if (this.socket === undefined) return;
    this.socket.onopen = null;
    this.socket.onmessage = null;
    this.socket.onclose = null;
    this.socket = undefined;
  }

  /** Called when the network or the visibility of the page changes. */
  private onWake(): void {
    const isOnline = navigator?.onLine !== false;
    if (this.state === "open") {
      // The connection might not have survived.
      if (this.pingAfterMs > 0) this.ping();
    } else if (this.state === "waiting" || this.state === "offline") {
      clearTimeout(this.timer);
      if (isOnline) this.next(0);
      else this.setState("offline");
    }
  }

  private listenForSilence(): void {
    clearTimeout(this.heartbeat);
    if (this.pingAfterMs > 0) this.heartbeat = later(() => this.ping(), this.pingAfterMs);
  }

  private ping(): void {
    clearTimeout(this.heartbeat);
    this.send(this.events.ping());
    this.heartbeat = later(() => this.ended(ABNORMAL, "silence"), this.times.pongTimeoutMs);
  }

  private setState(state: ConnectionState): void {
    if (this.state === state) return;
    this.state = state;
    callProgram(() => this.events.onState(state));
  }
}

function standardSocket(url: string, protocols: string[]): SocketLike {
  const { WebSocket } = globalThis as unknown as {
    WebSocket: new (url: string, protocols: string[]) => SocketLike;
  };
  return new WebSocket(url, protocols);
}

/**
 * Returns the address of a WebSocket. On a page, it can be relative.
 * @throws TypeError for an invalid URL
 */
export function addressOf(url: string | URL): URL {
  const { location } = globalThis as { location?: { readonly href: string } };
  const address = new URL(url, location?.href);
  address.protocol = address.protocol.replace("http", "ws");
  return address;
}
