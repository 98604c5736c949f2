import type { ServerMessage } from "../protocol/channels/messages.ts";
import { SharedFrames } from "../websocket/shared-frames.ts";
import { InvalidValue } from "./standard-schema.ts";

/** Encodes and decodes MessagePack, like the package `@msgpack/msgpack`. */
export interface MessagePack {
  encode(value: unknown): Uint8Array;
  decode(bytes: Uint8Array): unknown;
}

/** A message for many clients: encoded, framed and compressed once for each encoding that is needed. */
export class SharedMessage {
  private readonly text: string;
  private asJson: SharedFrames | undefined;
  private asMessagePack: SharedFrames | undefined;

  /** @param text a message as JSON */
  constructor(text: string) {
    this.text = text;
  }

  static of(message: ServerMessage): SharedMessage {
    return new SharedMessage(JSON.stringify(message));
  }

  /** Returns the frames of the message in one encoding. @param messagePack undefined for JSON */
  framesFor(messagePack: MessagePack | undefined): SharedFrames {
    if (messagePack === undefined) {
      this.asJson ??= new SharedFrames(this.text, {});
      return this.asJson;
    }
    this.asMessagePack ??= new SharedFrames(messagePack.encode(JSON.parse(this.text)), {});
    return this.asMessagePack;
  }
}

/**
 * Creates the record of a message: the JSON text that stores keep, and that ends the message for clients.
 * @param data a value that JSON can hold
 * @throws InvalidValue for bytes, undefined, functions and symbols; TypeError for other values that JSON cannot hold
 */
export function recordOf(data: unknown, client: string | undefined, quiet: boolean): string {
  const record = JSON.stringify({ data, client, quiet: quiet || undefined }, refuseBytes);
  // JSON.stringify leaves out undefined, functions and symbols.
  if (!record.startsWith('{"data"')) throw new InvalidValue(`JSON cannot hold ${String(data)}`);
  return record;
}

/** MessagePack can carry bytes, but JSON would turn them into an object. */
function refuseBytes(this: unknown, key: string, value: unknown): unknown {
  // The value itself is what toJSON, which Buffers have, returned.
  if (ArrayBuffer.isView((this as Record<string, unknown>)[key])) {
    throw new InvalidValue("JSON cannot hold bytes. Send them as text, such as base64");
  }
  return value;
}

/** Returns the JSON text of a message for clients. @param offset undefined in channels without a history */
export function messageText(channel: string, offset: number | undefined, record: string): string {
  const place = offset === undefined ? "" : `"offset":${offset},`;
  return `{"type":"message","channel":${JSON.stringify(channel)},${place}${record.slice(1)}`;
}

const QUIET = /,"client":"([\w-]+)","quiet":true\}$/;

/** Returns the client that published a quiet message, which it does not want to receive; undefined for other messages. */
export function quietClientOf(record: string): string | undefined {
  return record.endsWith('"quiet":true}') ? QUIET.exec(record)?.[1] : undefined;
}
