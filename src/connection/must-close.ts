import type { Exchange } from "../exchange/exchange.ts";
import type { RequestReader } from "../protocol/http1/request-reader.ts";
import type { HttpContext } from "./http-context.ts";
import type { IntakeHost } from "./intake-host.ts";

/** A request that is answered, with its connection. */
interface Answered {
  readonly context: HttpContext;
  readonly connection: IntakeHost;
  readonly reader: RequestReader;
  readonly exchange: Exchange | undefined;
  /** The client waits for 100 (Continue) before it sends the content. */
  readonly isContinueExpected: boolean;
}

/**
 * Whether the connection must be closed after a response, as far as can be said now (RFC 9112 §9.3).
 * @param isWhole whether the response is complete with its head
 */
export function mustCloseAfter(answered: Answered, isWhole: boolean): boolean {
  const { context, connection, reader, exchange } = answered;
  if (context.isClosing || exchange === undefined || reader.error !== null || !exchange.requestHead.keepAlive)
    return true;
  if (connection.requests >= context.limits.maxRequestsPerConnection) return true;
  if (connection.hasEnded && reader.buffered === 0) return true;
  // RFC 9110 §10.1.1: a client that was not asked to continue can send the content or leave it out. Only closing is safe.
  if (answered.isContinueExpected) return true;
  if (reader.remainingBytes <= context.limits.maxDiscardBytes) return false;
  const { isBodyReadToEnd, isBodyRead } = exchange.driver;
  // A handler can leave its loop over the body after it has answered, too late to announce the close. One that still
  // answers, such as an echo, keeps the connection.
  return isWhole ? !isBodyReadToEnd : !isBodyRead;
}
