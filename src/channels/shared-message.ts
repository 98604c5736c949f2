import { losslessJson, NotJson } from "../protocol/channels/lossless-json.ts";
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
 * @param messagePack if some clients use it, it must be able to hold the value, too
 * @throws InvalidValue for values that clients could not read, or would get changed; TypeError for circular ones
 */
export function recordOf(
  data: unknown,
  client: string | undefined,
  quiet: boolean,
  messagePack: MessagePack | undefined,
): string {
  const record = jsonOf({ data, client, quiet: quiet || undefined });
  // JSON.stringify leaves out undefined, functions and symbols.
  if (!record.startsWith('{"data"')) throw new InvalidValue(`JSON cannot hold ${String(data)}`);
  if (messagePack === undefined) return record;
  try {
    // As deep as in a history.
    messagePack.decode(messagePack.encode([[JSON.parse(record)]]));
  } catch (error) {
    throw new InvalidValue(`MessagePack cannot hold the value: ${String(error)}`);
  }
  return record;
}

/** Returns a request's answer as JSON. @throws TypeError for an answer that JSON would change, or cannot hold */
export function answerText(message: ServerMessage & { type: "answer" }): string {
  try {
    return jsonOf(message);
  } catch (cause) {
    throw new TypeError(`the answer of a request cannot be sent: ${String(cause)}`, { cause });
  }
}

function jsonOf(value: object): string {
  try {
    return losslessJson(value);
  } catch (error) {
    if (error instanceof NotJson) throw new InvalidValue(error.message);
    throw error instanceof RangeError ? new InvalidValue("the value is nested too deeply") : error;
  }
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
