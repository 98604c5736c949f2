import type { ConnectionOptions } from "node:tls";
import { PorticoError } from "../exchange/errors.ts";
import type { WebSocket, WebSocketHandlers, WebSocketProgram } from "../exchange/exchange.ts";
import type { Limits } from "../limits/limits.ts";
import { timerMs } from "../node/max-timer.ts";
import { checkOptions, type OptionNames } from "../options/check-options.ts";
import { FinalHeadReader } from "../protocol/http1/final-head-reader.ts";
import type { ResponseHeadReader } from "../protocol/http1/response-head-reader.ts";
import { connectTransport } from "../transport/connect.ts";
import type { Transport } from "../transport/transport.ts";
import { handlersOf } from "../websocket/web-socket-program.ts";
import { ClientHandshake, type HandshakeOptions, handshakeOptionNames } from "./client-handshake.ts";
import { bare, type ProxyOption, proxyFor } from "./proxy.ts";
import { openTunnel } from "./proxy-tunnel.ts";

export interface ConnectOptions<Data = undefined> extends HandshakeOptions {
  /** For wss: certificate authorities and all else that `tls.connect` takes. */
  tls?: ConnectionOptions;
  /** Connect through this Unix socket instead of the URL's host and port. */
  path?: string;
  /**
   * Connect through a proxy (CONNECT, RFC 9110 §9.3.6): its http: or https: URL, with credentials if it wants some, or
   * "environment" for the one that HTTPS_PROXY or HTTP_PROXY names, unless NO_PROXY has the host. Default: none.
   */
  proxy?: ProxyOption;
  /** For an https: proxy: what `tls.connect` takes. */
  proxyTls?: ConnectionOptions;
  /** Gives the attempt up when it is aborted; once the WebSocket is open it changes nothing. */
  signal?: AbortSignal;
  /** Becomes `socket.data`. */
  data?: Data;
}

const connectOptionNames: OptionNames<ConnectOptions<unknown>> = {
  ...handshakeOptionNames,
  tls: true,
  path: true,
  signal: true,
  data: true,
  proxy: true,
  proxyTls: true,
};

const COLLECTING: WebSocketHandlers<never> = {
  open(socket) {
    socket.messages();
  },
};

/**
 * Opens a WebSocket as a client (RFC 6455 §4.1). It behaves like a server's: the same handlers, delivered at once,
 * or through the queue `delivery`.
 * @param url ws: or wss:, or http: or https: for the same
 * @param handlers as for a server; without them messages are kept for `messages()` from the first on
 * @returns when the handshake is done; `open` has been called, or waits in the queue
 * @throws the system's error when there is no connection, WebSocketError (WS_HANDSHAKE_…) or HttpError for an answer
 *   that does not open a WebSocket, PorticoError ERR_ABORTED when the server closes instead of answering, ERR_PROXY
 *   when the proxy opens no tunnel, ERR_TIMEOUT, the reason of the signal; TypeError for an unknown option or handler, and
 *   for a proxy that cannot be one
 */
export async function connect<Data = undefined>(
  url: string | URL,
  handlers: WebSocketHandlers<Data> | WebSocketProgram<Data> = COLLECTING,
  options: ConnectOptions<Data> = {},
): Promise<WebSocket<Data>> {
  checkOptions("connect", options, connectOptionNames);
  const program = handlersOf(handlers);
  const { protocol, hostname, port, host, pathname, search } = new URL(url);
  const secure = protocol === "wss:" || protocol === "https:";
  const handshake = new ClientHandshake(host, pathname + search, options);
  const address = { host: bare(hostname), port: Number(port || (secure ? 443 : 80)) };
  const tls = secure ? (options.tls ?? {}) : undefined;
  // A path leads to a socket of this machine.
  const proxy =
    options.path === undefined ? proxyFor(options.proxy, secure, hostname, address.port) : undefined;
  const { signal, proxyTls } = options;
  const { maxHeadBytes, headTimeoutMs } = handshake.limits;
  const transport = await (proxy === undefined
    ? connectTransport({
        ...address,
        ...(options.path === undefined ? {} : { path: options.path }),
        ...(signal === undefined ? {} : { signal }),
        ...(tls === undefined ? {} : { tls }),
      })
    : openTunnel(proxy, { ...address, tls, proxyTls, signal, maxHeadBytes, timeoutMs: headTimeoutMs }));
  try {
    transport.writeText(handshake.head);
    const answer = await readHead(transport, handshake.limits, signal);
    return handshake.complete(transport, answer, program, options.data as Data);
  } catch (error) {
    transport.destroy();
    throw error;
  }
}

/** Waits for the response head, at most as long as a head may take. */
function readHead(
  transport: Transport,
  limits: Limits,
  signal: AbortSignal | undefined,
): Promise<ResponseHeadReader> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const reader = new FinalHeadReader(limits.maxHeadBytes);
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", giveUp);
    };
    const fail = (error: unknown): void => {
      done();
      reject(error);
    };
    const giveUp = (): void => fail(signal?.reason);
    signal?.addEventListener("abort", giveUp, { once: true });
    const timer = setTimeout(() => fail(new PorticoError("ERR_TIMEOUT")), timerMs(limits.headTimeoutMs));
    transport.sink = {
      onBytes(bytes, start, end) {
        try {
          const head = reader.receive(bytes.subarray(start, end));
          if (head === undefined) return;
          done();
          // Nothing more is read until the WebSocket has taken over.
          transport.pause();
          resolve(head);
        } catch (error) {
          fail(error);
        }
      },
      onEnd: () => fail(new PorticoError("ERR_ABORTED")),
      onDrain() {},
      onClose: (error) => fail(error ?? new PorticoError("ERR_ABORTED")),
    };
  });
}
