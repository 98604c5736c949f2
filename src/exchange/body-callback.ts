import { callHandler } from "../delivery/call-handler.ts";
import { inContext } from "../node/async-context.ts";
import { checkOptions } from "../options/check-options.ts";
import { type BodyConsumer, type BodyOptions, bodyOptionNames, type RequestBody } from "./request-body.ts";

/** What is needed of an exchange. */
export interface BodyOwner<Exchange> {
  readonly exchange: Exchange;
  readonly requestBody: RequestBody;
  /** Its events are delivered at once, however the others of the server are. */
  readonly isImmediate: boolean;
  readonly context: {
    readonly isLending: boolean;
    onHandlerError(error: unknown, exchange: Exchange): void;
  };
  isAnsweredLater: boolean;
}

/** Passes the content to a callback until it has come, or until the callback fails, which counts once. */
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
      const data = copies && chunk.length > 0 ? Buffer.from(chunk) : chunk;
      callHandler(() => consumer(data, last), onError);
    }),
  );
}
