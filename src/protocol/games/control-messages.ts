// The messages between `portico/client/game` and its server, sent among the messages of the program. All are text:
//
//   question          "~t" and the client's time in milliseconds
//   answer            the question, a space, and the server's time in milliseconds
//   acknowledgement   "~a" and how many snapshots the client has handled on this connection

/** The first byte of all of them, "~". */
export const MARK = 0x7e;

const QUESTION = /^~t\d{1,16}(?:\.\d{1,16})?$/;
const ANSWER = /^~t(\S+) (\S+)$/;
const ACKNOWLEDGEMENT = /^~a(\d{1,10})$/;

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

/** @returns the number of an acknowledgement, or undefined if the text is not one */
export function readAcknowledgement(text: string): number | undefined {
  const [, count] = ACKNOWLEDGEMENT.exec(text) ?? [];
  return count === undefined ? undefined : Number(count);
}
