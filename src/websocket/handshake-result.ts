import type { MessageDeflater } from "../protocol/websocket/message-deflater.ts";
import type { MessageInflater } from "../protocol/websocket/message-inflater.ts";
import { MessageReader } from "../protocol/websocket/message-reader.ts";
import type { MessageLimits } from "../protocol/websocket/message-reader-options.ts";

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

/** @param limits apply unless the handshake has agreed on others @returns the reader of a WebSocket */
export function readerFor(agreement: HandshakeResult, limits: MessageLimits): MessageReader {
  const { role, maxMessageBytes, lent, inflater } = agreement;
  return new MessageReader({
    role,
    limits: maxMessageBytes === undefined ? limits : { maxMessageBytes },
    owned: !lent,
    inflate: inflater,
  });
}

/** The result of `exchange.refuse`, which `upgrade` can return instead of data. */
export class Refusal {
  readonly isRefusal = true;
}

export const REFUSAL: Refusal = Object.freeze(new Refusal());

/** The result of `upgrade`: the value of `socket.data`, or a refusal or `false` to open no WebSocket. */
export type UpgradeAnswer<Data> = Data | Refusal | false;
