import type { Transport } from "../transport/transport.ts";
import type { Ticking } from "./deadline-timer.ts";
import type { Pausable } from "./pausing.ts";

/** A connection of a server, whatever protocol it speaks. */
export interface Connection extends Ticking, Pausable {
  readonly kind: "http" | "websocket";
  readonly transport: Transport;
  /** Gives back its place among the connections of the server. */
  releaseSlot: (() => void) | undefined;
  /** The server closes: finish what is under way and take nothing new. */
  beginShutdown(): void;
  /** The time for that is over: refuse what is left and disconnect. */
  forceClose(): void;
}
