import type { Transport } from "../transport/transport.ts";
import type { Ticking } from "./deadline-timer.ts";
import type { Pausable } from "./pausing.ts";

/** A connection of a server, whatever protocol it speaks. */
export interface Connection extends Ticking, Pausable {
  readonly kind: "http" | "websocket";
  readonly transport: Transport;
  /** Releases its slot among the connections of the server. */
  releaseSlot: (() => void) | undefined;
  /** Called when the server closes: finish what is in progress and accept nothing new. */
  beginShutdown(): void;
  /** Called when the time for that is over: refuse the rest and disconnect. */
  forceClose(): void;
}
