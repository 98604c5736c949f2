import type { IncompleteBytes } from "../limits/incomplete-bytes.ts";
import type { FailureContext } from "./fail-exchange.ts";

/** What an exchange needs of its server. `Exchange` is what programs get. */
export interface ExchangeContext<Exchange> extends FailureContext<Exchange> {
  readonly incompleteBytes: IncompleteBytes;
  /** Whether content reaches the program in memory that is read into again. */
  readonly isLending: boolean;
  readonly byId: { set(id: string, exchange: Exchange): unknown; delete(id: string): unknown };
  /** Runs the handler of an exchange that has been routed. */
  dispatchRequest(exchange: Exchange): void;
  /** An error has left a handler or a callback of the program. */
  onHandlerError(error: unknown, exchange: Exchange): void;
}
