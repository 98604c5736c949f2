import type { FailureHook } from "./failures.ts";
import type { Hooks, RequestHook, ResponseHook } from "./observers.ts";
import { Routable } from "./routable.ts";
import type { ServerCore } from "./server-core.ts";

/** What accepts hooks. */
export abstract class Hooked extends Routable {
  /** @internal */
  protected abstract readonly core: ServerCore;

  /**
   * Runs a function for each request when its head has arrived, before its route, at once also with deferred delivery.
   * The route is known (`exchange.route`, `exchange.params`). A promise is awaited before the next hook and the route.
   * If a hook answers or sets a status from 300 on, no other hook and no route runs. An error or rejection is answered
   * with 500. All answers have the header fields that it sets, error responses included.
   */
  onRequest(hook: RequestHook): this {
    this.core.observers.requestHooks.push(hook);
    return this;
  }

  /** Runs a function for each request when its response is complete or can never be. What it throws goes to `onError`. */
  onResponse(hook: ResponseHook): this {
    this.core.observers.responseHooks.push(hook);
    return this;
  }

  /**
   * Shapes what the server answers in place of the program: to invalid requests whose head could be read, where no route
   * matches, over a limit, and where a handler fails. Without it they are answered with one line of text, or JSON for
   * clients that ask for it. The first hook that answers, or returns content, counts.
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
