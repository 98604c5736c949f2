/** Returns whether to use colours on a stream: it is a terminal, and NO_COLOR is not set (no-color.org). */
function hasColours(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY === true && (process.env["NO_COLOR"] ?? "") === "" && process.env["TERM"] !== "dumb";
}

const CODES = { dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

/** @returns the text in a colour, where the stream shows colours */
export function paint(
  colour: keyof typeof CODES,
  text: string,
  stream: NodeJS.WriteStream = process.stdout,
): string {
  return hasColours(stream) ? `\x1b[${CODES[colour]}m${text}\x1b[0m` : text;
}

/** What a terminal would take for an order, and marks that reorder the text around them. */
const ORDERS = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;
const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

const hex = (character: string): string => character.charCodeAt(0).toString(16);

/** Returns text from the network for a terminal, on one line. Control characters are shown as numbers. */
export function printable(text: string): string {
  return text.replace(ORDERS, (character) => SHORT[character] ?? `\\u{${hex(character)}}`);
}

/** Prints a record as one line of JSON, which is also safe for a terminal. */
export function printJson(record: object): void {
  print(JSON.stringify(record).replace(ORDERS, (character) => `\\u${hex(character).padStart(4, "0")}`));
}

/** Prints a line on stdout. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Prints a line on stderr. */
export function complain(line: string): void {
  process.stderr.write(`portico: ${line}\n`);
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** @returns "1.5 MiB" */
export function inBytes(count: number): string {
  let value = count;
  let unit = 0;
  for (; value >= 1_024 && unit < UNITS.length - 1; unit++) value /= 1_024;
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}

/** @returns "1.50 ms", with the unit that suits */
export function inTime(ms: number): string {
  if (ms >= 1_000) return `${(ms / 1_000).toFixed(2)} s`;
  if (ms < 1) return `${Math.round(ms * 1_000)} µs`;
  return `${ms.toFixed(ms < 10 ? 2 : ms < 100 ? 1 : 0)} ms`;
}
