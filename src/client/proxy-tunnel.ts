import { connect as connectTcp, isIP, type Socket } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { PorticoError } from "../exchange/errors.ts";
import { tlsModule } from "../node/builtins.ts";
import { timerMs } from "../node/max-timer.ts";
import { FinalHeadReader } from "../protocol/http1/final-head-reader.ts";
import { openSocket } from "../transport/open-socket.ts";
import type { Transport } from "../transport/transport.ts";
import { authorizationOf, bare, nameOf } from "./proxy.ts";

/** The next step reports an error of the socket between two steps. */
function ignore(): void {}

/** Where a tunnel leads, and what is spoken in it. */
export interface TunnelOptions {
  /** A name or an address, without brackets. */
  readonly host: string;
  readonly port: number;
  /** Speak TLS with the server, inside of the tunnel. */
  readonly tls: ConnectionOptions | undefined;
  /** For an https: proxy: what `tls.connect` takes. */
  readonly proxyTls: ConnectionOptions | undefined;
  readonly signal: AbortSignal | undefined;
  readonly maxHeadBytes: number;
  /** For the proxy to answer, and again for the handshake with the server. */
  readonly timeoutMs: number;
}

/**
 * Connects through a proxy (RFC 9110 §9.3.6).
 * @throws the system's error, TLS's, PorticoError ERR_PROXY when the proxy refuses, ERR_TIMEOUT, or the signal's reason
 */
export async function openTunnel(proxy: URL, options: TunnelOptions): Promise<Transport> {
  const { host, port, tls, signal } = options;
  signal?.throwIfAborted();
  const proxySocket = socketTo(proxy, options.proxyTls).on("error", ignore);
  try {
    await settled(proxySocket, options, (done, fail) => {
      proxySocket.once(proxy.protocol === "https:" ? "secureConnect" : "connect", () => {
        askForTunnel(proxySocket, proxy, options, done, fail);
      });
    });
    if (tls === undefined) return openSocket(proxySocket, false);
    const name = isIP(host) === 0 ? { host, servername: host } : { host };
    const socket = tlsModule()
      .connect({ ...name, port, ...tls, socket: proxySocket })
      .on("error", ignore);
    await settled(socket, options, (done) => socket.once("secureConnect", done));
    return openSocket(socket, true);
  } catch (error) {
    proxySocket.destroy();
    throw error;
  }
}

function socketTo(proxy: URL, proxyTls: ConnectionOptions | undefined): Socket {
  const secure = proxy.protocol === "https:";
  const host = bare(proxy.hostname);
  const port = Number(proxy.port || (secure ? 443 : 80));
  if (!secure) return connectTcp({ host, port, allowHalfOpen: true, noDelay: true });
  return tlsModule().connect({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...proxyTls });
}

/** Sends CONNECT. @param done called when the tunnel is open: nothing has been read of what comes through it */
function askForTunnel(
  socket: Socket,
  proxy: URL,
  { host, port, maxHeadBytes }: TunnelOptions,
  done: () => void,
  fail: (error: unknown) => void,
): void {
  const authority = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
  const authorization = authorizationOf(proxy);
  const credentials = authorization === undefined ? "" : `Proxy-Authorization: ${authorization}\r\n`;
  const reader = new FinalHeadReader(maxHeadBytes);
  const onData = (bytes: Buffer): void => {
    try {
      const head = reader.receive(bytes);
      if (head === undefined) return;
      socket.off("data", onData).pause();
      const { status, reason, upgradeHead } = head;
      const asked = `${nameOf(proxy)} was asked to connect to ${authority} and answered`;
      if (status < 200 || status > 299) fail(new PorticoError("ERR_PROXY", `${asked} ${status} ${reason}`));
      // The server waits for a handshake: it has not said anything.
      else if (upgradeHead.length > 0) fail(new PorticoError("ERR_PROXY", `${asked} more than a head`));
      else done();
    } catch (error) {
      fail(
        new PorticoError("ERR_PROXY", `${nameOf(proxy)}: ${error instanceof Error ? error.message : error}`),
      );
    }
  };
  socket.on("data", onData);
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${credentials}\r\n`, "latin1");
}

/** Waits for a step that a socket takes: until it is done, has failed or takes too long. */
function settled(
  socket: Socket,
  { signal, timeoutMs }: TunnelOptions,
  begin: (done: () => void, fail: (error: unknown) => void) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", giveUp);
      socket.off("error", fail).off("end", closed).off("close", closed);
    };
    const done = (): void => {
      end();
      resolve();
    };
    const fail = (error: unknown): void => {
      end();
      socket.destroy();
      reject(error);
    };
    const closed = (): void => fail(new PorticoError("ERR_PROXY", "it closed the connection"));
    const giveUp = (): void => fail(signal?.reason);
    const timer = setTimeout(() => fail(new PorticoError("ERR_TIMEOUT")), timerMs(timeoutMs));
    signal?.addEventListener("abort", giveUp, { once: true });
    socket.on("error", fail).on("end", closed).on("close", closed);
    begin(done, fail);
  });
}
