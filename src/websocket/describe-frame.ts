import {
  CLOSE,
  FAILED,
  MESSAGE,
  type MessageReader,
  PING,
  PONG,
  type Signal,
} from "../protocol/websocket/message-reader.ts";
import {
  BINARY,
  CLOSE_FRAME,
  CONTINUATION,
  FIN,
  PING_FRAME,
  PONG_FRAME,
  RSV1,
  TEXT,
} from "../protocol/websocket/opcodes.ts";
import { quoted } from "../trace/debug-log.ts";

const NAMES = new Map([
  [CONTINUATION, "CONTINUATION"],
  [TEXT, "TEXT"],
  [BINARY, "BINARY"],
  [CLOSE_FRAME, "CLOSE"],
  [PING_FRAME, "PING"],
  [PONG_FRAME, "PONG"],
]);

/**
 * A frame in one line for the debug log, such as `TEXT "hi"`.
 * @param first its first byte: FIN, RSV1 and opcode
 */
export function describeFrame(first: number, payload: string | Uint8Array): string {
  const name = NAMES.get(first & 0x0f) ?? `opcode ${first & 0x0f}`;
  const flags = `${(first & RSV1) === 0 ? "" : " compressed"}${(first & FIN) === 0 ? " fragment" : ""}`;
  // RFC 6455 §5.5.1: a close frame begins with its code.
  const isClose = (first & 0x0f) === CLOSE_FRAME && typeof payload !== "string" && payload.length >= 2;
  const code = isClose ? `${((payload[0] ?? 0) << 8) | (payload[1] ?? 0)} ` : "";
  return `${name}${flags} ${code}${quoted(isClose ? payload.subarray(2) : payload)}`;
}

/** What a reader has found, in one line for the debug log. */
export function describeRead(signal: Signal, reader: MessageReader): string {
  const { data, binary, closeCode, closeReason, error } = reader;
  if (signal === MESSAGE) return `< ${binary ? "BINARY" : "TEXT"} ${quoted(data)}`;
  if (signal === PING || signal === PONG) return `< ${signal === PING ? "PING" : "PONG"} ${quoted(data)}`;
  if (signal === CLOSE) return `< CLOSE ${closeCode} ${quoted(closeReason)}`;
  return signal === FAILED ? `< invalid: ${error?.code}` : "< part of a message";
}
