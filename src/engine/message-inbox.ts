import { PAUSED_BY_CONSUMER } from "./core.ts";
import { Fifo } from "./fifo.ts";
import type { WebSocket } from "./web-socket.ts";
import type { Message, WebSocketHandlers, WebSocketProgram } from "./web-socket-handlers.ts";

/** Messages that wait for the program pause the connection from this size on, in bytes. */
const KEEP_BYTES = 65_536;
/** What a message costs beside its data. */
const MESSAGE_BYTES = 128;

type Step = IteratorResult<Message, undefined>;

const END: Step = { done: true, value: undefined };

/** All that can come once it is open: none of it may be forgotten. */
type Forwarding<Data> = Required<Omit<WebSocketHandlers<Data>, "upgrade" | "open">>;

/**
 * The messages of one WebSocket for a program that asks for them. It takes the place of the handlers, so that
 * WebSockets whose messages are not asked for have nothing to do with it.
 */
export class MessageInbox<Data> implements Forwarding<Data>, AsyncIterable<Message> {
  private readonly socket: WebSocket<Data>;
  private readonly former: WebSocketHandlers<Data>;
  /** Whether data is the program's own when it comes. */
  private readonly owned: boolean;
  private readonly kept = new Fifo<Message>();
  private readonly waiting = new Fifo<(step: Step) => void>();
  private keptBytes = 0;
  private ended = false;

  /** @param former gets all that is not a message */
  constructor(socket: WebSocket<Data>, former: WebSocketHandlers<Data>, owned: boolean) {
    this.socket = socket;
    this.former = former;
    this.owned = owned;
  }

  /** Ends without what is kept being lost. */
  end(): void {
    this.ended = true;
    for (let wake = this.waiting.shift(); wake !== undefined; wake = this.waiting.shift()) wake(END);
  }

  [Symbol.asyncIterator](): AsyncIterator<Message, undefined> {
    return { next: () => this.next(), return: () => Promise.resolve(END) };
  }

  message(_socket: WebSocket<Data>, data: Buffer, binary: boolean): void {
    const message: Message = { data: this.owned ? data : Buffer.from(data), binary };
    const wake = this.waiting.shift();
    if (wake !== undefined) {
      wake({ done: false, value: message });
      return;
    }
    this.kept.push(message);
    this.keptBytes += data.length + MESSAGE_BYTES;
    if (this.keptBytes >= KEEP_BYTES) this.socket.pauseFor(PAUSED_BY_CONSUMER);
  }

  close(socket: WebSocket<Data>, code: number, reason: string): unknown {
    this.end();
    return this.former.close?.(socket, code, reason);
  }

  received(socket: WebSocket<Data>, data: Buffer, binary: boolean): unknown {
    return this.former.received?.(socket, data, binary);
  }

  drain(socket: WebSocket<Data>): unknown {
    return this.former.drain?.(socket);
  }

  ping(socket: WebSocket<Data>, data: Buffer): unknown {
    return this.former.ping?.(socket, data);
  }

  pong(socket: WebSocket<Data>, data: Buffer): unknown {
    return this.former.pong?.(socket, data);
  }

  private next(): Promise<Step> {
    const message = this.kept.shift();
    if (message !== undefined) {
      this.keptBytes -= message.data.length + MESSAGE_BYTES;
      if (this.keptBytes < KEEP_BYTES / 2) this.socket.resumeFrom(PAUSED_BY_CONSUMER);
      return Promise.resolve({ done: false, value: message });
    }
    if (this.ended) return Promise.resolve(END);
    return new Promise((resolve) => this.waiting.push(resolve));
  }
}

/** Handlers for a program that is one function; handlers as they are. */
export function handlersOf<Data>(
  handlers: WebSocketHandlers<Data> | WebSocketProgram<Data>,
): WebSocketHandlers<Data> {
  if (typeof handlers !== "function") return handlers;
  return {
    async open(socket) {
      // What comes before the program asks is kept.
      socket.messages();
      await handlers(socket);
      socket.close();
    },
  };
}
