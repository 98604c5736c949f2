import type { PageMessage } from "./messages.ts";

/** The longest text that a page can send, in UTF-16 units. */
const MAX_TEXT = 500;

/** Reads what a page sent. @returns undefined for anything else than a message of a page */
export function readPageMessage(data: Buffer): PageMessage | undefined {
  let value: unknown;
  try {
    value = JSON.parse(data.toString());
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const field = (key: string): string | undefined => {
    const found: unknown = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
    return typeof found === "string" && found.length <= MAX_TEXT ? found : undefined;
  };
  const [type, text, id, name] = [field("type"), field("text"), field("id"), field("name")];
  if (type === "close") return id === undefined ? undefined : { type, id };
  if (text === undefined) return undefined;
  if (type === "filter" || type === "chat" || type === "sort" || type === "topic" || type === "worker")
    return { type, text };
  return (type === "panel" || type === "action") && name !== undefined ? { type, name, text } : undefined;
}
