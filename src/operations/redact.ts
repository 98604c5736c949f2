import type { Exchange } from "../exchange/exchange.ts";
import { percentDecoded } from "../protocol/http/percent-encoding.ts";

const REDACTED = "[redacted]";

/** Whether a name is that of a secret. */
export type SecretTest = (name: string) => boolean;

/**
 * A query without the values of secret parameters; everything else stays as it was sent.
 */
export function redactedQuery(query: string, isSecret: SecretTest): string {
  if (query === "") return query;
  const pairs = query.split("&").map((pair) => {
    const end = pair.indexOf("=");
    return end >= 0 && isSecret(decodedName(pair.slice(0, end))) ? `${pair.slice(0, end)}=${REDACTED}` : pair;
  });
  return pairs.join("&");
}

/** The header fields of these names that the request has, {@link printable}, by lower-case name. */
export function redactedFields(
  exchange: Pick<Exchange, "header">,
  names: readonly string[],
  isSecret: SecretTest,
): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of names) {
    const lower = name.toLowerCase();
    const value = exchange.header(lower);
    if (value !== undefined) found[lower] = isSecret(lower) ? REDACTED : printable(value);
  }
  return found;
}

/** Control characters, spelled out, by their code. */
const SPELLED = Array.from({ length: 0xa0 }, (_, code) => `\\x${code.toString(16).padStart(2, "0")}`);

/** A field value can have tabs and, in latin1, control characters from 0x80 on. They are escaped. */
export function printable(value: string): string {
  return value.replace(/[\0-\x1f\x7f-\x9f]/g, (character) => SPELLED[character.charCodeAt(0)] ?? "");
}

/** Programs decode names before they compare them, so a secret can be spelled in many ways. */
function decodedName(name: string): string {
  return percentDecoded(name.replaceAll("+", " ")) ?? name;
}
