import { checkOptions } from "../options/check-options.ts";
import { type HandlersOf, handlerNames, type Message, type ProgramOf } from "./web-socket-handlers.ts";

/** What a program needs of its WebSocket. */
interface Readable {
  messages(): AsyncIterable<Message>;
  close(): void;
}

/**
 * Returns handlers that run a program which is one function; handlers as they are. What a class adds to its instances is
 * its own; an object that is written down has handlers only.
 * @throws TypeError for a handler that is unknown
 */
export function handlersOf<Socket extends Readable, Data, Request>(
  handlers: HandlersOf<Socket, Data, Request> | ProgramOf<Socket>,
): HandlersOf<Socket, Data, Request> {
  if (typeof handlers !== "function") {
    if (isPlain(handlers)) checkOptions("a WebSocket's handlers", handlers, handlerNames);
    return handlers;
  }
  return {
    async open(socket) {
      // Messages that arrive before the program asks are kept.
      socket.messages();
      await handlers(socket);
      socket.close();
    },
  };
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
