import { platformRequest } from "./fetch-request.ts";
import { LightResponse } from "./light-response.ts";

const PlatformRequest: typeof globalThis.Request = globalThis.Request;

type Input = ConstructorParameters<typeof PlatformRequest>[0];

/** The platform's class, which takes requests of ours as well. */
class Request extends PlatformRequest {
  constructor(input: Input, init?: RequestInit) {
    super(platformRequest(input), init);
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: a class that extends this one inherits the check
    const type = this === Request ? PlatformRequest : this;
    return Function.prototype[Symbol.hasInstance].call(type, value);
  }
}

/** Whether {@link replaceFetchGlobals} is in force. */
export let globalsReplaced = false;

/**
 * Makes fetch handlers fast: from now on `new Response(…)` in this process makes responses that keep text and bytes as
 * they are in place of a stream of them. `Response`, `Request` and `fetch` of `globalThis` are replaced by ones that
 * behave like them; what was made before, and what `fetch` returns, stays an instance of both. Call it once, before
 * modules are loaded that keep the platform's classes for themselves.
 * @returns puts the former ones back
 */
export function replaceFetchGlobals(): () => void {
  const { Request: formerRequest, Response: formerResponse, fetch: formerFetch } = globalThis;
  if (globalsReplaced) return () => {};
  globalsReplaced = true;
  Object.assign(globalThis, {
    Request,
    Response: LightResponse,
    fetch: (input: Input, init?: RequestInit) => formerFetch(platformRequest(input), init),
  });
  return () => {
    globalsReplaced = false;
    Object.assign(globalThis, { Request: formerRequest, Response: formerResponse, fetch: formerFetch });
  };
}
