/** Frame opcodes. RFC 6455 §5.2, §11.8. */
export const CONTINUATION = 0x0;
export const TEXT = 0x1;
export const BINARY = 0x2;
/** Opcodes from here on are control frames. RFC 6455 §5.5. */
export const CLOSE_FRAME = 0x8;
export const PING_FRAME = 0x9;
export const PONG_FRAME = 0xa;

/** First header byte: the last fragment of its message. RFC 6455 §5.2. */
export const FIN = 0x80;
/** First header byte: "per-message compressed" once permessage-deflate is negotiated. RFC 7692 §6. */
export const RSV1 = 0x40;

/** Longest payload of a control frame, in bytes. RFC 6455 §5.5. */
export const MAX_CONTROL_BYTES = 125;
