import type { Exchange, WebSocket, WebSocketHandlers } from "../exchange/exchange.ts";
import { EventQueue } from "../exchange/server-event.ts";
import { type Limits, limitsFrom } from "../limits/limits.ts";
import { isSyncZlibAvailable } from "../node/sync-zlib.ts";
import type { OptionNames } from "../options/check-options.ts";
import type { FieldValue } from "../protocol/http/field-values.ts";
import type { ResponseHeadReader } from "../protocol/http1/response-head-reader.ts";
import { checkResponse, createKey, requestHead } from "../protocol/websocket/handshake.ts";
import {
  accept,
  createDeflater,
  createInflater,
  type DeflateOptions,
  deflateSettings,
  offer,
} from "../protocol/websocket/permessage-deflate.ts";
import type { Transport } from "../transport/transport.ts";
import type { HandshakeResult } from "../websocket/handshake-result.ts";
import { WebSocket as AnyWebSocket } from "../websocket/web-socket.ts";
import type { HandlersOf } from "../websocket/web-socket-handlers.ts";
import { ClientContext } from "./client-context.ts";

/** Options of a WebSocket client's opening handshake. */
export interface HandshakeOptions {
  /** Subprotocols, the preferred one first. */
  protocols?: readonly string[] | undefined;
  /** Offers permessage-deflate. `true` uses the default settings. Default: no compression. */
  compression?: boolean | DeflateOptions;
  /**
   * Additional header fields, such as Authorization, Cookie or Origin. A name can occur several times, or have a list
   * of values.
   */
  headers?: Readonly<Record<string, FieldValue>> | Iterable<readonly [name: string, value: FieldValue]>;
  /** Lends data to handlers, like the option of a server's route. Default false. */
  lent?: boolean;
  limits?: Partial<Limits>;
  /**
   * A queue in which events wait until the program polls it. Servers can share it. Default "immediate": handlers run as
   * soon as something happens.
   */
  delivery?: "immediate" | EventQueue;
}

export const handshakeOptionNames: OptionNames<HandshakeOptions> = {
  protocols: true,
  compression: true,
  headers: true,
  lent: "boolean",
  limits: true,
  delivery: true,
};

/** The client's part of the opening handshake (RFC 6455 §4.1), on whatever transport. */
export class ClientHandshake {
  /** The request head, to be sent as latin1. */
  readonly head: string;
  readonly limits: Limits;
  private readonly key = createKey();
  private readonly protocols: readonly string[] | undefined;
  private readonly deflate: DeflateOptions | undefined;
  private readonly extensions: string | undefined;
  private readonly lent: boolean;
  private readonly queue: EventQueue | undefined;

  /**
   * @param host of the URL, with its port unless it is the scheme's default
   * @param path and query
   * @throws TypeError for text that would break the head; RangeError for settings or limits out of range
   */
  constructor(host: string, path: string, options: HandshakeOptions) {
    const { headers = {} } = options;
    const wanted = options.compression === true ? {} : options.compression || undefined;
    this.limits = limitsFrom(options.limits ?? {});
    this.protocols = options.protocols;
    this.lent = options.lent ?? false;
    this.queue = queueOf(options.delivery);
    this.deflate = wanted !== undefined && isSyncZlibAvailable() ? wanted : undefined;
    this.extensions = this.deflate === undefined ? undefined : offer(this.deflate);
    this.head = requestHead({
      host,
      path,
      key: this.key,
      protocols: options.protocols,
      extensions: this.extensions,
      headers: Symbol.iterator in headers ? headers : Object.entries(headers),
    });
  }

  /**
   * Takes the transport over after the response has arrived. When this returns, `open` has been called, or waits in the
   * queue.
   * @throws WebSocketError WS_HANDSHAKE_… if the response does not open a WebSocket
   */
  complete<Data>(
    transport: Transport,
    answer: ResponseHeadReader,
    handlers: WebSocketHandlers<Data>,
    data: Data,
  ): WebSocket<Data> {
    const { key, protocols, extensions, deflate, limits } = this;
    const field = (name: string): string | undefined => answer.fields.get(name);
    const agreed = checkResponse(answer.status, field, { key, protocols, extensions });
    const params = deflate === undefined ? null : accept(agreed.extensions, deflate);
    const agreement: HandshakeResult = {
      role: "client",
      protocol: agreed.protocol ?? "",
      inflater: params === null ? undefined : createInflater("client", params),
      deflater: params === null ? undefined : createDeflater("client", params, deflate ?? {}),
      thresholdBytes: deflateSettings(deflate).thresholdBytes,
      lent: this.lent,
      maxMessageBytes: undefined,
      idleTimeoutMs: undefined,
      sendResetsIdle: false,
      pongTimeoutMs: undefined,
      writeTimeoutMs: undefined,
    };
    const context = new ClientContext(limits, this.queue);
    const socket = new AnyWebSocket<Data, Exchange>(context, transport, {
      handlers: handlers as HandlersOf<AnyWebSocket, Data, Exchange>,
      agreement,
      data,
      request: undefined,
      releaseSlot: undefined,
      delivery: context.webSocketDelivery,
      shouldEnqueueBeforeOpen: false,
      window: undefined,
      budget: undefined,
    });
    context.timer.start();
    const { connection } = socket.driver;
    connection.attach();
    connection.start(answer.upgradeHead);
    return socket;
  }
}

/** @throws TypeError for what is not a way of delivery */
function queueOf(delivery: "immediate" | EventQueue = "immediate"): EventQueue | undefined {
  if (delivery === "immediate") return undefined;
  if (delivery instanceof EventQueue) return delivery;
  throw new TypeError(
    `the delivery of connect cannot be ${String(delivery)}. Use "immediate" or an EventQueue`,
  );
}
