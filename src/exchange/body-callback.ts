import { ownCopy } from "../bytes/new-memory.ts";
import { callHandler } from "../delivery/call-handler.ts";
import { inContext } from "../node/async-context.ts";
import { checkOptions } from "../options/check-options.ts";
import { type BodyConsumer, type BodyOptions, bodyOptionNames, type RequestBody } from "./request-body.ts";

/** The part of an exchange that {@link callWithBody} uses. */
export interface BodyOwner<Exchange> {
  readonly exchange: Exchange;
  readonly requestBody: RequestBody;
  /** Whether its events are delivered at once, even if the server uses deferred delivery. */
  readonly isImmediate: boolean;
  readonly context: {
    readonly isLending: boolean;
    onHandlerError(error: unknown, exchange: Exchange): void;
  };
  isAnsweredLater: boolean;
}

/** Passes the body to a callback until it is complete, or until the callback fails. A failure counts once. */
export function callWithBody<Exchange>(
  owner: BodyOwner<Exchange>,
  consumer: BodyConsumer,
  options: BodyOptions,
): void {
  checkOptions("onBody", options, bodyOptionNames);
  owner.isAnsweredLater = true;
  const { requestBody, context, exchange } = owner;
  const copies = options.lent !== true && (owner.isImmediate || context.isLending);
  let hasFailed = false;
  const onError = (error: unknown): void => {
    // Promises of earlier pieces can reject, too.
    if (hasFailed) return;
    hasFailed = true;
    requestBody.abandon();
    context.onHandlerError(error, exchange);
  };
  requestBody.consume(
    inContext((chunk: Buffer, last: boolean) => {
      const data = copies && chunk.length > 0 ? ownCopy(chunk) : chunk;
      callHandler(() => consumer(data, last), onError);
    }),
  );
}
