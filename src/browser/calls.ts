import type { ClientMessage, ServerMessage } from "../protocol/channels/messages.ts";
import { ChannelError } from "./channel-error.ts";

export interface CallOptions {
  /** For the connection, if there is none yet, and for the answer, in milliseconds. Default 10 s. */
  timeoutMs?: number;
  /** Gives up. The server may do it all the same. */
  signal?: AbortSignal;
}

const DEFAULT_TIMEOUT_MS = 10_000;

/** What is sent, but for its number. */
export type Unnumbered<Message> = Message extends { id: number } ? Omit<Message, "id"> : never;

type Settle = (answer: ServerMessage | ChannelError) => void;

interface Call {
  readonly message: Unnumbered<ClientMessage>;
  /** Undefined while it waits for the connection. */
  id: number | undefined;
  readonly settle: Settle;
}

/** Messages that are answered: each answer finds its question by the number. */
export class Calls {
  private readonly transmit: (message: ClientMessage) => boolean;
  private readonly calls = new Set<Call>();
  private lastId = 0;

  /** @param transmit returns false when there is no connection */
  constructor(transmit: (message: ClientMessage) => boolean) {
    this.transmit = transmit;
  }

  /**
   * Sends a message, at once or when there is a connection.
   * @param settle gets the answer at once, before the next message is looked at
   * @returns what gives up
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
    const late = (): void => {
      const [code, what] =
        call.id === undefined ? (["offline", "connection"] as const) : (["timeout", "answer"] as const);
      call.settle(new ChannelError(code, `there was no ${what} in ${timeoutMs} ms`));
    };
    const timer = setTimeout(late, timeoutMs);
    this.calls.add(call);
    this.number(call);
    return forget;
  }

  /** Sends a message as {@link begin} does. Rejects with a ChannelError, or with the signal's reason. */
  send(message: Unnumbered<ClientMessage>, { timeoutMs, signal }: CallOptions = {}): Promise<ServerMessage> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const settle: Settle = (answer) => {
        signal?.removeEventListener("abort", abort);
        if (answer instanceof Error) reject(answer);
        else resolve(answer);
      };
      const forget = this.begin(message, settle, timeoutMs);
      const abort = (): void => {
        forget();
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", abort, { once: true });
    });
  }

  /** An answer has come. */
  receive(answer: ServerMessage & { id: number }): void {
    for (const call of this.calls) {
      if (call.id !== answer.id) continue;
      call.settle(answer.type === "error" ? new ChannelError(answer.code, answer.message) : answer);
      return;
    }
  }

  /** There is a connection: sends what waits. */
  onConnected(): void {
    for (const call of this.calls) if (call.id === undefined) this.number(call);
  }

  /** The connection is lost: what was sent is not answered any more. */
  onDisconnected(): void {
    const error = new ChannelError("disconnected", "the connection was lost before the answer");
    for (const call of this.calls) if (call.id !== undefined) call.settle(error);
  }

  close(): void {
    for (const call of this.calls) call.settle(new ChannelError("closed", "the client is closed"));
  }

  private number(call: Call): void {
    const id = this.lastId + 1;
    if (!this.transmit({ ...call.message, id } as ClientMessage)) return;
    this.lastId = id;
    call.id = id;
  }
}
