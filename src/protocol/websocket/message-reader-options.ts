import type { MessageInflater } from "./message-inflater.ts";

export interface MessageLimits {
  /** Largest message in bytes, over all fragments and after inflating. Read whenever a message starts. */
  maxMessageBytes: number;
}

export interface MessageReaderOptions {
  /** Which side reads: a server demands masked frames, a client refuses them. RFC 6455 §5.1. */
  role: "server" | "client";
  limits: MessageLimits;
  /** Copy what lies in the bytes that are given to `receive`, so that all data is free to keep. Default false. */
  owned?: boolean;
  /** Present when permessage-deflate was negotiated. The caller closes it. */
  inflate?: MessageInflater | undefined;
}
