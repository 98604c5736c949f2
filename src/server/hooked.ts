import type { FailureHook } from "./failures.ts";
import type { Hooks, RequestHook, ResponseHook } from "./observers.ts";
import { Routable } from "./routable.ts";
import type { ServerCore } from "./server-core.ts";

/** The base of classes that accept hooks. */
export abstract class Hooked extends Routable {
  /** @internal */
  /** @internal */
  abstract readonly core: ServerCore;

  /**
   * Runs a function for each request when its head has arrived, before its route. It runs at once, even with deferred
   * delivery. The route is known (`exchange.route`, `exchange.params`). A returned promise is awaited before the next
   * hook and the route. If a hook answers, or sets a status of at least 300, no other hook and no route runs. An error
   * or rejection is answered with 500. All responses have the header fields that it sets, including error responses.
   */
  onRequest(hook: RequestHook): this {
    this.core.observers.requestHooks.push(hook);
    return this;
  }

  /** Runs a function for each request when its response is complete, or was aborted. `onError` receives its errors. */
  onResponse(hook: ResponseHook): this {
    this.core.observers.responseHooks.push(hook);
    return this;
  }

  /**
   * Changes the responses that the server sends itself: to invalid requests with a readable head, without a matching
   * route, over a limit, and after a handler's error. The default is one line of text, or JSON for clients that accept
   * it. The first hook that answers, or returns a body, decides.
   */
  onFailure(hook: FailureHook): this {
    this.core.observers.failureHooks.push(hook);
    return this;
  }

  /** @internal Puts hooks in place of others, behind those that stay. */
  replaceHooks(former: Hooks, next: Hooks): void {
    this.core.observers.replaceHooks(former, next);
  }
}
