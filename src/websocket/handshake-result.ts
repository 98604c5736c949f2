import type { MessageDeflater } from "../protocol/websocket/message-deflater.ts";
import type { MessageInflater } from "../protocol/websocket/message-inflater.ts";

/** The result of the opening handshake (RFC 6455 §4). */
export interface HandshakeResult {
  readonly role: "server" | "client";
  readonly protocol: string;
  readonly inflater: MessageInflater | undefined;
  readonly deflater: MessageDeflater | undefined;
  readonly thresholdBytes: number;
  /** See the option of the same name. */
  readonly lent: boolean;
  readonly maxMessageBytes: number | undefined;
  /** Replaces the server's limit; Infinity means no pings. */
  readonly idleTimeoutMs: number | undefined;
  readonly sendResetsIdle: boolean;
  /** Replaces the server's limit. */
  readonly pongTimeoutMs: number | undefined;
  readonly writeTimeoutMs: number | undefined;
}

/** The result of `exchange.refuse`, which `upgrade` can return instead of data. */
export class Refusal {
  readonly isRefusal = true;
}

export const REFUSAL: Refusal = Object.freeze(new Refusal());

/** The result of `upgrade`: the value of `socket.data`, or a refusal or `false` to open no WebSocket. */
export type UpgradeAnswer<Data> = Data | Refusal | false;
