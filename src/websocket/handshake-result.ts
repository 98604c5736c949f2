import type { MessageDeflater } from "../protocol/websocket/message-deflater.ts";
import type { MessageInflater } from "../protocol/websocket/message-inflater.ts";

/** What the opening handshake has settled (RFC 6455 §4). */
export interface HandshakeResult {
  readonly role: "server" | "client";
  readonly protocol: string;
  readonly inflater: MessageInflater | undefined;
  readonly deflater: MessageDeflater | undefined;
  readonly thresholdBytes: number;
  /** See the option of the same name. */
  readonly lent: boolean;
  readonly maxMessageBytes: number | undefined;
  /** In place of the server's limit; Infinity: never ping. */
  readonly idleTimeoutMs: number | undefined;
  readonly sendResetsIdle: boolean;
  /** In place of the server's limit. */
  readonly pongTimeoutMs: number | undefined;
  readonly writeTimeoutMs: number | undefined;
}

/** What `exchange.refuse` returns, so that `upgrade` can return it in place of data. */
export class Refusal {
  readonly isRefusal = true;
}

export const REFUSAL: Refusal = Object.freeze(new Refusal());

/** What `upgrade` answers: what becomes `socket.data`; or a refusal, or `false`, which open nothing. */
export type UpgradeAnswer<Data> = Data | Refusal | false;
