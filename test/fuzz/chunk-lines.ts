/*
 * What stands behind the sizes of chunks, by regular expressions, to compare with (RFC 9112 §7.1.1). Strings are
 * latin1.
 */
const SPACE = "[ \\t]*";
const NAME = "[\\w!#$%&'*+.^`|~-]+";
const QUOTED = '"(?:[\\t !#-[\\]-~\\x80-\\xff]|\\\\[\\t -~\\x80-\\xff])*';
const EXTENSION = `${SPACE};${SPACE}${NAME}(?:${SPACE}=${SPACE}(?:${NAME}|${QUOTED}"))?`;
const BEGINNING = `${SPACE}(?:;${SPACE}(?:${NAME}${SPACE}(?:=${SPACE}(?:${QUOTED}\\\\?)?)?)?)?`;
const WHOLE = new RegExp(`^(?:${EXTENSION})*$`);
const BEGUN = new RegExp(`^(?:${EXTENSION})*(?:${BEGINNING})$`);

/** The chunk extensions of a message, as far as its text goes. */
export interface ChunkExtensions {
  /** One for each line with a size, without the size; the last may break off. */
  lines: string[];
  /** All are of the grammar, or can still become so. */
  valid: boolean;
}

/** What stands behind the head of a message, which can have empty lines before it (RFC 9112 §2.2). */
export function behindHead(text: string): string {
  const head = text.replace(/^(?:\r\n)+/, "");
  return head.slice(head.indexOf("\r\n\r\n") + 4);
}

export function chunkExtensions(text: string): ChunkExtensions {
  const lines: string[] = [];
  let rest = behindHead(text);
  for (;;) {
    const [line, size, extension, end] = /^([0-9a-f]+)([^\r]*)(\r\n?)?/i.exec(rest) ?? [];
    if (line === undefined || size === undefined || extension === undefined) return { lines, valid: true };
    lines.push(extension);
    if (!(end === undefined ? BEGUN : WHOLE).test(extension)) return { lines, valid: false };
    const length = Number.parseInt(size, 16);
    if (end !== "\r\n" || length === 0) return { lines, valid: true };
    rest = rest.slice(line.length + length + 2);
  }
}
