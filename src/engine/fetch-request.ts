import { delegate } from "./delegate.ts";
import type { Exchange } from "./exchange.ts";
import { headersOf } from "./fetch-headers.ts";

/** The platform's class, whatever takes its name later. */
const PlatformRequest = globalThis.Request;
const BYTE_ORDER_MARK = 0xef;
const decoder = new TextDecoder();
const NOTHING = Buffer.alloc(0);

/**
 * A request for a fetch handler. What most handlers ask for is answered from the exchange; the rest by a real Request,
 * which is made at that moment. One for each request would cost more than all else that the server does for it.
 */
class LightRequest {
  readonly method: string;
  readonly url: string;
  private readonly exchange: Exchange;
  private fields: Headers | undefined;
  private whole: Request | undefined;
  /** The content was read from the exchange. */
  private used = false;

  constructor(exchange: Exchange, method: string, url: string) {
    this.exchange = exchange;
    this.method = method;
    this.url = url;
  }

  get headers(): Headers {
    this.fields ??= headersOf(this.exchange);
    return this.fields;
  }

  get signal(): AbortSignal {
    return this.exchange.signal;
  }

  get body(): ReadableStream | null {
    return this.hasContent ? this.real.body : null;
  }

  get bodyUsed(): boolean {
    return this.used || (this.whole?.bodyUsed ?? false);
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
    return this.real.clone();
  }

  /** The platform's own. */
  get real(): Request {
    if (this.whole === undefined) {
      const { exchange, method, url, headers, signal } = this;
      const body = this.hasContent ? streamOf(exchange) : null;
      this.whole = new PlatformRequest(url, { method, headers, signal, body, duplex: "half" });
      if (this.used) void this.whole.body?.cancel();
    }
    return this.whole;
  }

  /** The Fetch Standard gives no content to GET and HEAD. */
  private get hasContent(): boolean {
    return this.exchange.hasBody && this.method !== "GET" && this.method !== "HEAD";
  }

  private async read(): Promise<Buffer> {
    if (this.bodyUsed) throw new TypeError("Body is unusable: Body has already been read");
    if (!this.hasContent) return NOTHING;
    if (this.whole !== undefined) return Buffer.from(await this.whole.arrayBuffer());
    this.used = true;
    return this.exchange.bytes();
  }
}

/** Whether the platform's own functions, such as `fetch`, take one of ours. */
export const platformTakesLight: boolean = delegate(
  LightRequest.prototype,
  new PlatformRequest("http://localhost"),
  (request: LightRequest) => request.real,
);

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
  return new LightRequest(exchange, name, url) as unknown as Request;
}

/** The platform's own for one of ours; anything else as it is. */
export function platformRequest<T>(request: T): T | Request {
  return request instanceof LightRequest ? request.real : request;
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
      // Not awaited: it returns when the chunk has come that it waits for.
      void chunks?.return?.();
    },
  });
}
