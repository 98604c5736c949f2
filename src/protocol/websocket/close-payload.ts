import { Buffer } from "node:buffer";
import { NO_BYTES } from "../../bytes/no-bytes.ts";
import { isValidCloseCode, NO_STATUS_RECEIVED } from "./close-codes.ts";
import { MAX_CONTROL_BYTES } from "./opcodes.ts";
import { isText } from "./utf8.ts";
import type { WebSocketErrorCode } from "./websocket-error.ts";

/**
 * The payload of a close frame. RFC 6455 §5.5.1.
 *
 * @param code undefined for a close frame without a code; the reason is not sent then.
 * @param reason cut to 123 bytes of UTF-8, never inside a character.
 * @throws RangeError for a code that cannot be sent (§7.4).
 */
export function encodeClosePayload(code: number | undefined, reason = ""): Buffer {
  if (code === undefined) return NO_BYTES;
  if (!isValidCloseCode(code)) {
    throw new RangeError(`Close code ${code} cannot be sent. Use 1000, a registered code, or 3000 to 4999.`);
  }
  const text = Buffer.from(reason);
  let length = Math.min(text.length, MAX_CONTROL_BYTES - 2);
  // A continuation byte at the cut belongs to a character that began before it.
  if (length < text.length) while (((text[length] ?? 0) & 0xc0) === 0x80) length -= 1;
  const payload = Buffer.allocUnsafe(2 + length);
  payload.writeUInt16BE(code, 0);
  text.copy(payload, 2, 0, length);
  return payload;
}

/** Reads the payload of a close frame: nothing, or a code of 2 bytes and a reason. RFC 6455 §5.5.1, §7.1.5. */
export function parseClosePayload(payload: Buffer): { code: number; reason: string } | WebSocketErrorCode {
  if (payload.length === 0) return { code: NO_STATUS_RECEIVED, reason: "" };
  if (payload.length === 1) return "WS_INVALID_CLOSE_PAYLOAD";
  const code = payload.readUInt16BE(0);
  if (!isValidCloseCode(code)) return "WS_INVALID_CLOSE_CODE";
  if (!isText(payload.subarray(2))) return "WS_INVALID_UTF8";
  return { code, reason: payload.toString("utf8", 2) };
}
