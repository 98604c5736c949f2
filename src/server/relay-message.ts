// How a message travels between servers: a byte for the version of this format, a byte of flags, the 16 bytes of the
// publishing server's id, and the payload. Text is UTF-8.
import { isUtf8 } from "node:buffer";
import type { SendOptions } from "../websocket/web-socket-handlers.ts";

const VERSION = 1;
const IS_BINARY = 1;
const IS_UNCOMPRESSED = 2;
const KNOWN_FLAGS = IS_BINARY | IS_UNCOMPRESSED;
/** Alone: a message between the servers themselves, which no client gets. */
const IS_CONTROL = 4;
export const NODE_ID_BYTES = 16;
const HEAD_BYTES = 2 + NODE_ID_BYTES;

/** Returns a message with its head, in separate memory. */
export function encodeRelayMessage(
  nodeId: Uint8Array,
  data: string | Uint8Array,
  { binary, compress }: SendOptions,
): Buffer {
  const length = typeof data === "string" ? Buffer.byteLength(data) : data.length;
  const message = Buffer.allocUnsafe(HEAD_BYTES + length);
  message[0] = VERSION;
  message[1] =
    ((binary ?? typeof data !== "string") ? IS_BINARY : 0) | (compress === false ? IS_UNCOMPRESSED : 0);
  message.set(nodeId, 2);
  if (typeof data === "string") message.write(data, HEAD_BYTES);
  else message.set(data, HEAD_BYTES);
  return message;
}

/** Returns a message for the servers themselves. */
export function encodeControlMessage(nodeId: Uint8Array, text: string): Buffer {
  const message = encodeRelayMessage(nodeId, text, {});
  message[1] = IS_CONTROL;
  return message;
}

/** @returns the payload of a message for the servers themselves, in its memory; undefined for all others */
export function controlPayload(message: Uint8Array): Buffer | undefined {
  if (message[0] !== VERSION || message[1] !== IS_CONTROL) return undefined;
  return Buffer.from(message.buffer, message.byteOffset, message.byteLength).subarray(HEAD_BYTES);
}

/** Whether a message that came back was published by the server with this id. */
export function isFrom(nodeId: Buffer, message: Uint8Array): boolean {
  return (
    message.length >= HEAD_BYTES && nodeId.compare(message, 2, HEAD_BYTES) === 0 && message[0] === VERSION
  );
}

/**
 * Reads a message of another server.
 * @returns its payload, in the memory of `message`, and how to send it
 * @throws Error that says what is wrong with it
 */
export function decodeRelayMessage(message: Uint8Array): { data: Uint8Array; options: SendOptions } {
  const [version, flags = 0] = message;
  if (version !== VERSION || flags > KNOWN_FLAGS || message.length < HEAD_BYTES) {
    throw new Error(
      `it has ${message.length} bytes and version ${version}. Use the same version of Portico everywhere, ` +
        "and a broker, or a prefix, that nothing else publishes to",
    );
  }
  const data = message.subarray(HEAD_BYTES);
  const binary = (flags & IS_BINARY) !== 0;
  if (!binary && !isUtf8(data)) throw new Error("its text is not valid UTF-8");
  return { data, options: { binary, compress: (flags & IS_UNCOMPRESSED) === 0 } };
}
