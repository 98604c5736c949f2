import { isUtf8 } from "node:buffer";
import { ChurnSet } from "../bytes/churn-map.ts";
import type { WebSocket } from "../exchange/exchange.ts";
import { cut } from "./cut.ts";
import type { HttpServer } from "./http-server.ts";

/** The callbacks of a WebSocket, and the program's data. */
export interface WebsocketCallbacks {
  /**
   * @param data Valid until the handler returns. Copy it to keep it.
   * @param size its length in bytes
   * @param is_text 1 for text, which is valid UTF-8; 0 for binary data
   */
  on_message(ws: Ws, data: Buffer, size: number, is_text: 0 | 1): unknown;
  /** Called when the connection is established, at most once. */
  on_open?(ws: Ws): unknown;
  /** Called when the server shuts down, at most once and before `on_close`. You can still write to the connection. */
  on_shutdown?(ws: Ws): unknown;
  /** Called exactly once, when the connection has ended or was not established. */
  on_close?(ws: Ws): unknown;
  /** The value that `Websocket.get_udata` returns. */
  udata?: unknown;
}

/** Connections that are open in this thread. */
const open = new ChurnSet<Ws>();

/** Returns a snapshot of the open WebSockets. */
export function openWebsockets(): Ws[] {
  return [...open];
}

export function countWebsockets(): number {
  return open.size;
}

/**
 * A WebSocket connection, for the functions of `Websocket`. You can keep it: after it has ended, calls return -1. A
 * connection that was never established has no server and no id, but keeps its data, so that `on_close` can release
 * resources.
 */
export class Ws {
  private readonly settings: WebsocketCallbacks;
  private readonly owner: HttpServer;
  private socket: WebSocket<Ws> | undefined;
  private data: unknown;
  private isShutdownReported = false;

  /** @internal Made by `websocket_upgrade`. */
  constructor(settings: WebsocketCallbacks, owner: HttpServer) {
    this.settings = settings;
    this.owner = owner;
    this.data = settings.udata;
  }

  /** @internal */
  get isOpen(): boolean {
    return this.socket?.readyState === "open";
  }
  /** @internal */
  get server(): HttpServer | undefined {
    return this.socket === undefined ? undefined : this.owner;
  }
  /** @internal */
  get uuid(): string | undefined {
    return this.socket?.id;
  }
  /** @internal */
  get udata(): unknown {
    return this.data;
  }

  /** @internal */
  exchangeUdata(udata: unknown): unknown {
    const old = this.data;
    this.data = udata;
    return old;
  }

  /** @internal @param size how many bytes of it @returns whether it was taken */
  write(data: string | Uint8Array, size: number | undefined, isText: boolean): boolean {
    if (!this.isOpen || (size !== undefined && !(size >= 0))) return false;
    const part = cut(data, size);
    // The client would have to fail the connection (RFC 6455 §8.1).
    if (isText && typeof part !== "string" && !isUtf8(part)) return false;
    const result = this.socket?.send(part, { binary: !isText });
    return result === "sent" || result === "queued";
  }

  /** @internal */
  close(): boolean {
    if (!this.isOpen) return false;
    open.delete(this);
    this.socket?.close();
    return true;
  }

  // Called by the engine's handlers and by the server.

  /** @internal */
  dispatchOpen(socket: WebSocket<Ws>): unknown {
    this.socket = socket;
    open.add(this);
    return this.settings.on_open?.(this);
  }

  /** @internal */
  dispatchMessage(data: Buffer, binary: boolean): unknown {
    return this.settings.on_message(this, data, data.length, binary ? 0 : 1);
  }

  /** @internal Called when the server is shutting down. */
  dispatchShutdown(): unknown {
    if (this.isShutdownReported) return undefined;
    this.isShutdownReported = true;
    return this.settings.on_shutdown?.(this);
  }

  /** @internal Called when the connection has ended, or its handshake has failed. */
  dispatchClose(): unknown {
    open.delete(this);
    return this.settings.on_close?.(this);
  }
}
