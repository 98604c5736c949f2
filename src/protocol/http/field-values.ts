import { checkFieldValue, FieldError } from "./field-lines.ts";

/** A value that a program can set a field to. Each element of a list becomes a field line (RFC 9110 §5.3). */
export type FieldValue = string | number | readonly (string | number)[];

/** Fields that cannot be combined to a list, so a message has one line of each (RFC 9110 §5.3). */
const SINGLE =
  /^(?:age|authorization|content-(?:length|location|range|type)|date|etag|expires|from|host|if-(?:modified-since|range|unmodified-since)|last-modified|location|max-forwards|origin|proxy-authorization|referer|retry-after|server|strict-transport-security|user-agent|access-control-(?:allow-(?:credentials|origin)|max-age))$/i;

/**
 * Returns the texts of a field's lines.
 * @throws FieldError for a value that is not text, a finite number or a list of those. Also for text that cannot be sent,
 *   and for several values of a field that can have only one
 */
export function fieldTexts(name: string, value: FieldValue): string[] {
  if (!Array.isArray(value)) return [fieldText(name, value as string | number)];
  if (value.length > 1 && SINGLE.test(name)) {
    throw new FieldError(`${name} can have only one value, not ${value.length}`);
  }
  return value.map((each) => fieldText(name, each));
}

/** Returns the text of one field line. @throws FieldError like {@link fieldTexts} */
export function fieldText(name: string, value: string | number): string {
  const text = Number.isFinite(value) ? String(value) : (value as string);
  checkFieldValue(name, text);
  return text;
}
