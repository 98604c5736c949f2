import type { Answered } from "../exchange/answered.ts";
import { chunkOf } from "../exchange/chunk-source.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { sendSource } from "../exchange/send-source.ts";
import { blobStreamSize } from "../node/blob-stream.ts";
import { responseSource } from "../node/response-source.ts";
import { takeContent } from "./lazy-response.ts";

/** Fields that are about one connection, and come with responses of other servers that are passed on (RFC 9110 §7.6.1). */
const CONNECTION_FIELDS = new Set(["keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"]);
/** What Node's fetch decodes (Fetch Standard, "handle content codings"); anything else it leaves as it is. */
const DECODED = /^\s*(?:x-gzip|gzip|deflate|br)\s*(?:,\s*(?:x-gzip|gzip|deflate|br)\s*)*$/i;
const CODED_FIELDS = new Set(["content-encoding", "content-length"]);
/** Fields that are added to those that hooks have set. All others replace them. */
const ADDED_FIELDS = new Set(["set-cookie", "vary"]);
/** For so many steps of the microtask queue it is looked whether a stream gives what it has already. */
const SOON = 16;

/**
 * Answers an exchange with a Response.
 * @returns undefined, or a promise that rejects with the error of the body
 * @throws TypeError for a value that is not a Response, cannot be sent, or was used before
 */
export function respond(exchange: Exchange, response: unknown): Promise<Answered> | undefined {
  if (!isResponse(response)) throw new TypeError("a fetch handler must return a Response");
  // It was answered in another way, or the client has disconnected.
  if (exchange.driver.hasAnswer) {
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
    const size = body === null ? undefined : blobStreamSize(body);
    if (size !== undefined && !response.headers.has("content-length"))
      exchange.setHeader("Content-Length", size);
  } catch (error) {
    discard(response);
    throw error;
  }
  if (body !== null) return stream(exchange, body);
  // RFC 9110 §8.6: a body that is not sent for HEAD need not be empty for GET.
  if (content === undefined && exchange.method === "HEAD") exchange.write("");
  else exchange.end(content);
  return undefined;
}

/** @throws FieldError for a field that cannot be sent */
function setHead(exchange: Exchange, response: Response, decoded: boolean): void {
  exchange.status(response.status, response.statusText || undefined);
  for (const [name, value] of response.headers) {
    if (CONNECTION_FIELDS.has(name) || (decoded && CODED_FIELDS.has(name))) continue;
    if (ADDED_FIELDS.has(name)) exchange.appendHeader(name, value);
    else exchange.setHeader(name, value);
  }
  // A Response without a type has none (Fetch Standard, "extract a body").
  exchange.driver.response.hasType = true;
}

/** Whether a response of `fetch` still has the fields of the coded content, but its content is decoded already. */
function isDecoded({ url, headers }: Response): boolean {
  return url !== "" && DECODED.test(headers.get("content-encoding") ?? "");
}

/** Also those of other implementations, such as the package undici. */
export function isResponse(value: unknown): value is Response {
  if (typeof value !== "object" || value === null) return false;
  if (value instanceof Response) return true;
  return "status" in value && "headers" in value && "body" in value && "bodyUsed" in value;
}

function discard(response: Response): void {
  if (response.body?.locked === false) response.body.cancel().catch(() => {});
}

/** Responses of the platform whose content was sent as it is. */
const sent = new WeakSet<object>();

/** Content that need not be read from a stream. */
function contentOf(response: Response): string | Uint8Array | undefined {
  const content = takeContent(response);
  if (content !== undefined) return content;
  const source = responseSource(response);
  if (source === undefined) return undefined;
  // Somebody else reads it (Fetch Standard, "unusable").
  if (response.body?.locked === true) throw new TypeError("the body of this Response is locked");
  if (sent.has(response)) throw new TypeError("the body of this Response has been used");
  sent.add(response);
  return source;
}

/** Sends a stream at the speed of the client; one that is complete at once gets a Content-Length. */
async function stream(exchange: Exchange, body: ReadableStream<Uint8Array>): Promise<Answered> {
  const reader = body.getReader();
  const reads = [reader.read()];
  const first = await soon(reads[0]);
  if (first?.done === true) return exchange.end();
  if (first !== undefined) {
    reads.push(reader.read());
    const last = (await soon(reads[1]))?.done === true;
    if (last && first.value instanceof Uint8Array) return exchange.end(first.value);
  } else exchange.write("");
  return sendSource(exchange.driver, {
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
