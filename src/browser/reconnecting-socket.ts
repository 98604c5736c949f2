/** What is used of a WebSocket, of a browser or of another runtime. */
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
 * "connecting": an attempt is under way. "open": messages can be sent. "waiting": the next attempt comes after a pause.
 * "offline": the browser has no network, and the next attempt comes when it has. "closed": the end.
 */
export type ConnectionState = "connecting" | "open" | "waiting" | "offline" | "closed";

export interface ReconnectOptions {
  /** Subprotocols to ask for. */
  protocols?: string[];
  /** The first pause before another attempt, in milliseconds; each next one is twice as long. Default 500. */
  minPauseMs?: number;
  /** The longest pause, in milliseconds. Default 30 s. */
  maxPauseMs?: number;
  /** For an attempt, the sign-in included, in milliseconds. Default 10 s. */
  connectTimeoutMs?: number;
  /** For anything to arrive after a ping, in milliseconds. Default 10 s. */
  pongTimeoutMs?: number;
  /** Makes each WebSocket, such as through a proxy. Default: the `WebSocket` of the runtime. */
  makeSocket?: (url: string, protocols: string[]) => SocketLike;
}

export interface ReconnectEvents {
  /** A connection is open. Call {@link ReconnectingSocket.settle} when it works; it is given up otherwise. */
  onOpen(): void;
  onMessage(data: string | ArrayBuffer): void;
  /** A connection has ended. @param wasStable whether it had worked for a while @returns false not to come back */
  onClose(code: number, reason: string, wasStable: boolean): boolean;
  onState(state: ConnectionState): void;
  /** Returns what to send after a silence, so that the server answers. */
  ping(): string | Uint8Array<ArrayBuffer>;
}

const ABNORMAL = 1006;
/** A connection that has worked for so long is good. */
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
 * A WebSocket that comes back: after growing pauses with jitter (a random part, so that the clients of a server that
 * restarts do not come all at once), at once when the network or the page is back, and when the server is silent.
 */
export class ReconnectingSocket {
  state: ConnectionState = "waiting";
  private readonly url: () => string | Promise<string>;
  private readonly options: ReconnectOptions;
  private readonly events: ReconnectEvents;
  private socket: SocketLike | undefined;
  /** Attempts in a row, and connections that ended soon. */
  private attempts = 0;
  private settledAt = Number.POSITIVE_INFINITY;
  /** Of the attempt or the pause that is under way. */
  private timer: ReturnType<typeof setTimeout> | undefined;
  private heartbeat: ReturnType<typeof setTimeout> | undefined;
  private pingAfterMs = 0;
  private readonly wake = (): void => this.onWake();

  /** @throws Error in a runtime without WebSocket, unless `makeSocket` is set */
  constructor(url: () => string | Promise<string>, options: ReconnectOptions, events: ReconnectEvents) {
    if (options.makeSocket === undefined && !("WebSocket" in globalThis)) {
      throw new Error("This runtime has no WebSocket. Set makeSocket, for example to one of the package ws.");
    }
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
   * The connection works: the time of the attempt ends. When it has worked for a while, the pauses after it begin short again.
   * @param pingAfterMs after such a silence a ping is sent; 0: never
   */
  settle(pingAfterMs: number): void {
    clearTimeout(this.timer);
    this.settledAt = Date.now();
    this.pingAfterMs = pingAfterMs;
    this.listenForSilence();
  }

  /** Ends the connection, and comes back. */
  restart(): void {
    if (this.state !== "closed") this.ended(ABNORMAL, "");
  }

  /** Ends it for good. */
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
    this.setState("connecting");
    const { connectTimeoutMs = 10_000, protocols = [], makeSocket = standardSocket } = this.options;
    // The attempt that another has followed does nothing any more.
    const timer = setTimeout(() => this.ended(ABNORMAL, "timeout"), connectTimeoutMs);
    this.timer = timer;
    try {
      const url = await this.url();
      if (this.timer !== timer) return;
      const socket = makeSocket(url, protocols);
      this.socket = socket;
      socket.binaryType = "arraybuffer";
      socket.onopen = () => {
        this.setState("open");
        this.events.onOpen();
      };
      socket.onmessage = ({ data }: { data: string | ArrayBuffer }) => {
        if (this.pingAfterMs > 0) this.listenForSilence();
        this.events.onMessage(data);
      };
      socket.onclose = ({ code, reason }: { code: number; reason: string }) => this.ended(code, reason);
      // An error is followed by the close.
      socket.onerror = () => {};
    } catch (error) {
      if (this.timer === timer) this.ended(ABNORMAL, String(error));
    }
  }

  private ended(code: number, reason: string): void {
    const { socket } = this;
    const wasStable = Date.now() - this.settledAt >= STABLE_MS;
    if (wasStable) this.attempts = 0;
    this.settledAt = Number.POSITIVE_INFINITY;
    this.drop();
    // A connection that has gone silent would wait for the other side's close.
    socket?.close();
    if (!this.events.onClose(code, reason, wasStable)) this.close();
    else if (this.state !== "closed") {
      const { minPauseMs = 500, maxPauseMs = 30_000 } = this.options;
      const pause = Math.min(maxPauseMs, minPauseMs * 2 ** this.attempts++);
      this.next(pause * (0.5 + Math.random() / 2));
    }
  }

  private next(pauseMs: number): void {
    if (navigator?.onLine === false) this.setState("offline");
    else {
      this.setState("waiting");
      this.timer = setTimeout(() => void this.connect(), pauseMs);
    }
  }

  /** Lets go of the socket, and of all timers. */
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

  /** The network or the page has come or gone. */
  private onWake(): void {
    const isOnline = navigator?.onLine !== false;
    if (this.state === "open") {
      // Perhaps the connection has not survived.
      if (this.pingAfterMs > 0) this.ping();
    } else if (this.state === "waiting" || this.state === "offline") {
      clearTimeout(this.timer);
      if (isOnline) this.next(0);
      else this.setState("offline");
    }
  }

  private listenForSilence(): void {
    clearTimeout(this.heartbeat);
    if (this.pingAfterMs > 0) this.heartbeat = setTimeout(() => this.ping(), this.pingAfterMs);
  }

  private ping(): void {
    clearTimeout(this.heartbeat);
    this.send(this.events.ping());
    this.heartbeat = setTimeout(() => this.ended(ABNORMAL, "silence"), this.options.pongTimeoutMs ?? 10_000);
  }

  private setState(state: ConnectionState): void {
    if (this.state === state) return;
    this.state = state;
    this.events.onState(state);
  }
}

function standardSocket(url: string, protocols: string[]): SocketLike {
  const { WebSocket } = globalThis as unknown as {
    WebSocket: new (url: string, protocols: string[]) => SocketLike;
  };
  return new WebSocket(url, protocols);
}
