/** What the primary passes to a worker when it starts it. */
export interface WorkerTask {
  readonly kind: "workers";
  /** The number of the worker's place, from 1. */
  readonly number: number;
  /** The URL of the module that the worker runs. */
  readonly module: string;
  readonly workers: number;
  readonly readyDelayMs: number;
  readonly drainMs: number;
  readonly graceMs: number;
}

/** A message of a worker to the primary. `server` is the number of a server in the order in which its worker made it. */
export type ToPrimary =
  | { readonly kind: "subscribe"; readonly server: number; readonly topic: string }
  | { readonly kind: "unsubscribe"; readonly server: number; readonly topic: string }
  | {
      readonly kind: "publish";
      readonly server: number;
      readonly topic: string;
      readonly message: Uint8Array;
    }
  /** Asks all workers. */
  | {
      readonly kind: "ask";
      readonly id: number;
      readonly name: string;
      readonly timeoutMs: number;
      readonly detail: unknown;
    }
  | { readonly kind: "answer"; readonly id: number; readonly value: unknown };

/** A message of the primary to a worker. */
export type ToWorker =
  | {
      readonly kind: "message";
      readonly server: number;
      readonly topic: string;
      readonly message: Uint8Array;
    }
  | { readonly kind: "question"; readonly id: number; readonly name: string; readonly detail: unknown }
  | {
      readonly kind: "answers";
      readonly id: number;
      readonly values: readonly unknown[];
      readonly missing: number;
    };

/** How many bytes can wait in the channel between the primary and one worker, in each direction. */
export const MAX_CHANNEL_BYTES: number = 16 * 1024 * 1024;

/** What a message costs apart from its topic and its bytes, roughly. */
const MESSAGE_BYTES = 200;

/** Returns how many bytes a message of a topic takes in a channel, roughly. */
export function channelBytes(topic: string, message: Uint8Array): number {
  return MESSAGE_BYTES + 2 * topic.length + message.byteLength;
}
