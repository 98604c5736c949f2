import type { UpgradeOptions, WebSocketHandlers } from "../exchange/exchange.ts";
import type { ServerEvent } from "../exchange/server-event.ts";
import type { OptionNames } from "../options/check-options.ts";
import { GOING_AWAY } from "../protocol/websocket/close-codes.ts";
import type { DeflateOptions } from "../protocol/websocket/permessage-deflate.ts";
import type { Server } from "../server/server.ts";
import { SharedFrames } from "../websocket/shared-frames.ts";
import { WebSocket } from "../websocket/web-socket.ts";
import type { SendOptions, SendResult } from "../websocket/web-socket-handlers.ts";
import { EventType, WebServerMessage } from "./message.ts";
import { SERVER_EVENTS, WebServer, type WebServerOptions, webServerOptionNames } from "./web-server.ts";

export interface WebSocketServerOptions extends WebServerOptions {
  /** permessage-deflate (RFC 7692) for the functions named Compressed; default true, with one compressor for all. */
  compression?: boolean | DeflateOptions;
  /**
   * Subprotocols that the server speaks, or a function that chooses one of those that the client offers. Default: the first
   * that the client offers, as in the original.
   */
  protocols?: UpgradeOptions["protocols"];
}

const webSocketServerOptionNames: OptionNames<WebSocketServerOptions> = {
  ...webServerOptionNames,
  compression: true,
  protocols: true,
};

/** The result of a send. */
export const SendStatus = {
  /** Accepted, but the client is slow: the message waits behind earlier ones. */
  BACKPRESSURE: 0,
  SUCCESS: 1,
  /** Not sent: the client is unknown, or `limits.maxBackpressureBytes` is reached. */
  DROPPED: 2,
} as const;

export type SendStatus = (typeof SendStatus)[keyof typeof SendStatus];

const EVENTS: ReadonlySet<string> = new Set([
  ...SERVER_EVENTS,
  "WEBSOCKET_CONNECTION_ESTABLISHED",
  "WEBSOCKET_MESSAGE_RECEIVED",
  "WEBSOCKET_CONNECTION_CLOSED",
]);
const STATUS: Record<SendResult, SendStatus> = {
  sent: SendStatus.SUCCESS,
  queued: SendStatus.BACKPRESSURE,
  dropped: SendStatus.DROPPED,
  closed: SendStatus.DROPPED,
};
const TEXT: SendOptions = { binary: false, compress: false };
const BINARY: SendOptions = { binary: true, compress: false };
const COMPRESSED_TEXT: SendOptions = { binary: false };
const REASON = "Going Away";

/**
 * A WebSocket server whose events are polled; it accepts every path. Functions take the `clientID` of an event; an
 * id that is unknown or gone gives `SendStatus.DROPPED`.
 */
export class WebSocketServer extends WebServer {
  private isEchoing = false;
  private readonly handlers: WebSocketHandlers = {
    onEnqueue: (socket, data, binary) => {
      if (!this.isEchoing) return;
      socket.reply(data, binary ? BINARY : TEXT);
    },
  };
  private readonly compression: boolean | DeflateOptions;
  private readonly protocols: NonNullable<UpgradeOptions["protocols"]>;

  /** @throws RangeError for a limit or a setting of the compression that is unknown or out of range, TypeError for an unknown option */
  constructor(options: WebSocketServerOptions = {}) {
    super(
      options,
      { limits: { maxBackpressureBytes: 65_536, webSocketIdleTimeoutMs: 120_000 } },
      webSocketServerOptionNames,
    );
    const { compression = true, protocols = ([first]) => first } = options;
    this.protocols = protocols;
    this.compression = typeof compression === "object" ? { thresholdBytes: 0, ...compression } : compression;
    this.setUp(this.engine);
  }

  /** A client has connected. */
  WEBSOCKET_CONNECTION_ESTABLISHED(_eventName: string, _payload: WebServerMessage): void {}

  /** A message has come; `payload.binary` tells its kind. */
  WEBSOCKET_MESSAGE_RECEIVED(_eventName: string, _payload: WebServerMessage): void {}

  /** A connection has ended; the message is the reason, `payload.code` the close code. */
  WEBSOCKET_CONNECTION_CLOSED(_eventName: string, _payload: WebServerMessage): void {}

