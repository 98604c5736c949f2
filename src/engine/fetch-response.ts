import { chunkOf } from "./chunk-source.ts";
import type { Exchange } from "./exchange.ts";
import { LightResponse } from "./light-response.ts";

/** Fields that are about one connection, and come with responses of other servers that are passed on (RFC 9110 §7.6.1). */
const CONNECTION_FIELDS = new Set(["keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"]);
/** What Node's fetch decodes (Fetch Standard, "handle content codings"); anything else it leaves as it is. */
const DECODED = /^\s*(?:x-gzip|gzip|deflate|br)\s*(?:,\s*(?:x-gzip|gzip|deflate|br)\s*)*$/i;
const CODED_FIELDS = new Set(["content-encoding", "content-length"]);
/** Fields that come beside those that hooks have set; all others take their place. */
const ADDED_FIELDS = new Set(["set-cookie", "vary"]);
/** For so many steps of the microtask queue it is looked whether a stream gives what it has already. */
const SOON = 16;

/**
 * Answers an exchange with a Response.
 * @returns undefined, or a promise that rejects with what the content fails with
 * @throws TypeError for what is no Response, cannot be sent or was used before
 */
export function respond(exchange: Exchange, response: unknown): Promise<unknown> | undefined {
  if (!isResponse(response)) throw new TypeError("a fetch handler must return a Response");
  // It was answered in another way, or the peer has gone.
  if (exchange.headSent) {
    discard(response);
    return undefined;
  }
  if (response.status === 0) throw new TypeError("Response.error() cannot be sent");
  if (response.bodyUsed) throw new TypeError("the body of this Response has been used");
  const content = contentOf(response);
  // Asked for before the header fields: implementations exist that add Content-Type only then.
  const body = content === undefined ? response.body : null;
  if (body?.locked) throw new TypeError("the body of this Response is locked");
  try {
    setHead(exchange, response, body !== null && isDecoded(response));
  } catch (error) {
    discard(response);
    throw error;
  }
  if (body !== null) return stream(exchange, body);
  // RFC 9110 §8.6: what is not sent to HEAD need not be empty for GET.
  if (content === undefined && exchange.method === "HEAD") exchange.write("");
  else exchange.end(content);
  return undefined;
}

/** @throws FieldError for what may not be sent */
function setHead(exchange: Exchange, response: Response, decoded: boolean): void {
  exchange.status(response.status, response.statusText || undefined);
  for (const [name, value] of response.headers) {
    if (CONNECTION_FIELDS.has(name) || (decoded && CODED_FIELDS.has(name))) continue;
    if (ADDED_FIELDS.has(name)) exchange.appendHeader(name, value);
    else exchange.setHeader(name, value);
  }
}

/** Whether a response of `fetch` still has the fields of the coded content, but its content is decoded already. */
function isDecoded({ url, headers }: Response): boolean {
  return url !== "" && DECODED.test(headers.get("content-encoding") ?? "");
}

/** Also those of other implementations, such as the package undici. */
function isResponse(value: unknown): value is Response {
  if (typeof value !== "object" || value === null) return false;
  if (value instanceof Response) return true;
  return "status" in value && "headers" in value && "body" in value && "bodyUsed" in value;
}

function discard(response: Response): void {
  if (response.body?.locked === false) response.body.cancel().catch(() => {});
}

/** Responses of the platform whose content was sent as it is. */
const sent = new WeakSet<object>();
const PROBE = "content";
const probe = new Response(PROBE);
/** Where the platform keeps text and bytes that a response was made of: Node 20 and 22; undefined: it cannot be told. */
const state = Object.getOwnPropertySymbols(probe).find((key) => sourceOf(probe, key) === PROBE);

function sourceOf(response: Response, key: symbol): unknown {
  const inner: unknown = Reflect.get(response, key);
  const body: unknown =
    typeof inner === "object" && inner !== null && "body" in inner ? inner.body : undefined;
  return typeof body === "object" && body !== null && "source" in body ? body.source : undefined;
}

/** Content that need not be read from a stream. */
function contentOf(response: Response): string | Uint8Array | undefined {
  const content = LightResponse.take(response);
  if (content !== undefined || state === undefined) return content;
  const source = sourceOf(response, state);
  if (typeof source !== "string" && !(source instanceof Uint8Array)) return undefined;
  if (sent.has(response)) throw new TypeError("the body of this Response has been used");
  sent.add(response);
  return source;
}

/** Sends a stream at the speed of the peer; one that is complete at once gets a Content-Length. */
async function stream(exchange: Exchange, body: ReadableStream<Uint8Array>): Promise<unknown> {
  const reader = body.getReader();
  const reads = [reader.read()];
  const first = await soon(reads[0]);
  if (first?.done === true) return exchange.end();
  if (first !== undefined) {
    reads.push(reader.read());
    const last = (await soon(reads[1]))?.done === true;
    if (last && first.value instanceof Uint8Array) return exchange.end(first.value);
  } else exchange.write("");
  return exchange.send({
    next: async () => chunkOf(await (reads.shift() ?? reader.read())),
    cancel: () => void reader.cancel().catch(() => {}),
  });
}

/**
 * What a promise resolves with, if it does so without waiting for anything outside.
 * @throws what it rejects with, under the same condition
 */
async function soon<T>(promise: Promise<T> | undefined): Promise<T | undefined> {
  let result: T | undefined;
  let settled = false;
  const settle = (value?: T): void => {
    result = value;
    settled = true;
  };
  promise?.then(settle, () => settle());
  for (let step = 0; step < SOON && !settled; step++) await undefined;
  return settled ? (result ?? promise) : undefined;
}
