// The answers' bytes, checked before each load, so that nothing fast and wrong is measured.
import { connect } from "node:net";

const TIMEOUT_MS = 5_000;
const BODY = "Hello, World!";

/**
 * Sends `depth` requests in one write and checks every answer.
 * @param {number} port
 * @param {number} depth
 * @returns {Promise<void>}
 */
export async function checkHttp(port, depth) {
  const socket = connect({ port, host: "127.0.0.1" });
  socket
    .setEncoding("latin1")
    .setTimeout(TIMEOUT_MS, () => socket.destroy(new Error("GET / is not answered")));
  socket.write(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`.repeat(depth));
  let text = "";
  let answers = 0;
  for await (const chunk of socket) {
    text += chunk;
    for (let length = answerLength(text); length > 0; length = answerLength(text)) {
      text = text.slice(length);
      answers++;
    }
    if (answers >= depth) break;
  }
  if (answers !== depth || text !== "") throw new Error(`GET /: ${answers} answers to ${depth} requests`);
}

/**
 * The length of the answer that a text starts with, 0 while it is not whole; throws when it is a wrong one.
 * @param {string} text
 */
function answerLength(text) {
  const headEnd = text.indexOf("\r\n\r\n");
  const end = headEnd + 4 + BODY.length;
  if (headEnd < 0 || text.length < end) return 0;
  const head = text.slice(0, headEnd + 2);
  const body = text.slice(headEnd + 4, end);
  const right =
    head.startsWith("HTTP/1.1 200 ") &&
    /\r\nContent-Type: text\/plain(?:;[^\r]*)?\r\n/i.test(head) &&
    /\r\nContent-Length: 13\r\n/i.test(head) &&
    body === BODY;
  if (!right) throw new Error(`GET /: wrong answer ${JSON.stringify(text.slice(0, end))}`);
  return end;
}
