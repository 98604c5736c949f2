import { NO_BYTES } from "../bytes/no-bytes.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { hasRequestState } from "../node/fetch-state.ts";
import { platformClass } from "../node/platform-classes.ts";
import { delegate } from "./delegate.ts";
import { headersOf } from "./fetch-headers.ts";

const BYTE_ORDER_MARK = 0xef;
const decoder = new TextDecoder();

/**
 * A request for a fetch handler. What most handlers ask for is answered from the exchange; the rest by a native Request,
 * which is made at that moment. One for each request would cost more than all else that the server does for it.
 */
class LazyRequest {
  private readonly exchange: Exchange;
  private readonly sentMethod: string;
  private readonly sentUrl: string;
  private fields: Headers | undefined = undefined;
  private made: Request | undefined = undefined;
  /** The content was read from the exchange. */
  private used = false;

  constructor(exchange: Exchange, method: string, url: string) {
    this.exchange = exchange;
    this.sentMethod = method;
    this.sentUrl = url;
  }

  get method(): string {
    return this.sentMethod;
  }

  get url(): string {
    return this.sentUrl;
  }

  get headers(): Headers {
    this.fields ??= headersOf(this.exchange);
    return this.fields;
  }

  get signal(): AbortSignal {
    return this.exchange.signal;
  }

  get body(): ReadableStream | null {
    return this.hasContent ? this.native.body : null;
  }

  get bodyUsed(): boolean {
    return this.used || (this.made?.bodyUsed ?? false);
  }

  async text(): Promise<string> {
    const bytes = await this.read();
    // The Encoding Standard drops a byte order mark.
    return bytes[0] === BYTE_ORDER_MARK ? decoder.decode(bytes) : bytes.toString();
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }

  async bytes(): Promise<Uint8Array> {
    return new Uint8Array(await this.read());
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return new Uint8Array(await this.read()).buffer;
  }

  clone(): Request {
    return this.native.clone();
  }

  /** The platform's own. */
  get native(): Request {
    if (this.made === undefined) {
      const { exchange, method, url, headers, signal } = this;
      const body = this.hasContent ? streamOf(exchange) : null;
      this.made = new (platformClass("Request"))(url, { method, headers, signal, body, duplex: "half" });
      if (this.used) void this.made.body?.cancel();
    }
    return this.made;
  }

  /** The Fetch Standard gives no content to GET and HEAD. */
  private get hasContent(): boolean {
    return this.exchange.hasBody && this.method !== "GET" && this.method !== "HEAD";
  }

  private async read(): Promise<Buffer> {
    if (this.bodyUsed) throw new TypeError("Body is unusable: Body has already been read");
    if (!this.hasContent) return NO_BYTES;
    if (this.made !== undefined) return Buffer.from(await this.made.arrayBuffer());
    this.used = true;
    return this.exchange.bytes();
  }
}

let isLazyAccepted: boolean | undefined;

/** Whether the platform's own functions, such as `fetch`, take one of ours. */
export function platformTakesLazy(): boolean {
  if (isLazyAccepted === undefined) {
    delegate(
      LazyRequest.prototype,
      new (platformClass("Request"))("http://localhost"),
      (request: LazyRequest) => request.native,
    );
    isLazyAccepted = hasRequestState();
  }
  return isLazyAccepted;
}

/** Methods that the Fetch Standard writes in upper case, and those that it does not allow. */
const NORMALIZED = /^(?:delete|get|head|options|post|put)$/i;
const FORBIDDEN = /^(?:connect|trace|track)$/i;

/**
 * @param url its URL
 * @returns undefined for a method that a Request cannot have
 */
export function requestOf(exchange: Exchange, url: string): Request | undefined {
  const { method } = exchange;
  if (FORBIDDEN.test(method)) return undefined;
  const name = NORMALIZED.test(method) ? method.toUpperCase() : method;
  return new LazyRequest(exchange, name, url) as unknown as Request;
}

/** The platform's own for one of ours; anything else as it is. */
export function platformRequest<T>(request: T): T | Request {
  return request instanceof LazyRequest ? request.native : request;
}

/** The content as a stream that reads from the connection when it is read from. */
function streamOf(exchange: Exchange): ReadableStream<Uint8Array> {
  let chunks: AsyncIterator<Buffer> | undefined;
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      chunks ??= exchange.body[Symbol.asyncIterator]();
      const { done, value } = await chunks.next();
      if (done !== true) {
        controller.enqueue(new Uint8Array(value));
        return;
      }
      controller.close();
      controller.byobRequest?.respond(0);
    },
    cancel() {
      // Not awaited: it returns when the chunk it waits for has arrived.
      void chunks?.return?.();
    },
  });
}
