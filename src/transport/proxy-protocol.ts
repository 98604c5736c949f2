import type { Socket } from "node:net";
import { NO_BYTES } from "../bytes/no-bytes.ts";
import { timerMs } from "../node/max-timer.ts";
import { checkOptions, type OptionNames } from "../options/check-options.ts";
import { type ProxiedPeer, readProxyHeader } from "../protocol/proxy/proxy-header.ts";
import { subnets } from "../protocol/proxy/subnets.ts";

export interface ProxyProtocolOptions {
  /**
   * The proxies, as addresses, subnets, "loopback", "link-local" or "private". Other clients are disconnected. Default:
   * any client is trusted as a proxy. Omit it for a Unix socket, whose clients have no address.
   */
  from?: readonly string[];
  /** How long the header can take, in milliseconds. Default 5,000. */
  timeoutMs?: number;
}

const proxyProtocolOptionNames: OptionNames<ProxyProtocolOptions> = {
  from: true,
  timeoutMs: true,
};

const DEFAULT_TIMEOUT_MS = 5_000;

const MESSAGES = {
  PROXY_HEADER: "the connection does not begin with a header of the PROXY protocol",
  PROXY_TIMEOUT: "the header of the PROXY protocol did not come in time",
  PROXY_PEER: "a peer connected that is not among the proxies",
} as const;

/** Why a connection was closed instead of served, told apart by its `code`. */
class ProxyProtocolError extends Error {
  readonly code: keyof typeof MESSAGES;

  constructor(code: keyof typeof MESSAGES) {
    super(MESSAGES[code]);
    this.name = "ProxyProtocolError";
    this.code = code;
  }
}

interface ProxyHeaderHandlers {
  /**
   * Called when the header has arrived.
   * @param peer the client that the proxy reports; undefined if it connects for itself
   * @param alreadyRead bytes after the header, possibly none
   */
  done(peer: ProxiedPeer | undefined, alreadyRead: Buffer): void;
  /** Called instead when the connection has ended or been destroyed. */
  failed(error: Error | undefined): void;
}

/** Reads the header of a new connection, and nothing after it. */
export type ProxyHeaderReader = (socket: Socket, handlers: ProxyHeaderHandlers) => void;

/** Creates a reader. @throws RangeError for invalid options */
export function proxyHeaderReader(options: ProxyProtocolOptions): ProxyHeaderReader {
  checkOptions("proxyProtocol", options, proxyProtocolOptionNames);
  const { from, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  if (!(timeoutMs >= 0)) throw new RangeError(`proxyProtocol.timeoutMs cannot be ${timeoutMs}`);
  const mayConnect = from === undefined ? () => true : subnets(from);
  return (socket, handlers) => {
    let received: Buffer = NO_BYTES;
    const leave = (): void => {
      clearTimeout(timer);
      socket.pause();
      socket.off("data", onData).off("end", onEnd).off("error", onError).off("close", onClose);
    };
    const fail = (error: Error | undefined): void => {
      leave();
      // A reset can still be reported.
      socket.on("error", () => {}).destroy();
      handlers.failed(error);
    };
    const onData = (bytes: Buffer): void => {
      received = received.length === 0 ? bytes : Buffer.concat([received, bytes]);
      const header = readProxyHeader(received);
      if (header.state === "malformed") fail(new ProxyProtocolError("PROXY_HEADER"));
      else if (header.state === "complete") {
        leave();
        handlers.done(header.peer, received.subarray(header.length));
      }
    };
    // A client that only checks whether the port is open has done nothing wrong.
    const onEnd = (): void =>
      fail(received.length === 0 ? undefined : new ProxyProtocolError("PROXY_HEADER"));
    const onError = (error: Error): void => fail(error);
    const onClose = (): void => fail(undefined);
    const timer = setTimeout(() => fail(new ProxyProtocolError("PROXY_TIMEOUT")), timerMs(timeoutMs));
    if (mayConnect(socket.remoteAddress)) {
      socket.on("data", onData).on("end", onEnd).on("error", onError).on("close", onClose);
    } else fail(new ProxyProtocolError("PROXY_PEER"));
  };
}
