import type { Exchange } from "../exchange/exchange.ts";
import { platformClass } from "../node/platform-classes.ts";
import { isToken } from "../protocol/http/token.ts";
import { delegate } from "./delegate.ts";

/**
 * The header fields of a request for {@link Headers}' users. A field that is asked for by name is looked up where it
 * came; for all else the platform's object is made. Making that for 12 fields costs as much as half of a request.
 */
class RequestHeaders {
  private readonly exchange: Exchange;
  private native: Headers | undefined = undefined;

  constructor(exchange: Exchange) {
    this.exchange = exchange;
  }

  get(name: string): string | null {
    if (this.native !== undefined || !isToken(`${name}`)) return this.platform.get(name);
    return this.exchange.header(`${name}`) ?? null;
  }

  has(name: string): boolean {
    if (this.native !== undefined || !isToken(`${name}`)) return this.platform.has(name);
    return this.exchange.header(`${name}`) !== undefined;
  }

  forEach(callback: (value: string, name: string, parent: Headers) => void, self?: unknown): void {
    this.platform.forEach((value, name) => {
      callback.call(self, value, name, this as unknown as Headers);
    });
  }

  get platform(): Headers {
    this.native ??= new (platformClass("Headers"))(this.exchange.requestHead.fields.entries());
    return this.native;
  }
}

let isReady = false;

export function headersOf(exchange: Exchange): Headers {
  if (!isReady) {
    isReady = true;
    delegate(
      RequestHeaders.prototype,
      new (platformClass("Headers"))(),
      (headers: RequestHeaders) => headers.platform,
    );
  }
  return new RequestHeaders(exchange) as unknown as Headers;
}
