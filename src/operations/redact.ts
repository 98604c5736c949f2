import type { Exchange } from "../engine/exchange.ts";
import { percentDecoded } from "../http1/percent-encoding.ts";

const REDACTED = "[redacted]";

/** Names of header fields and of parameters that usually carry what nobody but the server may know. */
export const defaultSecrets: readonly string[] = [
  ...[
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "x-api-key",
    "x-auth-token",
    "x-csrf-token",
  ],
  ...["access_token", "refresh_token", "id_token", "token", "code", "state", "session", "sid", "jwt"],
  ...[
    "password",
    "passwd",
    "pwd",
    "secret",
    "client_secret",
    "api_key",
    "apikey",
    "key",
    "auth",
    "credential",
  ],
  ...["signature", "sig", "x-amz-signature", "x-amz-credential", "x-amz-security-token", "x-goog-signature"],
];

/**
 * A query without the values of secret parameters; everything else stays as it was sent.
 * @param secrets names in lower case
 */
export function redactedQuery(query: string, secrets: ReadonlySet<string>): string {
  if (query === "") return query;
  const pairs = query.split("&").map((pair) => {
    const end = pair.indexOf("=");
    return end >= 0 && secrets.has(decodedName(pair.slice(0, end)))
      ? `${pair.slice(0, end)}=${REDACTED}`
      : pair;
  });
  return pairs.join("&");
}

/** The header fields of these names that the request has, {@link printable}, by lower-case name. */
export function redactedFields(
  exchange: Pick<Exchange, "header">,
  names: readonly string[],
  secrets: ReadonlySet<string>,
): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of names) {
    const lower = name.toLowerCase();
    const value = exchange.header(lower);
    if (value !== undefined) found[lower] = secrets.has(lower) ? REDACTED : printable(value);
  }
  return found;
}

/** Control characters, spelled out, by their code. */
const SPELLED = Array.from({ length: 0xa0 }, (_, code) => `\\x${code.toString(16).padStart(2, "0")}`);

/** A field value may have tabs and, as latin1, the control characters from 0x80 on: they are spelled out. */
export function printable(value: string): string {
  return value.replace(/[\0-\x1f\x7f-\x9f]/g, (character) => SPELLED[character.charCodeAt(0)] ?? "");
}

/** Programs decode a name before they look at it, so a secret may be spelled in many ways. */
function decodedName(name: string): string {
  return percentDecoded(name.replaceAll("+", " "))?.trim().toLowerCase() ?? name.toLowerCase();
}
