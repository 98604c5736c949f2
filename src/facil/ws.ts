import { isUtf8 } from "node:buffer";
import type { WebSocket } from "../engine/web-socket.ts";
import { cut } from "./cut.ts";
import type { HttpServer } from "./http-server.ts";
import type { WebsocketSettings } from "./websocket-upgrade.ts";

/** Connections that are open in this thread. */
const open = new Set<Ws>();

/** A snapshot of them. */
export function openWebsockets(): Ws[] {
  return [...open];
}

export function countWebsockets(): number {
  return open.size;
}

/**
 * A WebSocket connection, to be used through `Websocket`. Safe to keep: after its end calls answer -1. One that was
 * never established has no server and no id, but its data, so that `on_close` can free what belongs to it.
 */
export class Ws {
  private readonly settings: WebsocketSettings;
  private readonly owner: HttpServer;
  private socket: WebSocket<Ws> | undefined;
  private data: unknown;
  private toldShutdown = false;

  /** Made by `websocket_upgrade`. */
  constructor(settings: WebsocketSettings, owner: HttpServer) {
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
    // The peer would have to fail the connection (RFC 6455 §8.1).
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

  // What follows is called by the engine's handlers and the server.

  /** @internal */
  opened(socket: WebSocket<Ws>): unknown {
    this.socket = socket;
    open.add(this);
    return this.settings.on_open?.(this);
  }

  /** @internal */
  received(data: Buffer, binary: boolean): unknown {
    return this.settings.on_message(this, data, data.length, binary ? 0 : 1);
  }

  /** @internal The server goes down. */
  shuttingDown(): unknown {
    if (this.toldShutdown) return undefined;
    this.toldShutdown = true;
    return this.settings.on_shutdown?.(this);
  }

  /** @internal The end, or a handshake that failed. */
  closed(): unknown {
    open.delete(this);
    return this.settings.on_close?.(this);
  }
}
