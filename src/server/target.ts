import type { Exchange, UpgradeOptions, WebSocketHandlers } from "../exchange/exchange.ts";
import type { HandlerResult } from "./handler-result.ts";

/**
 * Answers an exchange: by what it returns, or by calls such as `end`, now or later. What it throws, or what a promise
 * that it returns rejects with, is reported and answered with 500. So is a promise that resolves with nothing, unless the
 * exchange has been answered by then, or `onBody`, `stream` or `answerWithin` has been called. A handler that is not
 * asynchronous can answer later, within `handlerTimeoutMs`.
 */
export type Handler<Params = Record<string, string>> = (
  exchange: Exchange<Params>,
) => HandlerResult | PromiseLike<HandlerResult>;

/** What a route leads to: a handler, or WebSockets. */
export type Target =
  | {
      readonly kind: "http";
      readonly handler: Handler;
      readonly maxBodyBytes: number | undefined;
      readonly handlerTimeoutMs: number | undefined;
      readonly isImmediate: boolean;
    }
  | {
      readonly kind: "websocket";
      readonly handlers: WebSocketHandlers<unknown>;
      readonly options: UpgradeOptions;
      readonly maxBodyBytes: undefined;
      readonly handlerTimeoutMs: undefined;
      readonly isImmediate: boolean;
    };
