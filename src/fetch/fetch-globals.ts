import { platformClass } from "../node/platform-classes.ts";
import { platformRequest } from "./fetch-request.ts";
import { lazyResponseClass } from "./lazy-response.ts";

type Input = ConstructorParameters<typeof globalThis.Request>[0];

/** The platform's class, which takes requests of ours as well. */
function makeRequestClass(PlatformRequest: typeof globalThis.Request): typeof globalThis.Request {
  return class Request extends PlatformRequest {
    constructor(input: Input, init?: RequestInit) {
      super(platformRequest(input), init);
    }

    static override [Symbol.hasInstance](value: unknown): boolean {
      // biome-ignore lint/complexity/noThisInStatic: a class that extends this one inherits the check
      const type = this === Request ? PlatformRequest : this;
      return Function.prototype[Symbol.hasInstance].call(type, value);
    }
  };
}

/** Whether {@link replaceFetchGlobals} is in force. */
export let hasReplacedGlobals = false;

/**
 * Makes fetch handlers fast. From now on, `new Response(…)` in this process keeps text and bytes as they are, instead
 * of wrapping them in a stream. `Response`, `Request` and `fetch` of `globalThis` are replaced by equivalents. Older
 * responses, and those of `fetch`, are instances of both classes. Call it once, before loading modules that keep
 * references to the platform's classes.
 * @returns a function that restores the previous globals
 */
export function replaceFetchGlobals(): () => void {
  const { Request: formerRequest, Response: formerResponse, fetch: formerFetch } = globalThis;
  if (hasReplacedGlobals) return () => {};
  hasReplacedGlobals = true;
  Object.assign(globalThis, {
    Request: makeRequestClass(platformClass("Request")),
    Response: lazyResponseClass(),
    fetch: (input: Input, init?: RequestInit) => formerFetch(platformRequest(input), init),
  });
  return () => {
    hasReplacedGlobals = false;
    Object.assign(globalThis, { Request: formerRequest, Response: formerResponse, fetch: formerFetch });
  };
}
