import type { ChunkSource } from "../exchange/chunk-source.ts";
import { checkOptions, type OptionNames } from "../options/check-options.ts";
import { addFieldLine } from "../protocol/http/field-lines.ts";
import { type FieldValue, fieldTexts } from "../protocol/http/field-values.ts";
import { isToken } from "../protocol/http/token.ts";

export type TestRequestBody =
  | string
  | Uint8Array
  | ArrayBuffer
  | URLSearchParams
  | FormData
  | Blob
  /** Sent chunked, as fast as the server reads it. */
  | ChunkSource;

export type TestRequestHeaders =
  | Headers
  | Iterable<readonly [name: string, value: FieldValue]>
  | Readonly<Record<string, FieldValue>>;

/** Options of a request, as for the global `fetch`. */
export interface TestRequestInit {
  /** The method. Default GET, or POST with a body. */
  method?: string;
  /** The header fields. If you set Content-Length or Transfer-Encoding, they and the body are sent unchanged. */
  headers?: TestRequestHeaders;
  body?: TestRequestBody | null;
  /** A value that is sent as JSON, instead of `body`. */
  json?: unknown;
  /** Trailer fields (RFC 9110 §6.5). The body is then sent chunked. */
  trailers?: Record<string, string>;
  /** Aborts the request: the server loses the connection, and pending calls reject with the reason of the signal. */
  signal?: AbortSignal | null;
}

/** Other options of the global `fetch` are ignored, because tested code passes them. */
const requestInitNames: OptionNames<TestRequestInit & RequestInit & { cache?: string }> = {
  method: true,
  headers: true,
  body: true,
  json: true,
  trailers: true,
  signal: true,
  cache: true,
  credentials: true,
  dispatcher: true,
  duplex: true,
  integrity: true,
  keepalive: "boolean",
  mode: true,
  redirect: true,
  referrer: true,
  referrerPolicy: true,
  window: true,
};

/** A request that is ready to send. */
export interface PreparedRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** The fields in order. Several lines with the same name are kept. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly content: Uint8Array | ChunkSource | undefined;
  /** Whether the body is sent chunked. */
  readonly chunked: boolean;
  readonly trailers: string;
  /** Whether the body waits until the server asks for it (RFC 9110 §10.1.1). */
  readonly expectsContinue: boolean;
}

/** Those that fetch makes upper-case, and PATCH, which it forgets. */
const COMMON = /^(?:get|head|post|put|patch|delete|options)$/i;

/**
 * @param input a path with its query, "*", or a URL, whose host becomes the Host field
 * @param host the host, unless the URL or the headers have another
 * @param defaults fields that the request can replace
 * @throws TypeError for a request that cannot be sent
 */
export async function prepare(
  input: string | URL | Request,
  init: TestRequestInit,
  host: string,
  defaults: TestRequestHeaders,
): Promise<PreparedRequest> {
  checkOptions("fetch", init, requestInitNames);
  if (input instanceof Request) {
    const { method, headers, url } = input;
    const body = input.body === null ? undefined : await input.arrayBuffer();
    const given: TestRequestInit = { method, headers, ...(body === undefined ? {} : { body }) };
    return prepare(url, { ...given, ...init }, host, defaults);
  }
  const { target, authority } = targetOf(String(input));
  const { content, type } = await contentOf(init);
  const method = methodOf(init.method ?? (content === undefined ? "GET" : "POST"));
  const fields = fieldsOf(init.headers ?? {}, defaults);
  const has = (name: string): boolean => fields.some(([given]) => given.toLowerCase() === name);
  if (!has("host")) fields.unshift(["Host", authority ?? host]);
  if (type !== undefined && !has("content-type")) fields.push(["Content-Type", type]);
  const ownFraming = has("content-length") || has("transfer-encoding");
  const trailers = Object.entries(init.trailers ?? {}).map(([name, value]) => addFieldLine("", name, value));
  const streams = content !== undefined && !(content instanceof Uint8Array);
  const chunked = !ownFraming && (streams || trailers.length > 0);
  if (chunked) fields.push(["Transfer-Encoding", "chunked"]);
  else if (!ownFraming && content instanceof Uint8Array) {
    fields.push(["Content-Length", String(content.length)]);
  } else if (!ownFraming && /^(?:POST|PUT|PATCH)$/.test(method)) fields.push(["Content-Length", "0"]);
  const expect = fields.find(([name]) => name.toLowerCase() === "expect")?.[1] ?? "";
  return {
    method,
    target,
    fields,
    content,
    chunked,
    trailers: trailers.join(""),
    expectsContinue: expect.toLowerCase() === "100-continue" && (chunked || content !== undefined),
  };
}

/** Returns the head as it is sent, in latin1. @throws FieldError for a field that cannot be sent */
export function headOf(
  { method, target, fields }: PreparedRequest,
  cookies: readonly (readonly [name: string, value: string])[],
): string {
  const lines = [...fields, ...cookies].map(([name, value]) => addFieldLine("", name, value));
  return `${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n`;
}

/** Returns the path and query as they are sent: percent-encoded where necessary, otherwise unchanged. */
export function targetOf(input: string): { target: string; authority: string | undefined } {
  const [, authority, path = ""] = /^(?:https?|wss?):\/\/([^/?#]+)(.*)$/is.exec(input) ?? [
    undefined,
    undefined,
    input,
  ];
  const target = path.replace(/#.*$/s, "").replace(/[^\x21-\x7e]+/g, encodeURIComponent);
  if (authority !== undefined) return { target: target.startsWith("/") ? target : `/${target}`, authority };
  if (target !== "*" && !target.startsWith("/")) {
    throw new TypeError(`${JSON.stringify(input)} is neither a path that begins with "/" nor an http: URL`);
  }
  return { target, authority };
}

/**
 * Returns the fields, one entry for each line.
 * @param defaults additional fields, except those with the same names
 */
export function fieldsOf(
  headers: TestRequestHeaders,
  defaults: TestRequestHeaders,
): (readonly [name: string, value: string])[] {
  const given = linesOf(headers);
  const names = new Set(given.map(([name]) => name.toLowerCase()));
  return [...linesOf(defaults).filter(([name]) => !names.has(name.toLowerCase())), ...given];
}

function linesOf(headers: TestRequestHeaders): (readonly [name: string, value: string])[] {
  const entries = Symbol.iterator in headers ? [...headers] : Object.entries(headers);
  return entries.flatMap(([name, value]) => fieldTexts(name, value).map((text) => [name, text] as const));
}

function methodOf(method: string): string {
  if (!isToken(method)) throw new TypeError(`${JSON.stringify(method)} is not a method`);
  return COMMON.test(method) ? method.toUpperCase() : method;
}

async function contentOf({
  body,
  json,
}: TestRequestInit): Promise<{ content: Uint8Array | ChunkSource | undefined; type?: string }> {
  if (json !== undefined) return { content: Buffer.from(JSON.stringify(json)), type: "application/json" };
  if (body === undefined || body === null) return { content: undefined };
  if (typeof body === "string") return { content: Buffer.from(body), type: "text/plain;charset=UTF-8" };
  if (body instanceof Uint8Array) return { content: body };
  if (body instanceof ArrayBuffer) return { content: new Uint8Array(body) };
  if (body instanceof URLSearchParams || body instanceof FormData || body instanceof Blob) {
    // Encodes it as fetch does.
    const encoded = new Response(body);
    const type = encoded.headers.get("content-type");
    const content = new Uint8Array(await encoded.arrayBuffer());
    return type === null ? { content } : { content, type };
  }
  return { content: body };
}
