import type { HandshakeResult } from "./handshake-result.ts";
import type { BudgetOptions } from "./message-budget.ts";
import type { HandlersOf } from "./web-socket-handlers.ts";
import type { WindowOptions } from "./window-options.ts";

/** A new WebSocket, after the opening handshake. */
export interface Opening<Socket, Data, Request, Delivery> {
  readonly handlers: HandlersOf<Socket, Data, Request>;
  readonly agreement: HandshakeResult;
  readonly data: Data;
  readonly request: Request | undefined;
  readonly releaseSlot: (() => void) | undefined;
  readonly delivery: Delivery;
  /** See {@link OptionsOf}. */
  readonly shouldEnqueueBeforeOpen: boolean;
  readonly window: WindowOptions | undefined;
  readonly budget: BudgetOptions | undefined;
}
