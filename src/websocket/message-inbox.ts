import { Fifo } from "../delivery/fifo.ts";
import type { HandlersOf, Message } from "./web-socket-handlers.ts";

/** Messages that wait for the program pause the connection from this size on, in bytes. */
const KEEP_BYTES = 65_536;
/** The memory of a message without its data, in bytes. */
const MESSAGE_BYTES = 128;

type Step = IteratorResult<Message, undefined>;

const END: Step = { done: true, value: undefined };

/** All events that can come once it is open. None must be forgotten. */
type Forwarding<Socket> = Required<Omit<HandlersOf<Socket, never, never>, "upgrade" | "open">>;

/** The same, of which handlers can have any. */
type Forwarded<Socket> = Partial<Forwarding<Socket>>;

/** Stops and continues reading for a program that takes messages at its own speed. */
interface Source {
  pause(): void;
  resume(): void;
}

/**
 * The messages of one WebSocket for a program that asks for them. It takes the place of the handlers, so that
 * WebSockets whose messages are not asked for have nothing to do with it.
 */
export class MessageInbox<Socket> implements Forwarding<Socket>, AsyncIterable<Message> {
  private readonly source: Source;
  private readonly former: Forwarded<Socket>;
  /** Whether data is the program's own when it comes. */
  private readonly owned: boolean;
  private readonly kept = new Fifo<Message>();
  private readonly waiting = new Fifo<(step: Step) => void>();
  private keptBytes = 0;
  private ended = false;

  /** @param former gets all that is not a message */
  constructor(source: Source, former: Forwarded<Socket>, owned: boolean) {
    this.source = source;
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

  message(_socket: Socket, data: Buffer, binary: boolean): void {
    const message: Message = { data: this.owned ? data : Buffer.from(data), binary };
    const wake = this.waiting.shift();
    if (wake !== undefined) {
      wake({ done: false, value: message });
      return;
    }
    this.kept.push(message);
    this.keptBytes += data.length + MESSAGE_BYTES;
    if (this.keptBytes >= KEEP_BYTES) this.source.pause();
  }

  close(socket: Socket, code: number, reason: string): unknown {
    this.end();
    return this.former.close?.(socket, code, reason);
  }

  onEnqueue(socket: Socket, data: Buffer, binary: boolean): unknown {
    return this.former.onEnqueue?.(socket, data, binary);
  }

  drain(socket: Socket): unknown {
    return this.former.drain?.(socket);
  }

  ping(socket: Socket, data: Buffer): unknown {
    return this.former.ping?.(socket, data);
  }

  pong(socket: Socket, data: Buffer): unknown {
    return this.former.pong?.(socket, data);
  }

  private next(): Promise<Step> {
    const message = this.kept.shift();
    if (message !== undefined) {
      this.keptBytes -= message.data.length + MESSAGE_BYTES;
      if (this.keptBytes < KEEP_BYTES / 2) this.source.resume();
      return Promise.resolve({ done: false, value: message });
    }
    if (this.ended) return Promise.resolve(END);
    return new Promise((resolve) => this.waiting.push(resolve));
  }
}