  /**
   * @param message text, or bytes in UTF-8; here as in all functions that send, bytes are copied up to 64 KiB, and
   *   larger ones must not change until they are taken
   * @returns one of {@link SendStatus}
   */
  SendTextMessageToClient(message: string | Uint8Array, clientID: string): SendStatus {
    return this.send(message, clientID, TEXT);
  }

  /** @returns one of {@link SendStatus} */
  SendBinaryMessageToClient(message: string | Uint8Array, clientID: string): SendStatus {
    return this.send(message, clientID, BINARY);
  }

  /** Compressed where the client has agreed to it. @returns one of {@link SendStatus} */
  SendCompressedTextMessageToClient(message: string | Uint8Array, clientID: string): SendStatus {
    return this.send(message, clientID, COMPRESSED_TEXT);
  }

  /** Sends to all clients; framed once. @returns DROPPED when it was dropped for any of them, else SUCCESS */
  BroadcastTextMessage(message: string | Uint8Array): SendStatus {
    return this.broadcast(message, TEXT);
  }

  /** Sends to all clients; framed once. @returns DROPPED when it was dropped for any of them, else SUCCESS */
  BroadcastBinaryMessage(message: string | Uint8Array): SendStatus {
    return this.broadcast(message, BINARY);
  }

  /** Like {@link BroadcastTextMessage}; compressed once for all who have agreed to it. */
  BroadcastCompressedTextMessage(message: string | Uint8Array): SendStatus {
    return this.broadcast(message, COMPRESSED_TEXT);
  }

  /** Connections that are open now, whether their events have been processed or not. */
  GetNumConnectedClients(): number {
    return this.engine.counters.openWebSockets;
  }

  /**
   * With true, the server sends each message back by itself when it arrives; WEBSOCKET_MESSAGE_RECEIVED comes all the
   * same when it is polled.
   * @throws TypeError for anything but true and false
   */
  SetEchoMode(enabled: boolean): void {
    if (typeof enabled !== "boolean") throw new TypeError("the echo mode is true or false");
    this.isEchoing = enabled;
  }

  protected get eventNames(): ReadonlySet<string> {
    return EVENTS;
  }

  protected setUp(engine: Server): void {
    engine.websocket("/*", this.handlers, {
      compression: this.compression === true ? { thresholdBytes: 0 } : this.compression,
      protocols: this.protocols,
      sendResetsIdle: true,
      // The echo does not wait for a poll.
      shouldEnqueueBeforeOpen: true,
    });
  }

  protected endClients(engine: Server): void {
    for (const socket of engine.webSockets) {
      // Not the call of a program: what waits in the queue is still processed.
      socket.driver.connection.closeNow(GOING_AWAY, REASON);
    }
  }

  protected handle(event: ServerEvent): void {
    switch (event.type) {
      case "open":
        this.emitEvent("WEBSOCKET_CONNECTION_ESTABLISHED", event.socket);
        break;
      case "message":
        this.emitEvent("WEBSOCKET_MESSAGE_RECEIVED", event.socket, event.data, event.binary);
        break;
      case "close":
        this.emitEvent("WEBSOCKET_CONNECTION_CLOSED", event.socket, event.reason, false, event.code);
        break;
      case "call":
        event.call();
    }
  }

  private emitEvent(
    name: keyof typeof EventType,
    socket: WebSocket,
    message?: Buffer | string,
    binary?: boolean,
    code?: number,
  ): void {
    this.OnEvent(name, new WebServerMessage(EventType[name], socket.id, message, binary, code));
  }

  private send(message: string | Uint8Array, clientID: string, options: SendOptions): SendStatus {
    const found = this.engine.find(clientID);
    return found instanceof WebSocket ? STATUS[found.send(message, options)] : SendStatus.DROPPED;
  }

  private broadcast(message: string | Uint8Array, options: SendOptions): SendStatus {
    const frames = new SharedFrames(message, options);
    let status: SendStatus = SendStatus.SUCCESS;
    for (const socket of this.engine.webSockets) {
      if (socket.driver.sendShared(frames) === "dropped") status = SendStatus.DROPPED;
    }
    return status;
  }
}
