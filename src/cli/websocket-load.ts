import type { ConnectionOptions } from "node:tls";
import { connect } from "../index.ts";
import type { LoadLink, OpenLink } from "./bench-load.ts";

export interface WebSocketLoadOptions {
  readonly url: URL;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly message: string | Buffer;
  readonly tls: ConnectionOptions;
  /** For one connection to be opened, in milliseconds. */
  readonly timeoutMs: number;
}

/** @returns what opens WebSockets that send a message and take the next one that comes for its answer */
export function webSocketLoad(options: WebSocketLoadOptions): OpenLink {
  const { url, message, tls, headers } = options;
  const limits = { headTimeoutMs: options.timeoutMs, closeTimeoutMs: 1 };
  return async (events, signal) => {
    const socket = await connect(
      url,
      {
        message: (_socket, data) => {
          events.received(data.length);
          events.answered(undefined, false);
        },
        close: (_socket, code) => events.lost(`closed with ${code}`),
      },
      { headers, limits, tls, signal },
    );
    const link: LoadLink = { send: () => void socket.send(message), destroy: () => socket.terminate() };
    return link;
  };
}
