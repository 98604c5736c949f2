import type { ClientMessage, ServerMessage } from "../protocol/channels/messages.ts";
import { ChannelError } from "./channel-error.ts";
import { later } from "./timers.ts";

export interface CallOptions {
  /** How long to wait for a connection and for the answer, in milliseconds. Default 10 s. */
  timeoutMs?: number;
  /** Stops waiting. The server can still act on the message. */
  signal?: AbortSignal;
}

const DEFAULT_TIMEOUT_MS = 10_000;

/** A message without its `id`. */
export type Unnumbered<Message> = Message extends { id: number } ? Omit<Message, "id"> : never;

type Settle = (answer: ServerMessage | Error) => void;

interface Call {
  readonly message: Unnumbered<ClientMessage>;
  /** Undefined until the message is sent. */
  id: number | undefined;
  readonly settle: Settle;
}

/** The messages that wait for an answer. Each answer has the `id` of its message. */
export class Calls {
  private readonly transmit: (message: ClientMessage) => boolean;
  private readonly calls = new Set<Call>();
  private lastId = 0;
  /** Why nothing is sent any more. */
  private end: ChannelError | undefined;

  /** @param transmit sends a message; returns false without a connection */
  constructor(transmit: (message: ClientMessage) => boolean) {
    this.transmit = transmit;
  }

  /**
   * Sends a message, at once or when there is a connection.
   * @param settle gets the answer or an error, before the next message is handled
   * @returns a function that stops waiting
   */
  begin(
    message: Unnumbered<ClientMessage>,
    settle: Settle,
    timeoutMs: number = DEFAULT_TIMEOUT_MS,
  ): () => void {
    const forget = (): void => {
      clearTimeout(timer);
      this.calls.delete(call);
    };
    const call: Call = {
      message,
      id: undefined,
      settle(answer) {
        forget();
        settle(answer);
      },
    };
    const onLate = (): void => {
      const [code, what] =
        call.id === undefined ? (["offline", "connection"] as const) : (["timeout", "answer"] as const);
      call.settle(new ChannelError(code, `there was no ${what} within ${timeoutMs} ms`));
    };
    const timer = later(onLate, timeoutMs);
    this.calls.add(call);
    this.number(call);
    return forget;
  }

  /** Sends a message as {@link begin} does. Rejects with a ChannelError, or with the signal's reason. */
  send(message: Unnumbered<ClientMessage>, { timeoutMs, signal }: CallOptions = {}): Promise<ServerMessage> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted || this.end !== undefined) {
        reject(signal?.aborted ? signal.reason : this.end);
        return;
      }
      let forget = (): void => {};
      const abort = (): void => {
        forget();
        reject(signal?.reason);
      };
      const settle: Settle = (answer) => {
        signal?.removeEventListener("abort", abort);
        if (answer instanceof Error) reject(answer);
        else resolve(answer);
      };
      signal?.addEventListener("abort", abort, { once: true });
      forget = this.begin(message, settle, timeoutMs);
    });
  }

  /** Settles the call that an answer belongs to. */
  receive(answer: ServerMessage & { id: number }): void {
    for (const call of this.calls) {
      if (call.id !== answer.id) continue;
      call.settle(answer.type === "error" ? new ChannelError(answer.code, answer.message) : answer);
      return;
    }
  }

  /** Sends the messages that waited for a connection. */
  onConnected(): void {
    for (const call of this.calls) if (call.id === undefined) this.number(call);
  }

  /** Fails the calls whose answers were lost with the connection. @param why for people */
  onDisconnected(why: string): void {
    const error = new ChannelError("disconnected", `the connection was lost before the answer (${why})`);
    for (const call of this.calls) if (call.id !== undefined) call.settle(error);
  }

  /** Fails all calls, and those that follow. */
  close(error: ChannelError): void {
    this.end = error;
    for (const call of this.calls) call.settle(error);
  }

  private number(call: Call): void {
    const id = this.lastId + 1;
    try {
      if (!this.transmit({ ...call.message, id } as ClientMessage)) return;
      this.lastId = id;
      call.id = id;
    } catch (error) {
      // The encoding cannot hold its data. Other calls continue.
      call.settle(error as Error);
    }
  }
}
