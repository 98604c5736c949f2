/** The error for a value that JSON would change. */
export class NotJson extends TypeError {}

/**
 * Returns a value as JSON.
 * @throws NotJson for what JSON would turn into something else: bytes and maps into objects, NaN into null. TypeError for circular
 *   values, RangeError for values that are nested too deeply
 */
export function losslessJson(value: object): string {
  return JSON.stringify(value, refuseLoss);
}

function refuseLoss(this: unknown, key: string, value: unknown): unknown {
  if (typeof value === "bigint" || (typeof value === "number" && !Number.isFinite(value))) {
    throw new NotJson(`JSON cannot hold ${value}`);
  }
  if (typeof value !== "object") return value;
  // The value itself is what toJSON, which Buffers have, returned.
  const original = (this as Record<string, unknown>)[key];
  if (ArrayBuffer.isView(original) || original instanceof ArrayBuffer) {
    throw new NotJson("JSON cannot hold bytes. Send them as text, such as base64");
  }
  if (original instanceof Map || original instanceof Set) {
    throw new NotJson("JSON cannot hold a Map or a Set. Send an array or an object");
  }
  return value;
}
