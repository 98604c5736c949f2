import type { WebSocket } from "../exchange/exchange.ts";
import { answerTo, MARK, readAcknowledgement } from "../protocol/games/control-messages.ts";

/**
 * Answers the messages that `GameSocket` of `portico/client/game` sends by itself: questions for the server's time, which is
 * `performance.now()`, and acknowledgements of snapshots. Pass it as the handler `onEnqueue`: it answers when a message
 * arrives, and not in the next tick. With immediate delivery, call it at the beginning of `message`.
 * @returns false for such a message, which the program must not get; true for all others
 */
export function answerGameClient(socket: WebSocket, data: Buffer, binary: boolean): boolean {
  if (binary || data[0] !== MARK) return true;
  const count = readAcknowledgement(data);
  if (count !== undefined) {
    socket.ack(count);
    return false;
  }
  const answer = answerTo(data.toString("latin1"), performance.now());
  if (answer !== undefined) socket.reply(answer);
  return answer === undefined;
}
