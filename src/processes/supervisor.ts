import cluster from "node:cluster";
import { isMainThread, type MessagePort, workerData } from "node:worker_threads";

/** A message between a supervisor and its processes or threads. */
export type Message =
  /** The worker serves. */
  | { readonly type: "ready"; readonly port: number }
  /** The worker cannot serve; starting it again would not help. */
  | { readonly type: "failed"; readonly message: string; readonly code: string | undefined }
  /** To a worker: stop. To the supervisor: the program asks to stop everything. */
  | { readonly type: "stop" }
  /** To a worker: stop, because another one takes its place. */
  | { readonly type: "replaced" }
  /** The worker has stopped on request: this is not a crash. */
  | { readonly type: "stopped" }
  /** Anything else, for the module that uses processes. */
  | { readonly type: "data"; readonly data: unknown };

/** The process or thread that has started this one. */
export interface Supervisor {
  /** The configuration that the supervisor passed to this worker. `kind` names its module. */
  readonly config: { readonly kind: string };
  /** @param onSent called when the message is on its way, or lost because the supervisor has ended */
  send(message: Message, onSent?: () => void): void;
  onMessage(listener: (message: Message) => void): void;
  /** Closes the message channel, so that it no longer keeps the process alive. */
  disconnect(): void;
}

/** The environment variable that holds the configuration of a process. */
export const CONFIG_VARIABLE = "PORTICO_WORKER";
/** The key that distinguishes messages of Portico from those of the program. */
export const ENVELOPE = "portico";

/** A message in its envelope. */
export interface Envelope {
  readonly [ENVELOPE]: Message;
}

/** The `workerData` of threads. */
export interface ThreadData {
  readonly [ENVELOPE]: { readonly config: { readonly kind: string }; readonly channel: MessagePort };
}

/** Returns the message in a value that a process has sent, or undefined when it is the program's own. */
export function unwrap(value: unknown): Message | undefined {
  return typeof value === "object" && value !== null && ENVELOPE in value
    ? (value as Envelope)[ENVELOPE]
    : undefined;
}

/** The supervisor; undefined in the process that the user started, and in those that the program starts itself. */
export const supervisor: Supervisor | undefined = isMainThread ? supervisorOfProcess() : supervisorOfThread();

function supervisorOfThread(): Supervisor | undefined {
  if (typeof workerData !== "object" || workerData === null || !(ENVELOPE in workerData)) return undefined;
  const { config, channel } = (workerData as ThreadData)[ENVELOPE];
  return {
    config,
    send: (message, onSent) => {
      channel.postMessage(message);
      onSent?.();
    },
    onMessage: (listener) => channel.on("message", listener),
    disconnect: () => channel.close(),
  };
}

function supervisorOfProcess(): Supervisor | undefined {
  const text = process.env[CONFIG_VARIABLE];
  // Programs that this one starts must not inherit it.
  delete process.env[CONFIG_VARIABLE];
  if (text === undefined || !cluster.isWorker) return undefined;
  return {
    config: JSON.parse(text) as { kind: string },
    send: (message, onSent) => {
      if (!process.connected || process.send === undefined) {
        onSent?.();
        return;
      }
      const envelope: Envelope = { [ENVELOPE]: message };
      process.send(envelope, undefined, undefined, () => onSent?.());
    },
    onMessage: (listener) =>
      process.on("message", (value) => {
        const message = unwrap(value);
        if (message !== undefined) listener(message);
      }),
    disconnect: () => process.channel?.unref(),
  };
}
