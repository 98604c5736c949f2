import type { ResponseHeadReader } from "../http1/response-head-reader.ts";
import type { Transport } from "../transport/transport.ts";
import { checkResponse, createKey, requestHead } from "../websocket/handshake.ts";
import {
  accept,
  createDeflater,
  createInflater,
  type DeflateOptions,
  deflateSettings,
  offer,
} from "../websocket/permessage-deflate.ts";
import { syncZlibAvailable } from "../websocket/sync-zlib.ts";
import { Counters } from "./counters.ts";
import { type Limits, limitsFrom } from "./limits.ts";
import { ServerCore } from "./server-core.ts";
import { WebSocket } from "./web-socket.ts";
import type { Agreement } from "./web-socket-connection.ts";
import type { WebSocketHandlers } from "./web-socket-handlers.ts";

/** What a client asks for. */
export interface HandshakeOptions {
  /** Subprotocols by preference. */
  protocols?: readonly string[] | undefined;
  /** Offer permessage-deflate. True: with the default settings. */
  compression?: boolean | DeflateOptions;
  /** Further header fields, such as Authorization, Cookie or Origin. In a list a name may come several times. */
  headers?: Record<string, string> | Iterable<readonly [name: string, value: string]>;
  limits?: Partial<Limits>;
}

/** The client's part of the opening handshake (RFC 6455 §4.1), on whatever transport. */
export class ClientHandshake {
  /** The request, to be sent as latin1. */
  readonly head: string;
  readonly limits: Limits;
  private readonly key = createKey();
  private readonly protocols: readonly string[] | undefined;
  private readonly deflate: DeflateOptions | undefined;
  private readonly extensions: string | undefined;

  /**
   * @param host of the URL, with its port unless it is the scheme's default
   * @param path and query
   * @throws TypeError for what would break the head; RangeError for settings or limits out of range
   */
  constructor(host: string, path: string, options: HandshakeOptions) {
    const { headers = {} } = options;
    const wanted = options.compression === true ? {} : options.compression || undefined;
    this.limits = limitsFrom(options.limits ?? {});
    this.protocols = options.protocols;
    this.deflate = syncZlibAvailable ? wanted : undefined;
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
   * Takes the transport over when the answer has come; `open` has been called when it returns.
   * @throws WebSocketError WS_HANDSHAKE_… for an answer that does not open a WebSocket
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
    const agreement: Agreement = {
      role: "client",
      protocol: agreed.protocol ?? "",
      inflater: params === null ? undefined : createInflater("client", params),
      deflater: params === null ? undefined : createDeflater("client", params, deflate ?? {}),
      thresholdBytes: deflateSettings(deflate).thresholdBytes,
      maxMessageBytes: undefined,
      idleTimeoutMs: undefined,
      sendResetsIdle: false,
      pongTimeoutMs: undefined,
      writeTimeoutMs: undefined,
    };
    const core = new ServerCore(limits, new Counters(), {
      delivery: "immediate",
      onError: (error) => console.error(error),
      autoHead: false,
      autoOptions: false,
      autoAllow: false,
      server: undefined,
    });
    const socket = new WebSocket(core, transport, handlers, agreement, data, undefined);
    core.ticker.start();
    socket.attach();
    socket.start(answer.rest);
    return socket;
  }
}
