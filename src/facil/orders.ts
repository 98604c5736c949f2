import cluster from "node:cluster";
import { isMainThread, type MessagePort, workerData } from "node:worker_threads";

/**
 * How several share a port: each binds for itself (SO_REUSEPORT), or, where that is not to be had, processes share
 * through node:cluster and threads through one descriptor.
 */
export type Sharing = "alone" | "reuse" | "descriptor";

/** What a process or thread is started for. */
export interface Orders {
  /** The how manieth call of `start_http_server` in the program. */
  readonly call: number;
  readonly sharing: Sharing;
  readonly port: number;
  /** For a thread: the descriptor of its process. */
  readonly fd?: number;
}

/** What passes between who starts and who was started. */
export type Message =
  | { readonly type: "ready"; readonly port: number }
  /** It cannot listen: starting it again would not help. */
  | { readonly type: "failed"; readonly message: string; readonly code: string | undefined }
  /** Downwards: stop. Upwards: the program wants everything to stop. */
  | { readonly type: "stop" }
  /** It has stopped as it should, so it did not crash. */
  | { readonly type: "stopped" };

/** Who has started this process or thread, seen from here. */
export interface Superior {
  readonly orders: Orders;
  tell(message: Message): void;
  onStop(listener: () => void): void;
  /** No more is to come; the way to the superior keeps nothing alive. */
  leave(): void;
}

/** The name of orders in the environment of a process. */
export const ORDERS_VARIABLE = "PORTICO_FACIL_ORDERS";
/** The name under which messages of Portico travel between those of the program. */
export const ENVELOPE = "portico/facil";

/** A message in its envelope. */
export interface Envelope {
  readonly [ENVELOPE]: Message;
}

/** What threads get as `workerData`. */
export interface ThreadData {
  readonly [ENVELOPE]: { readonly orders: Orders; readonly channel: MessagePort };
}

/** The message in what came from a process, or undefined when it is the program's own. */
export function opened(value: unknown): Message | undefined {
  return typeof value === "object" && value !== null && ENVELOPE in value
    ? (value as Envelope)[ENVELOPE]
    : undefined;
}

/** Undefined in the process that the user has started, and in whatever the program starts itself. */
export const superior: Superior | undefined = isMainThread ? overProcess() : overThread();

function overThread(): Superior | undefined {
  if (typeof workerData !== "object" || workerData === null || !(ENVELOPE in workerData)) return undefined;
  const { orders, channel } = (workerData as ThreadData)[ENVELOPE];
  return {
    orders,
    tell: (message) => channel.postMessage(message),
    onStop: (listener) => channel.on("message", listener),
    leave: () => channel.close(),
  };
}

function overProcess(): Superior | undefined {
  const text = process.env[ORDERS_VARIABLE];
  // Not for programs that this one starts.
  delete process.env[ORDERS_VARIABLE];
  if (text === undefined || !cluster.isWorker) return undefined;
  return {
    orders: JSON.parse(text) as Orders,
    tell: (message) => {
      if (process.connected) process.send?.({ [ENVELOPE]: message } satisfies Envelope);
    },
    onStop: (listener) =>
      process.on("message", (value) => {
        if (opened(value)?.type === "stop") listener();
      }),
    leave: () => process.channel?.unref(),
  };
}
