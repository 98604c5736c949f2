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
  /**
   * permessage-deflate (RFC 7692) for the functions with Compressed in their names. Default true, with one compressor
   * for all clients.
   */
  compression?: boolean | DeflateOptions;
  /**
   * The server's subprotocols, or a function that chooses one of the client's. Default: the first that the client
   * offers, as in the original.
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

/** Sends a message back, whatever waits to be polled. */
function echo(socket: WebSocket, data: Buffer, binary: boolean): void {
  socket.reply(data, binary ? BINARY : TEXT);
}

/**
 * A WebSocket server with polled events, which accepts every path. Functions expect the `clientID` of an event. For an
 * unknown or expired id they return `SendStatus.DROPPED`.
 */
export class WebSocketServer extends WebServer {
  /** Those of all sockets, which look for `onEnqueue` at each message. */
  private readonly handlers: WebSocketHandlers = {};
  private readonly compression: boolean | DeflateOptions;
  private readonly protocols: NonNullable<UpgradeOptions["protocols"]>;

  /**
   * @throws RangeError for an unknown limit, and for a limit or a compression setting out of range. TypeError for an
   *   unknown option
   */
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

  /** Called when a client has connected. */
  WEBSOCKET_CONNECTION_ESTABLISHED(_eventName: string, _payload: WebServerMessage): void {}

  /** Called when a message has arrived. `payload.binary` is true for a binary message. */
  WEBSOCKET_MESSAGE_RECEIVED(_eventName: string, _payload: WebServerMessage): void {}

  /** Called when a connection has ended. The message is the reason, and `payload.code` is the close code. */
  WEBSOCKET_CONNECTION_CLOSED(_eventName: string, _payload: WebServerMessage): void {}

  /**
   * @param message text, or bytes in UTF-8. As in all functions that send, bytes are copied up to 64 KiB; do not change
   *   larger ones until they have been sent
   * @returns one of {@link SendStatus}
   */
  SendTextMessageToClient(message: string | Uint8Array, clientID: string): SendStatus {
    return this.send(message, clientID, TEXT);
  }

  /** @returns one of {@link SendStatus} */
  SendBinaryMessageToClient(message: string | Uint8Array, clientID: string): SendStatus {
    return this.send(message, clientID, BINARY);
  }

  /** Sends a text message, compressed if the client has agreed to it. @returns one of {@link SendStatus} */
  SendCompressedTextMessageToClient(message: string | Uint8Array, clientID: string): SendStatus {
    return this.send(message, clientID, COMPRESSED_TEXT);
  }

  /**
   * Sends a message to all clients; framed once.
   * @returns DROPPED if it was dropped for any client, otherwise SUCCESS
   */
  BroadcastTextMessage(message: string | Uint8Array): SendStatus {
    return this.broadcast(message, TEXT);
  }

  /**
   * Sends a message to all clients; framed once.
   * @returns DROPPED if it was dropped for any client, otherwise SUCCESS
   */
  BroadcastBinaryMessage(message: string | Uint8Array): SendStatus {
    return this.broadcast(message, BINARY);
  }

  /** Like {@link BroadcastTextMessage}, but compressed once for all clients that have agreed to it. */
  BroadcastCompressedTextMessage(message: string | Uint8Array): SendStatus {
    return this.broadcast(message, COMPRESSED_TEXT);
  }

  /** Returns the number of open connections, including those whose events have not been processed yet. */
  GetNumConnectedClients(): number {
    return this.engine.counters.openWebSockets;
  }

  /**
   * With true, the server sends each message back as soon as it arrives. The next poll still calls
   * WEBSOCKET_MESSAGE_RECEIVED.
   * @throws TypeError for any value except true and false
   */
  SetEchoMode(enabled: boolean): void {
    if (typeof enabled !== "boolean") throw new TypeError("the echo mode must be true or false");
    if (enabled) this.handlers.onEnqueue = echo;
    else delete this.handlers.onEnqueue;
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
      // This is not a call of the program: waiting events are still processed.
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
