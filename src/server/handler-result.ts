import { isPromise, isUint8Array } from "node:util/types";
import { callHandler } from "../delivery/call-handler.ts";
import type { Answered } from "../exchange/answered.ts";
import { type ChunkSource, readerOf } from "../exchange/chunk-source.ts";
import { PorticoError } from "../exchange/errors.ts";
import type { Exchange } from "../exchange/exchange.ts";
import { isResponse, respond } from "../fetch/fetch-response.ts";
import { Refusal } from "../websocket/handshake-result.ts";

/** An object or an array that is sent as JSON. Instances of classes are not accepted: spread them. */
export type JsonContent = { readonly [name: string]: unknown } | readonly unknown[];

/** The values that a handler can return as its answer. */
export type Content = string | Uint8Array | JsonContent | Response | ChunkSource;

/** The result of a handler: its answer, or nothing if it answers through the exchange. */
// biome-ignore lint/suspicious/noConfusingVoidType: a handler without a return statement returns void
export type HandlerResult = Content | Answered | Refusal | undefined | void;

/**
 * Answers an exchange with the result of its handler, which is not a promise.
 * @returns undefined, or a promise that rejects with the error of the source
 * @throws PorticoError ERR_RESULT for a value that is not an answer, ERR_ANSWERED if the exchange was already answered.
 *   TypeError for a Response that cannot be sent, and for a value that is not JSON
 */
export function answerWith(exchange: Exchange, result: unknown): unknown {
  const { driver } = exchange;
  if (driver.hasAnswer && !driver.isLost) {
    if (typeof result === "boolean" || result instanceof Refusal) return undefined;
    discard(exchange, result);
    throw new PorticoError("ERR_ANSWERED", kindOf(result));
  }
  if (typeof result === "string" || isUint8Array(result)) return exchange.end(result);
  if (Array.isArray(result)) return sendJson(exchange, result);
  if (isSource(result)) return exchange.stream(result);
  if (isPlain(result)) return sendJson(exchange, result);
  // Last, because looking at the class loads all of Node's fetch.
  if (isResponse(result)) return respond(exchange, result);
  // A call that answers returns false when the client has disconnected.
  if (driver.isLost) return undefined;
  throw new PorticoError("ERR_RESULT", kindOf(result));
}

function sendJson(exchange: Exchange, value: object): boolean {
  const text: unknown = JSON.stringify(value);
  if (typeof text !== "string") throw new TypeError("the result of the handler cannot be serialized as JSON");
  if (text.includes("{}")) refusePromises(value);
  if (!exchange.headSent && !exchange.driver.response.hasType) {
    exchange.setHeader("Content-Type", "application/json");
  }
  return exchange.end(text);
}

/** JSON of a promise is `{}`: somebody has forgotten to await it. */
function refusePromises(value: object): void {
  let found: string | undefined;
  JSON.stringify(value, (name, inner: unknown) => {
    if (!isPromise(inner)) return inner;
    found ??= name;
    inner.catch(() => {});
    return undefined;
  });
  if (found === undefined) return;
  throw new PorticoError("ERR_RESULT", `a promise inside of it, at ${JSON.stringify(found)}: await it`);
}

/** Gives up what would never be read. */
function discard(exchange: Exchange, result: unknown): void {
  // One that is locked is somebody else's.
  if (isSource(result)) {
    callHandler(
      () => readerOf(result).cancel(),
      () => {},
    );
  } else if (!isPlain(result) && isResponse(result)) void respond(exchange, result);
}

function isSource(value: unknown): value is ChunkSource {
  return (
    typeof value === "object" && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value)
  );
}

/** Returns whether a value is a plain object or an array, even from another realm, as in test runners. */
export function isPlain(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function kindOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return value === null ? "null" : `a ${typeof value}`;
  if (isPlain(value)) return "an object";
  const name: unknown = Object.getPrototypeOf(value)?.constructor?.name;
  return typeof name === "string" && name !== "" ? `an instance of ${name}` : "an object";
}
