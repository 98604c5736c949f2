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
  /** For wss: certificate authorities and all other options of `tls.connect`. */
  tls?: ConnectionOptions;
  /** Connects through this Unix socket instead of the URL's host and port. */
  path?: string;
  /**
   * Connects through a proxy (CONNECT, RFC 9110 §9.3.6): its http: or https: URL, with credentials if needed.
   * "environment" uses HTTPS_PROXY or HTTP_PROXY, unless NO_PROXY lists the host. Default: no proxy.
   */
  proxy?: ProxyOption;
  /** For an https: proxy: options of `tls.connect`. */
  proxyTls?: ConnectionOptions;
  /** Cancels the attempt when aborted. It has no effect once the WebSocket is open. */
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
 * Opens a WebSocket as a client (RFC 6455 §4.1). It uses the same handlers as a server's WebSocket. They run at once,
 * or when the program polls the queue `delivery`.
 * @param url a ws: or wss: URL; http: and https: mean the same
 * @param handlers as for a server; without handlers all messages are kept for `messages()`
 * @returns the WebSocket, after the handshake; `open` has been called, or waits in the queue
 * @throws the system's error if it cannot connect. WebSocketError (WS_HANDSHAKE_…) or HttpError if the response does
 *   not open a WebSocket. PorticoError ERR_ABORTED if the server closes the connection without a response. PorticoError
 *   ERR_PROXY if the proxy opens no tunnel. PorticoError ERR_TIMEOUT if the server does not respond in time. The reason
 *   of `signal`. TypeError for an unknown option or handler, and for an invalid proxy
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

/** Waits for the response head, for `headTimeoutMs` at most. */
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
