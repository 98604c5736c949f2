import { httpModule } from "../../node/builtins.ts";

/** Node has two of them under the names of RFC 7231 and 4918; and most programs need no other before their first answer. */
const own: Readonly<Record<number, string | undefined>> = {
  200: "OK",
  413: "Content Too Large",
  422: "Unprocessable Content",
};

/** The reason phrase of a status code, or undefined where none is registered (RFC 9110 §15). */
export function reasonPhrase(status: number): string | undefined {
  return own[status] ?? httpModule().STATUS_CODES[status];
}
