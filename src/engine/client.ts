import type { ConnectionOptions } from "node:tls";
import { ResponseHeadReader } from "../http1/response-head-reader.ts";
import { connect as connectTransport } from "../transport/connect.ts";
import { timerMs } from "../transport/max-timer.ts";
import type { Transport } from "../transport/transport.ts";
import { ClientHandshake, type HandshakeOptions } from "./client-handshake.ts";
import { PorticoError } from "./errors.ts";
import type { Limits } from "./limits.ts";
import { handlersOf } from "./message-inbox.ts";
import type { WebSocket } from "./web-socket.ts";
import type { WebSocketHandlers, WebSocketProgram } from "./web-socket-handlers.ts";

export interface ConnectOptions<Data = undefined> extends HandshakeOptions {
  /** For wss: certificate authorities and all else that `tls.connect` takes. */
  tls?: ConnectionOptions;
  /** Connect through this Unix socket instead of the URL's host and port. */
  path?: string;
  /** Gives the attempt up when it is aborted; once the WebSocket is open it changes nothing. */
  signal?: AbortSignal;
  /** Becomes `socket.data`. */
  data?: Data;
}

const COLLECTING: WebSocketHandlers<never> = {
  open(socket) {
    socket.messages();
  },
};

/**
 * Opens a WebSocket as a client (RFC 6455 §4.1). It behaves like a server's: the same handlers, delivered at once.
 * @param url ws: or wss:, or http: or https: for the same
 * @param handlers as for a server; without them messages are kept for `messages()` from the first on
 * @returns when the handshake is done; `open` has been called
 * @throws the system's error when there is no connection, WebSocketError (WS_HANDSHAKE_…) or HttpError for an answer
 *   that does not open a WebSocket, PorticoError ERR_ABORTED when the server closes instead of answering, the reason
 *   of the signal
 */
export async function connect<Data = undefined>(
  url: string | URL,
  handlers: WebSocketHandlers<Data> | WebSocketProgram<Data> = COLLECTING,
  options: ConnectOptions<Data> = {},
): Promise<WebSocket<Data>> {
  const { protocol, hostname, port, host, pathname, search } = new URL(url);
  const secure = protocol === "wss:" || protocol === "https:";
  const handshake = new ClientHandshake(host, pathname + search, options);
  const transport = await connectTransport({
    host: hostname.replace(/^\[|\]$/g, ""),
    port: Number(port || (secure ? 443 : 80)),
    ...(options.path === undefined ? {} : { path: options.path }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(secure ? { tls: options.tls ?? {} } : {}),
  });
  try {
    transport.writeText(handshake.head);
    const answer = await readHead(transport, handshake.limits, options.signal);
    return handshake.complete(transport, answer, handlersOf(handlers), options.data as Data);
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
    const reader = new ResponseHeadReader(limits.maxHeadBytes);
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
          if (!reader.receive(bytes.subarray(start, end))) return;
        } catch (error) {
          fail(error);
          return;
        }
        done();
        // Nothing more is read until the WebSocket has taken over.
        transport.pause();
        resolve(reader);
      },
      onEnd: () => fail(new PorticoError("ERR_ABORTED")),
      onDrain() {},
      onClose: (error) => fail(error ?? new PorticoError("ERR_ABORTED")),
    };
  });
}
