import type { IncompleteBytes } from "../limits/incomplete-bytes.ts";
import type { FailureContext } from "./fail-exchange.ts";

/** The part of a server that an exchange uses. `Exchange` is the type that programs see. */
export interface ExchangeContext<Exchange> extends FailureContext<Exchange> {
  readonly incompleteBytes: IncompleteBytes;
  /** Whether content reaches the program in memory that is read into again. */
  readonly isLending: boolean;
  readonly byId: { set(id: string, exchange: Exchange): unknown; delete(id: string): unknown };
  /** Runs the handler of an exchange that has been routed. */
  dispatchRequest(exchange: Exchange): void;
  /** Called with an error that a handler or callback threw. */
  onHandlerError(error: unknown, exchange: Exchange): void;
}
