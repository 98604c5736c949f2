import { TCHAR } from "../http/octets.ts";
import { TOKEN_PATTERN as TOKEN } from "../http/token.ts";

/** One element of `Sec-WebSocket-Extensions`. */
export interface Extension {
  name: string;
  /** In the order of the header, duplicates included; the value is null when there is none. */
  params: Array<readonly [name: string, value: string | null]>;
}

const SPACE = "[ \\t]*";
// RFC 9110 §5.6.1.2, RFC 2616 §2.1: empty elements of a list are ignored.
const EMPTY_ELEMENTS = /[ \t]*(?:,[ \t]*)*/y;
const NAME = new RegExp(`${SPACE}(${TOKEN})${SPACE}`, "y");
// RFC 6455 §9.1: a quoted value has to be a token once it is unescaped, so only token characters stand in it.
const PARAM = new RegExp(
  `;${SPACE}(${TOKEN})(?:${SPACE}=${SPACE}(?:(${TOKEN})|"((?:\\\\?${TCHAR})+)"))?${SPACE}`,
  "y",
);

/**
 * Parses `Sec-WebSocket-Extensions`: `1#( token *( ";" token [ "=" ( token | quoted-string ) ] ) )`.
 * RFC 6455 §9.1.
 *
 * @returns null when the header does not follow the grammar; the connection has to be refused then.
 */
export function parseExtensions(header: string): Extension[] | null {
  const extensions: Extension[] = [];
  let at = afterEmptyElements(header, 0);
  for (;;) {
    NAME.lastIndex = at;
    const name = NAME.exec(header)?.[1];
    if (name === undefined) return null;
    at = NAME.lastIndex;
    const extension: Extension = { name, params: [] };
    extensions.push(extension);
    while (header[at] === ";") {
      PARAM.lastIndex = at;
      const param = PARAM.exec(header);
      if (param === null) return null;
      at = PARAM.lastIndex;
      const [, key = "", plain, quoted] = param;
      extension.params.push([key, plain ?? quoted?.replaceAll("\\", "") ?? null]);
    }
    if (at < header.length && header[at] !== ",") return null;
    at = afterEmptyElements(header, at);
    if (at === header.length) return extensions;
  }
}

function afterEmptyElements(header: string, at: number): number {
  EMPTY_ELEMENTS.lastIndex = at;
  return at + (EMPTY_ELEMENTS.exec(header)?.[0].length ?? 0);
}
