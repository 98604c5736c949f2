import { delegate } from "./delegate.ts";
import type { Exchange } from "./exchange.ts";

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * The header fields of a request for {@link Headers}' users. A field that is asked for by name is looked up where it
 * came; for all else the platform's object is made. Making that for 12 fields costs as much as half of a request.
 */
class RequestHeaders {
  private readonly exchange: Exchange;
  private whole: Headers | undefined;

  constructor(exchange: Exchange) {
    this.exchange = exchange;
  }

  get(name: string): string | null {
    if (this.whole !== undefined || !TOKEN.test(name)) return this.platform.get(name);
    return this.exchange.header(`${name}`) ?? null;
  }

  has(name: string): boolean {
    if (this.whole !== undefined || !TOKEN.test(name)) return this.platform.has(name);
    return this.exchange.header(`${name}`) !== undefined;
  }

  forEach(callback: (value: string, name: string, parent: Headers) => void, self?: unknown): void {
    this.platform.forEach((value, name) => {
      callback.call(self, value, name, this as unknown as Headers);
    });
  }

  get platform(): Headers {
    this.whole ??= new Headers(this.exchange.requestHead.fields.entries());
    return this.whole;
  }
}

delegate(RequestHeaders.prototype, new Headers(), (headers: RequestHeaders) => headers.platform);

export function headersOf(exchange: Exchange): Headers {
  return new RequestHeaders(exchange) as unknown as Headers;
}
