import { unlent } from "../bytes/lease.ts";

/** The platform's class, whatever takes its name later. */
const PlatformResponse: typeof Response = globalThis.Response;

type Content = string | Uint8Array;

const { clone: platformClone } = PlatformResponse.prototype;
const clone = (response: Response): Response => platformClone.call(response);
const usedGetter = Object.getOwnPropertyDescriptor(PlatformResponse.prototype, "bodyUsed")?.get;
const isUsed = (response: Response): boolean => usedGetter?.call(response) === true;

/** Statuses whose responses have no content (Fetch Standard, "null body status"). */
const NULL_BODY = new Set([101, 103, 204, 205, 304]);

/**
 * A Response that keeps text and bytes as they are, and makes a stream of them only for who asks for one: that stream
 * costs more than all else that is done to answer a request. Its status, its header fields and their checks are the
 * platform's own. Bytes are not copied, but for those that a handler was lent, and must not change until they have been sent.
 */
export class LightResponse extends PlatformResponse {
  /** Text or bytes; undefined when the platform has the content, or there is none. */
  readonly #content: Content | undefined;
  /** The content was taken as it is. */
  #taken = false;
  /** The platform's response with the content, made when its stream is asked for. */
  #whole: Response | undefined;

  constructor(body?: ConstructorParameters<typeof Response>[0], init?: ResponseInit) {
    const content = contentOf(body);
    super(content === undefined ? body : null, init);
    this.#content = content;
    if (content === undefined) return;
    if (NULL_BODY.has(this.status)) throw new TypeError(`a response with status ${this.status} has no body`);
    if (typeof content === "string" && !this.headers.has("content-type")) {
      this.headers.set("content-type", "text/plain;charset=UTF-8");
    }
  }

  /** Responses of the platform, such as those of `fetch`, are instances as well. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    // A class that extends this one inherits the check.
    // biome-ignore lint/complexity/noThisInStatic: it is about that class
    const type = this === LightResponse ? PlatformResponse : this;
    return Function.prototype[Symbol.hasInstance].call(type, value);
  }

  static override json(data: unknown, init?: ResponseInit): Response {
    const text: unknown = JSON.stringify(data);
    if (typeof text !== "string") throw new TypeError("the data is not JSON serializable");
    const headers = new Headers(init?.headers);
    if (!headers.has("content-type")) headers.set("content-type", "application/json");
    return new LightResponse(text, { ...init, headers });
  }

  /** The content of a response that still has it as it is; it counts as used then. */
  static take(response: Response): Content | undefined {
    if (!(#content in response)) return undefined;
    if (response.#whole !== undefined || response.#taken) return undefined;
    response.#taken = response.#content !== undefined;
    return response.#content;
  }

  /** What the platform's functions for content are to be called on. */
  static platform(response: LightResponse): Response {
    if (response.#content === undefined) return response;
    if (response.#whole === undefined) {
      response.#whole = new PlatformResponse(response.#content, { headers: response.headers });
      if (response.#taken) void response.#whole.body?.cancel();
    }
    return response.#whole;
  }

  static isUsed(response: LightResponse): boolean {
    const platform = response.#content === undefined ? response : response.#whole;
    return response.#taken || (platform !== undefined && isUsed(platform));
  }

  static copy(response: LightResponse): Response {
    const content = response.#content;
    if (content === undefined) return clone(response);
    if (response.#whole === undefined && !response.#taken) return new LightResponse(content, response);
    return new LightResponse(clone(LightResponse.platform(response)).body, response);
  }
}

// Defined like this because the types of Node have fields where its classes have accessors and methods.
for (const [key, { get, value: read }] of Object.entries(
  Object.getOwnPropertyDescriptors(PlatformResponse.prototype),
)) {
  if (/^(?:arrayBuffer|blob|body|bytes|formData|json|text)$/.test(key)) {
    const call = function (this: LightResponse): unknown {
      return Reflect.apply(get ?? read, LightResponse.platform(this), []);
    };
    override(key, get === undefined ? { value: call } : { get: call });
  }
}
override("bodyUsed", {
  get(this: LightResponse): boolean {
    return LightResponse.isUsed(this);
  },
});
override("clone", {
  value(this: LightResponse): Response {
    return LightResponse.copy(this);
  },
});
Object.defineProperty(LightResponse, "name", { value: "Response" });

function override(key: string, descriptor: PropertyDescriptor): void {
  Object.defineProperty(LightResponse.prototype, key, { ...descriptor, configurable: true });
}

function contentOf(body: unknown): Content | undefined {
  if (typeof body === "string") return body;
  const bytes = body instanceof ArrayBuffer ? new Uint8Array(body) : body;
  return bytes instanceof Uint8Array ? unlent(bytes) : undefined;
}
