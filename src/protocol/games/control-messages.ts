// The messages between `portico/client/game` and its server, sent among the messages of the program. All are text:
//
//   question          "~t" and the client's time in milliseconds
//   answer            the question, a space, and the server's time in milliseconds
//   acknowledgement   "~a" and how many snapshots the client has handled on this connection

/** The first byte of all of them, "~". */
export const MARK = 0x7e;

const QUESTION = /^~t\d{1,16}(?:\.\d{1,16})?$/;
const ANSWER = /^~t(\S+) (\S+)$/;
/** The second byte of an acknowledgement, "a". */
const ACKNOWLEDGES = 0x61;
/** "~a" and ten digits. */
const LONGEST_ACKNOWLEDGEMENT = 12;
const ZERO = 0x30;

export function timeQuestion(nowMs: number): string {
  // Three places are microseconds; without rounding, tiny numbers would have an exponent.
  return `~t${nowMs.toFixed(3)}`;
}

/** @returns the answer to a question, or undefined if the text is not one */
export function answerTo(text: string, nowMs: number): string | undefined {
  return QUESTION.test(text) ? `${text} ${nowMs.toFixed(3)}` : undefined;
}

/** @returns both times of an answer, or undefined if the text is not one */
export function readTime(text: string): { sentMs: number; serverMs: number } | undefined {
  const [, sent, server] = ANSWER.exec(text) ?? [];
  return server === undefined ? undefined : { sentMs: Number(sent), serverMs: Number(server) };
}

export function acknowledgement(count: number): string {
  return `~a${count}`;
}

/**
 * Reads bytes and not text, because each player sends one for each snapshot.
 * @returns the number of an acknowledgement, or undefined if the bytes, which begin with {@link MARK}, are not one
 */
export function readAcknowledgement(bytes: Uint8Array): number | undefined {
  const { length } = bytes;
  if (length < 3 || length > LONGEST_ACKNOWLEDGEMENT || bytes[1] !== ACKNOWLEDGES) return undefined;
  let count = 0;
  for (let at = 2; at < length; at++) {
    const digit = (bytes[at] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return undefined;
    count = count * 10 + digit;
  }
  return count;
}
