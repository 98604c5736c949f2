// For each rule the code of the close frame (RFC 6455 §7.4.1) and the message.
const RULES: Record<WebSocketErrorCode, readonly [closeCode: number, message: string]> = {
  // The frame header, RFC 6455 §5.2.
  WS_RESERVED_BITS: [1002, "a reserved bit is set without an extension that uses it"],
  WS_RESERVED_OPCODE: [1002, "the opcode is reserved"],
  WS_FRAGMENTED_CONTROL: [1002, "a control frame is fragmented"],
  WS_CONTROL_TOO_LONG: [1002, "a control frame has more than 125 bytes"],
  WS_MASK_REQUIRED: [1002, "a frame from the client is not masked"],
  WS_MASK_FORBIDDEN: [1002, "a frame from the server is masked"],
  WS_LENGTH_NOT_MINIMAL: [1002, "the length is not in its shortest form"],
  WS_LENGTH_INVALID: [1002, "the length has more than 63 bits"],
  // The message, RFC 6455 §5.4, §8.1, §10.4.
  WS_UNEXPECTED_CONTINUATION: [1002, "a continuation frame without an unfinished message"],
  WS_EXPECTED_CONTINUATION: [1002, "a new message began inside a fragmented one"],
  WS_MESSAGE_TOO_LARGE: [1009, "the message is larger than maxMessageBytes"],
  WS_OVERLOADED: [1013, "incomplete messages use too much memory; try again later"],
  WS_INVALID_UTF8: [1007, "the text is not valid UTF-8"],
  WS_INVALID_DEFLATE: [1007, "the compressed message is not a deflate stream"],
  // The close frame, RFC 6455 §5.5.1, §7.4.
  WS_INVALID_CLOSE_PAYLOAD: [1002, "a close frame has a payload of one byte"],
  WS_INVALID_CLOSE_CODE: [1002, "a close frame has a code that cannot be sent"],
  // The answer to a client's handshake, RFC 6455 §4.1.
  WS_HANDSHAKE_STATUS: [1002, "the server did not answer 101"],
  WS_HANDSHAKE_UPGRADE: [1002, "the response does not upgrade to websocket"],
  WS_HANDSHAKE_ACCEPT: [1002, "Sec-WebSocket-Accept does not match the key"],
  WS_HANDSHAKE_PROTOCOL: [1002, "the server chose a protocol that was not offered"],
  WS_HANDSHAKE_EXTENSION: [1010, "the server chose an extension that was not offered"],
};

/** The code of an error, one for each rule. Codes are stable: programs can compare them. */
export type WebSocketErrorCode =
  | "WS_RESERVED_BITS"
  | "WS_RESERVED_OPCODE"
  | "WS_FRAGMENTED_CONTROL"
  | "WS_CONTROL_TOO_LONG"
  | "WS_MASK_REQUIRED"
  | "WS_MASK_FORBIDDEN"
  | "WS_LENGTH_NOT_MINIMAL"
  | "WS_LENGTH_INVALID"
  | "WS_UNEXPECTED_CONTINUATION"
  | "WS_EXPECTED_CONTINUATION"
  | "WS_MESSAGE_TOO_LARGE"
  | "WS_OVERLOADED"
  | "WS_INVALID_UTF8"
  | "WS_INVALID_DEFLATE"
  | "WS_INVALID_CLOSE_PAYLOAD"
  | "WS_INVALID_CLOSE_CODE"
  | "WS_HANDSHAKE_STATUS"
  | "WS_HANDSHAKE_UPGRADE"
  | "WS_HANDSHAKE_ACCEPT"
  | "WS_HANDSHAKE_PROTOCOL"
  | "WS_HANDSHAKE_EXTENSION";

/** A violation of RFC 6455 or RFC 7692 by the other side. */
export class WebSocketError extends Error {
  override readonly name: string = "WebSocketError";
  readonly code: WebSocketErrorCode;
  /** The code of the close frame sent in response: 1002, 1007, 1009, 1010 or 1013. RFC 6455 §7.4.1. */
  readonly closeCode: number;

  /** @param message replaces the default text of the rule. */
  constructor(code: WebSocketErrorCode, message: string = RULES[code][1]) {
    super(message);
    this.code = code;
    this.closeCode = RULES[code][0];
  }
}
