import { type ClientMessage, isName, type Position } from "../protocol/channels/messages.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Reads a client's message. Unknown fields are ignored. @returns undefined when the message is not valid */
export function readClientMessage(value: unknown): ClientMessage | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const fields = value as Fields;
  const { type, id, channel, name, token, data } = fields;
  if (type === "ping") return { type };
  if (!isCount(id)) return undefined;
  switch (type) {
    case "hello":
      if (token === undefined) return { type, id };
      return typeof token === "string" ? { type, id, token } : undefined;
    case "refresh":
      return typeof token === "string" ? { type, id, token } : undefined;
    case "subscribe":
      return isName(channel) ? readSubscribe(id, channel, fields) : undefined;
    case "unsubscribe":
      return isName(channel) ? { type, id, channel } : undefined;
    case "publish":
      if (!isName(channel) || data === undefined) return undefined;
      return { type, id, channel, data, ...(fields["quiet"] === true && { quiet: true as const }) };
    case "request":
      return isName(name) ? { type, id, name, data } : undefined;
    default:
      return undefined;
  }
}

function readSubscribe(id: number, channel: string, fields: Fields): ClientMessage | undefined {
  const { since, history } = fields;
  if (since !== undefined && !isPosition(since)) return undefined;
  if (history !== undefined && !isCount(history)) return undefined;
  return {
    type: "subscribe",
    id,
    channel,
    ...(since !== undefined && { since }),
    ...(history !== undefined && { history }),
  };
}

function isPosition(value: unknown): value is Position {
  if (typeof value !== "object" || value === null) return false;
  const { epoch, offset } = value as Fields;
  return typeof epoch === "string" && isCount(offset);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
